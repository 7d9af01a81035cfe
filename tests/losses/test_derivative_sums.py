"""Sums of derivatives that residuals need together: found where they save work, and equal to what they stand for."""

import numpy as np
import pytest

from pinnkit.language.calculus import Partial, partials, symbol
from pinnkit.language.evaluate import Program
from pinnkit.losses.derivative_sums import collapse, sampled
from pinnkit.operators.jet_structure import jet_structure
from pinnkit.operators.linear_operators import LinearCombination, SampledLaplacian
from pinnkit.problem.problem import Problem

NAVIER_STOKES = {
    "along": "u_t + u*u_x + v*u_y = -p_x + nu*(u_xx + u_yy)",
    "across": "v_t + u*v_x + v*v_y = -p_y + nu*(v_xx + v_yy)",
    "mass": "u_x + v_y = 0",
}


def read(equations, coordinates="xt", fields=("u",), parameters=None):
    """The residuals of equations."""
    problem = Problem(
        coordinates={name: [0, 1] for name in coordinates},
        fields=list(fields),
        parameters=parameters or {"nu": 0.3},
        equations=equations,
    )
    return [one.residual for one in problem.equations]


def named(found, coordinates="xt"):
    """The sums as text: symbol -> {derivative: coefficient}."""
    return {
        stand_in.name: {
            "".join(coordinates[axis] for axis in axes): str(found.coefficients[slot]) for axes, slot in one.terms
        }
        for stand_in, (_, one) in found.sums.items()
    }


def left(found):
    """The derivatives that residuals still name."""
    return {str(one) for expr in found.residuals for one in partials(expr)}


def carried(found, coordinates="xt"):
    """The parts of a jet that the sums and what is left ask for."""
    place = {name: number for number, name in enumerate(coordinates)}
    wanted = {one for _, one in found.sums.values()}
    for expr in found.residuals:
        wanted |= {tuple(sorted(place[name] for name in one.derivative)) for one in partials(expr)}
    return jet_structure(frozenset(wanted)).keys


def test_heat_carries_one_sum_and_one_factor():
    found = collapse(read("u_t = nu*u_xx"), "xt")
    assert named(found) == {"u[0]": {"xx": "-nu", "t": "1"}}
    assert found.residuals == [symbol("u[0]")]
    (one,) = [one for _, one in found.sums.values()]
    assert set(carried(found)) == {(0,), one}  # in the place of u_x, u_xx and u_t


def test_a_factor_that_the_residual_names_stays_beside_the_sum():
    found = collapse(read("u_t + u*u_x = nu*u_xx"), "xt")
    assert named(found) == {"u[0]": {"xx": "-nu", "t": "1"}}
    assert left(found) == {"u", "u_x"}
    assert len(carried(found)) == 2


def test_korteweg_de_vries():
    found = collapse(read("u_t + 6*u*u_x + u_xxx = 0"), "xt")
    assert named(found) == {"u[0]": {"xxx": "1", "t": "1"}}
    assert left(found) == {"u", "u_x"}
    assert {key for key in carried(found) if isinstance(key, tuple)} == {(0,), (0, 0)}


def test_navier_stokes_has_one_sum_for_both_velocities():
    found = collapse(read(NAVIER_STOKES, "xyt", "uvp"), "xyt")
    assert len({one for _, one in found.sums.values()}) == 1
    assert sorted(field for field, _ in found.sums.values()) == ["u", "v"]
    assert named(found, "xyt")["u[0]"] == {"xx": "-nu", "yy": "-nu", "t": "1"}
    assert left(found) == {"u", "v", "u_x", "u_y", "v_x", "v_y", "p_x", "p_y"}
    assert len(carried(found, "xyt")) == 3


def test_coefficients_that_are_multiples_of_each_other_are_taken_out():
    found = collapse(read(["-nu*laplacian(u) = x", "2*u_xx + 2*u_yy = u"], "xy"), "xy")
    assert named(found, "xy") == {"u[0]": {"xx": "1", "yy": "1"}}
    assert [expr.coeff(symbol("u[0]")) for expr in found.residuals] == [-symbol("nu"), 2]


