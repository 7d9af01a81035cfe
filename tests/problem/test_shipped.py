"""Every shipped problem: its known solution solves it, and its gradient is that of the plainest code."""

from functools import cache

import numpy as np
import pytest
import torch
import yaml

from pinnkit.language.calculus import normal_symbol, partials, symbol
from pinnkit.language.errors import Report
from pinnkit.language.evaluate import Program
from pinnkit.language.grammar import Scope, expression
from pinnkit.language.integral import integrals
from pinnkit.problem.checks import check
from pinnkit.problem.problem import Problem
from pinnkit.references.exact import Exact, exact_parameters
from pinnkit.references.outputs import without_outputs
from pinnkit.runs.factory import assemble
from pinnkit.runs.shipped import problems
from pinnkit.settings import read_settings
from tests.conftest import ROOT

FOLDER = ROOT / "conf" / "pde"
NAMES = sorted(problems())
OWN = [name for name in NAMES if problems()[name].parent.name != "pinnacle"]
"""Without those of a benchmark, whose equations are of the same kinds."""


@cache
def shipped(name):
    return Problem(folder=FOLDER, **yaml.safe_load(problems()[name].read_text()))


@pytest.mark.parametrize("name", NAMES)
def test_it_has_an_independent_reference(name):
    problem = shipped(name)
    assert problem.exact or problem.reference
    assert check(problem).mistakes == []
    assert check(problem).warnings == []


ROTATION = {"u": "-y", "v": "x", "p": "(x^2 + y^2)/2"}
"""A rigid rotation, which solves the Navier-Stokes equations."""
KNOWN = {
    "burgers": {"u": "x/(1 + t)"},
    "burgers_inverse": {"u": "lambda1/2 - tanh((x - t/2)/(20*lambda2))/10"},  # a front
    "kdv": {"u": "0.12/cosh((x - 0.04*t)/(10*mu))^2"},  # a soliton
    "allen_cahn": {"u": "1"},
    "ginzburg_landau": {"A_re": "cos(beta*t)", "A_im": "-sin(beta*t)"},  # the uniform wave
    "helmholtz_scattering": {"u_re": "cos(k*x)", "u_im": "sin(k*x)"},  # a plane wave
    "lotka_volterra": {"prey": "death/breed", "predator": "growth/hunt"},
    "kuramoto_sivashinsky": {"u": "1"},
    "gray_scott": {"u": "1 + exp(-rate*b*t)", "v": "0"},
    "back_step_flow": ROTATION,
    "cylinder_flow": ROTATION,
    "lid_driven_cavity": ROTATION,
    "lorenz": dict.fromkeys("xy", "sqrt(beta*(rho - 1))") | {"z": "rho - 1"},
    "van_der_pol": {"u": "0"},
    "pendulum": {"angle": "0"},
    "burgers1d": {"u": "x/(1 + t)"},
    "burgers2d": {"u": "1", "v": "1"},
    "poisson2d_c": {"u": "x*y"},
    "heat2d_cg": {"u": "1"},
    "heat2d_lt": {"u": "0"},
    "ns2d_c": ROTATION,
    "ns2d_cg": ROTATION,
    "wave2d_cg": {"u": "t"},
    "wave2d_ms": {"u": "x*y*t"},
    "gs": {"u": "1 + exp(-b*t)", "v": "0"},
    "ks": {"u": "1"},
}
"""Closed forms that satisfy the equations, though not the conditions, where the problem's own solution has none."""


NONE_KNOWN = {
    "gradient_matching", "poisson_boltzmann_2d", "poisson2d_cg", "poisson2d_ms", "poisson3d_cg", "heat2d_vc", "ns2d_lt",
}  # fmt: skip