@pytest.mark.parametrize("parameters", [{"nu": 0.3}, {"nu": {"learn": 0.3, "positive": True}}])
def test_coefficients_may_vary_and_be_learned_but_hold_no_field(parameters):
    conductive = collapse(read("u_t = diff((1 + nu*x^2)*u_x, x)", parameters=parameters), "xt")
    assert named(conductive) == {"u[0]": {"xx": "-nu*x**2 - 1", "t": "1"}}
    assert left(conductive) == {"u_x"}
    texts = read("u_t = diff(k*u_x, x)", fields="uk", parameters=parameters)
    assert collapse(texts, "xt").residuals == texts
    three = collapse(read("u_t = diff(k*u_x, x) + u_yy", "xyt", "uk", parameters), "xyt")
    assert named(three, "xyt") == {"u[0]": {"yy": "1", "t": "-1"}}
    assert left(three) == {"u_x", "k_x", "u_xx", "k"}


@pytest.mark.parametrize("text", ["u_xx^2", "sin(u_xx)", "u_xx*u_yy", "abs(u_xx)", "exp(u_t)*u_xx"])
def test_what_enters_nonlinearly_stays_apart(text):
    residuals = read(f"{text} + u_zz + u_ww = u", "xyzwt")
    found = collapse(residuals, "xyzwt")
    assert named(found, "xyzwt") == {"u[0]": {"zz": "1", "ww": "1"}}
    assert left(found) == {str(one) for one in partials(residuals[0])} - {"u_zz", "u_ww"}


def test_a_derivative_that_is_nonlinear_in_one_equation_is_apart_in_all():
    residuals = read(["u_xx^2 = u", "u_t = u_xx + u_yy"], "xyt")
    found = collapse(residuals, "xyt")
    assert named(found, "xyt") == {"u[0]": {"yy": "1", "t": "-1"}}
    assert "u_xx" in left(found)


def test_sums_are_carried_only_where_they_are_fewer():
    two = read(["u_t = u_xx", "u_t = -u_xx"])
    assert collapse(two, "xt").residuals == two
    assert collapse(two, "xt").sums == {}
    alone = read("u_xx = u")
    assert collapse(alone, "xt").residuals == alone
    three = collapse(read(["u_t = u_xx + u_yy", "u_t = u_yy - u_xx"], "xyt"), "xyt")
    assert len({one for _, one in three.sums.values()}) == 2


def test_a_factor_of_a_higher_derivative_of_any_field_stays_apart():
    found = collapse(read(["u_t + u_xx + u_tt = 0", "v_xxx + v_tt = 0"], fields="uv"), "xt")
    assert all(set(terms) <= {"xxx", "tt"} for terms in named(found).values())
    assert {"u_t", "u_xx"} <= left(found)


def test_what_python_residuals_want_stays_apart():
    residuals = read("u_t = u_xx + u_yy", "xyt")
    extra = Partial("u", ("x", "y", "t"), ("x", "x"))
    found = collapse(residuals, "xyt", [extra])
    assert named(found, "xyt") == {"u[0]": {"yy": "1", "t": "-1"}}
    assert left(found) == {"u_xx"}
    both = collapse(residuals, "xyt", [extra, Partial("u", ("x", "y", "t"), ("y", "y"))])
    assert both.residuals == residuals


def test_derivatives_elsewhere_are_left_alone():
    found = collapse(read("u_t = u_xx + u_xx(x=0) * u(x=1)"), "xt")
    assert named(found) == {"u[0]": {"xx": "1", "t": "-1"}}
    assert left(found) == {"u_xx(x=0)", "u(x=1)"}
    factor = read("u_t = u_xx * u(x=1)")
    assert collapse(factor, "xt").residuals == factor


EQUATIONS = {
    "heat": ("u_t = nu*u_xx", "xt", "u"),
    "burgers": ("u_t + u*u_x = nu*u_xx", "xt", "u"),
    "korteweg_de_vries": ("u_t + 6*u*u_x + u_xxx = 0", "xt", "u"),
    "navier_stokes": (list(NAVIER_STOKES.values()), "xyt", "uvp"),
    "conduction": ("u_t = diff((1 + nu*x^2)*u_x, x) + sin(x)*u_yy*exp(t)", "xyt", "u"),
    "plate": ("laplacian(laplacian(u)) = u^2 + x", "xy", "u"),
    "mixed": (["u_t = u_xx*u + u_yy + u_tt", "u_tt = nu*u_yy - v_yy + v_t^2"], "xyt", "uv"),
    "elsewhere": ("u_t = nu*u_xx + u_xx(x=0)*u", "xt", "u"),
    "quotient": ("(u_t - u_xx)/(1 + u^2) + u_yy/x = u", "xyt", "u"),
}


@pytest.mark.parametrize("name", EQUATIONS)
def test_residuals_are_the_same_numbers_before_and_after(name):
    """At random values of every derivative, coordinate and parameter."""
    texts, coordinates, fields = EQUATIONS[name]
    residuals = read(texts, coordinates, fields)
    found = collapse(residuals, coordinates)
    values = random_values(residuals, coordinates)
    with_sums = values | stood_for(found, values, coordinates, fields)
    np.testing.assert_allclose(Program(found.residuals)(with_sums), Program(residuals)(values), rtol=1e-12)


def random_values(residuals, coordinates):
    atoms = sorted({one for expr in residuals for one in expr.atoms() if not one.is_number}, key=str)
    symbols = [symbol(name) for name in (*coordinates, "nu")]
    numbers = np.random.default_rng(0).uniform(0.5, 2.0, (len(atoms) + len(symbols), 1))
    return dict(zip([*atoms, *symbols], numbers, strict=True))


def stood_for(found, values, coordinates, fields):
    """What the sums amount to."""
    numbers = Program(found.coefficients)(values)
    amounts = {}
    for stand_in, (field, one) in found.sums.items():
        if isinstance(one, SampledLaplacian):
            terms = [((axis, axis), 1.0) for axis, name in enumerate(coordinates) if name != "t"]
        else:
            terms = [(axes, numbers[slot]) for axes, slot in one.terms]
        names = [(tuple(coordinates[axis] for axis in axes), number) for axes, number in terms]
        amounts[stand_in] = sum(number * values[Partial(field, tuple(coordinates), axes)] for axes, number in names)
    return amounts


def test_a_large_laplacian_becomes_two_estimates():
    residuals = read(["u_t = nu*laplacian(u) + u^2", "u_t = u"], "abcdet")
    exact = collapse(residuals, "abcdet")
    found, largest = sampled(exact, 2, range(5))
    assert largest == 5
    assert len(found.residuals) == 2 * len(residuals)
    assert {one for _, one in found.sums.values() if isinstance(one, SampledLaplacian)} == {
        SampledLaplacian(0),
        SampledLaplacian(1),
    }
    halves = [{one for one in expr.free_symbols if "sample" in one.name} for expr in found.residuals]
    assert [{one.name for one in half} for half in halves] == [{"u[sample 0]"}, set(), {"u[sample 1]"}, set()]
    values = random_values(residuals, "abcdet")
    numbers = Program(found.residuals)(values | stood_for(found, values, "abcdet", "u"))
    np.testing.assert_allclose(numbers, Program([*residuals, *residuals])(values), rtol=1e-12)


@pytest.mark.parametrize(
    ("text", "directions"),
    [
        ("laplacian(u) = u", 5),  # as many directions as coordinates
        ("u_aa + u_bb + u_cc = u", 2),  # not all of the coordinates
        ("u_aa + 2*u_bb + u_cc + u_dd + u_ee = u", 2),  # not all alike
        ("u_t = u_aaa + u_bbb + u_ccc + u_ddd + u_eee", 2),  # not of second order
    ],
)
def test_what_is_no_large_laplacian_is_not_estimated(text, directions):
    found, largest = sampled(collapse(read(text, "abcdet"), "abcdet"), directions, range(5))
    assert largest == 0
    assert all(isinstance(one, LinearCombination) for _, one in found.sums.values())