@pytest.mark.parametrize("name", [name for name in NAMES if name not in NONE_KNOWN])
def test_a_known_solution_satisfies_the_equations_and_a_perturbed_one_does_not(name):
    problem = without_outputs(shipped(name))
    scope = Scope(problem.coordinates, {}, tuple(parameter.name for parameter in problem.parameters))
    asked = {one.name for one in (*problem.fields, *problem.learned)}
    known = {
        **{key: value for key, value in problem.exact.items() if key in asked},
        **{key: expression(text, scope) for key, text in KNOWN.get(name, {}).items()},
    }
    bare = problem.replace(conditions=())
    assert check(bare.replace(exact=known)).mistakes == []
    bump = symbol(problem.coordinates[0]) ** 4 / 1000
    fields = [field.name for field in problem.fields]
    perturbed = {key: value + bump if key in fields else value for key, value in known.items()}
    told = check(bare.replace(exact=perturbed, periodic=())).mistakes
    assert {mistake.text for mistake in told} == {equation.text for equation in problem.equations}


def plain_derivative(network, points, field, axes):
    """One pass for each derivative, nothing shared."""
    inputs = points.clone().requires_grad_()
    value = network(inputs)[:, field : field + 1]
    for axis in axes:
        value = torch.autograd.grad(value.sum(), inputs, create_graph=True)[0][:, axis : axis + 1]
    return value


def plain_nodes(module, one, values):
    """Variables of integration and weights: 20 nodes by Gauss and Legendre, 50 even angles of a hole."""
    if not one.region:
        lower, upper = Program([one.lower, one.upper])(values)
        for node, weight in zip(*np.polynomial.legendre.leggauss(20), strict=True):
            yield [lower + (upper - lower) * (node + 1) / 2], weight * (upper - lower) / 2
        return
    (circle,) = module.problem.rims[one.region]
    center, radius = (circle.lower + circle.upper) / 2, (circle.upper - circle.lower)[0] / 2
    for angle in 2 * np.pi * np.arange(50) / 50:
        outward = np.array([np.cos(angle), np.sin(angle)])
        numbers = [*(center + radius * outward), *(-outward)]  # the normal points into the hole
        yield [torch.tensor([[number]], dtype=torch.float64) for number in numbers], 2 * np.pi * radius / 50


def plain_integral(module, points, one, values):
    """A node after the other."""
    total, axes = 0.0, list(module.problem.coordinates)
    fields = [field.name for field in module.problem.fields]
    for nodes, weight in plain_nodes(module, one, values):
        at = {**values, **dict(zip(one.variables, nodes, strict=True))}
        for partial in partials(one.body):
            columns = list(points.split(1, dim=1))
            for name, value in partial.at:
                columns[axes.index(name)] = Program([value])(at)[0].expand(len(points), 1)
            order = [axes.index(name) for name in partial.derivative]
            at[partial] = plain_derivative(module.network, torch.cat(columns, 1), fields.index(partial.field), order)
        total = total + weight * Program([one.body])(at)[0]
    return total


def plain_objective(module, batches):
    problem = module.problem
    fields, axes = [field.name for field in problem.fields], list(problem.coordinates)
    parameters = {symbol(name): value for name, value in module.parameter_values().items()}
    total = 0.0
    for group, batch in batches.items():
        for equation in module.groups[group].symbolic:
            values = dict(parameters)
            values |= {symbol(name): column for name, column in batch.columns.items()}
            if batch.normals is not None:
                values |= {normal_symbol(name): batch.normals[:, place : place + 1] for place, name in enumerate(axes)}
            values |= {symbol(name): batch.coordinates[:, place : place + 1] for place, name in enumerate(axes)}
            for partial in partials(equation.residual) | partials(equation.weight):
                assert partial.at == ()
                order = [axes.index(name) for name in partial.derivative]
                values[partial] = plain_derivative(
                    module.network, batch.coordinates, fields.index(partial.field), order
                )
            values |= {
                one: plain_integral(module, batch.coordinates, one, values) for one in integrals(equation.residual)
            }
            residual, weight = Program([equation.residual, equation.weight])(values)
            total = total + (weight * residual**2).sum() / len(batch)
    return total


@pytest.mark.parametrize("name", OWN[::2])
def test_loss_and_gradient_agree_with_the_plainest_code(name):
    settings = read_settings({"sampling": {"equations": 60, "conditions": 20}}, Report())
    module, data = assemble(shipped(name), settings)
    data.draw(0)
    batches = data.batches()
    trained = list(module.parameters())
    losses = torch.stack(list(module.losses(batches).values()))
    shared, plain = torch.dot(module.computation.weight_vector(), losses), plain_objective(module, batches)
    torch.testing.assert_close(shared, plain, rtol=1e-12, atol=0)
    one = torch.cat([part.ravel() for part in torch.autograd.grad(shared, trained, materialize_grads=True)])
    other = torch.cat([part.ravel() for part in torch.autograd.grad(plain, trained, materialize_grads=True)])
    assert torch.linalg.norm(one - other) <= 1e-12 * torch.linalg.norm(other)
    assert torch.linalg.norm(other) > 0


def test_the_weights_of_allen_and_cahns_equation_are_the_growth_of_errors():
    """du(s)/du(t), at its largest for s in [t, 1], by the exact flow of u_t = 5 (u - u^3)."""
    problem = shipped("allen_cahn")
    u, t = partials(problem.equations[0].weight).pop(), symbol("t")
    program = Program([problem.equations[0].weight])
    for time in (0.0, 0.5, 0.8):
        factor = np.exp(5 * np.linspace(0, 1 - time, 5001))
        for value, least in ((0.0, 1 - 1e-9), (0.01, 0.96), (0.1, 0.88), (0.3, 0.7)):
            growth = (factor / (1 + value**2 * (factor**2 - 1)) ** 1.5).max()
            assert least <= program({u: value, t: time})[0] / growth <= 1 + 1e-9
    (start,) = problem.conditions[0].equations  # by its known values: a field in the weight could pay for a wrong start
    expected = 100 * program({u: 0.3**2 * np.cos(0.3 * np.pi), t: 0.0})[0]
    assert Program([start.weight])({symbol("x"): 0.3})[0] == pytest.approx(expected, rel=1e-12)


def test_the_gradient_samples_satisfy_their_potential():
    problem = shipped("gradient_matching")
    data = problem.conditions[0].data
    values = {symbol(name): column for name, column in data.items()}
    gradient = Program([problem.exact["V"].diff(symbol("x")), problem.exact["V"].diff(symbol("y"))])(values)
    np.testing.assert_allclose(gradient[0], data["S_x"], rtol=1e-12)
    np.testing.assert_allclose(gradient[1], data["S_y"], rtol=1e-12)


def test_the_inverse_problems_give_the_truth_of_what_they_learn():
    truth = {name: exact_parameters(shipped(name)) for name in NAMES if shipped(name).learned}
    assert truth.pop("cylinder_flow") == {"drag": 5.57953523384, "lift": 0.010618948146}  # featflow.de, DFG 2D-1
    assert truth == {
        "burgers_inverse": {"lambda1": 1.0, "lambda2": pytest.approx(0.01 / np.pi)},
        "heat_inverse": {"alpha": 0.1},
        "heat_inverse_noisy": {"alpha": 0.1},
        "maxwell_cavity": {"k": pytest.approx(np.pi * np.sqrt(1 / 1.5**2 + 1))},
    }


def test_samples_are_those_of_the_exact_solution_and_the_noisy_ones_are_near():
    for name, noise in (("heat_inverse", 0.0), ("heat_inverse_noisy", 0.01)):
        problem = shipped(name)
        data = problem.conditions[0].data
        (column,) = set(data) - set(problem.coordinates)
        difference = data[column] - Exact(problem)({"x": data["x"], "t": data["t"]})["u"]
        assert np.std(difference) == pytest.approx(noise, rel=0.1, abs=1e-15)
