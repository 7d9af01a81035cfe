"""Residuals, losses and weights of the terms."""

import math

import pytest
import torch

from pinnkit.losses.residuals import TermGroup, groups, mean_square, reweighted, weights
from pinnkit.losses.view import ResidualError, UnknownName
from pinnkit.problem.problem import Problem
from pinnkit.sampling.point_set import PointSet

HEAT = {
    "coordinates": {"x": [-1, 1], "t": [0, 1]},
    "fields": ["u"],
    "parameters": {"alpha": 0.1},
    "equations": {"heat": "u_t = alpha * u_xx"},
    "conditions": {
        "initial": {"at": "t = 0", "equations": "u = sin(pi*x)", "weight": 3},
        "ends": {"at": ["x = -1", "x = 1"], "equations": ["u = 0", "u_x = u_x(x=-1)"]},
    },
}
ALPHA = {"alpha": torch.tensor(0.1, dtype=torch.float64)}


def exact(points):
    x, t = points.split(1, dim=1)
    return torch.exp(-0.1 * math.pi**2 * t) * torch.sin(math.pi * x)


def batch(n=40):
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(n, 2, dtype=torch.float64, generator=generator) * 2 - torch.tensor([1.0, 0.0])
    return PointSet(points)


def test_a_known_solution_gives_zero_residual_and_a_perturbed_one_does_not():
    group = groups(Problem(**HEAT))[0]
    residual = group(exact, batch(), ALPHA)["heat"]
    assert residual.shape == (40, 1)
    assert residual.abs().max() < 1e-13
    perturbed = group(lambda p: exact(p) + 1e-3 * p[:, :1] ** 2, batch(), ALPHA)["heat"]
    torch.testing.assert_close(perturbed, torch.full_like(perturbed, -0.1 * 2e-3), rtol=1e-9, atol=0)


def test_parameters_enter_the_residual():
    group = groups(Problem(**HEAT))[0]
    points = batch()
    u_xx = -(math.pi**2) * exact(points.coordinates)
    residual = group(exact, points, {"alpha": torch.tensor(0.3, dtype=torch.float64)})["heat"]
    torch.testing.assert_close(residual, -0.2 * u_xx, rtol=1e-10, atol=1e-12)


def test_a_condition_is_a_group_of_its_own_terms():
    found = groups(Problem(**HEAT))
    assert [(group.name, group.terms) for group in found] == [
        ("equations", ("heat",)),
        ("initial", ("initial",)),
        ("ends", ("ends_1", "ends_2")),
    ]


def test_a_field_elsewhere_is_evaluated_elsewhere():
    group = groups(Problem(**HEAT))[2]
    points = batch()
    residuals = group(lambda p: p[:, :1] ** 3 * p[:, 1:], points, {})
    x, t = points.coordinates.split(1, dim=1)
    torch.testing.assert_close(residuals["ends_1"], x**3 * t)
    torch.testing.assert_close(residuals["ends_2"], 3 * x**2 * t - 3 * t)


def test_normals_and_data_columns_are_read_from_the_batch():
    problem = Problem(
        coordinates={"x": [0, 1], "y": [0, 1]},
        fields=["u"],
        equations="laplacian(u) = 0",
        conditions={"flux": {"at": "boundary", "equations": "u_n = x"}},
    )
    group = groups(problem)[1]
    points = torch.tensor([[0.0, 0.4], [0.3, 1.0]], dtype=torch.float64)
    normals = torch.tensor([[-1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    found = group(lambda p: 2 * p[:, :1] + 5 * p[:, 1:], PointSet(points, normals=normals), {})
    torch.testing.assert_close(found["flux"], torch.tensor([[-2.0], [5 - 0.3]], dtype=torch.float64))


def test_a_residual_in_python_equals_the_same_in_text():
    def heat(p):
        return p.u_t - p.alpha * p.u_xx + 0 * p.x

    text, python = Problem(**HEAT), Problem(**{**HEAT, "equations": {"heat": heat}})
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(2, 5), torch.nn.Tanh(), torch.nn.Linear(5, 1)).double()
    group = groups(python)[0]
    for _ in range(2):  # the first call finds out what it reads, the second shares the passes
        first = groups(text)[0](network, batch(), ALPHA)["heat"]
        second = group(network, batch(), ALPHA)["heat"]
        torch.testing.assert_close(first, second, rtol=1e-13, atol=1e-14)
    assert {str(one) for one in group.extra_partials} == {"u_t", "u_xx"}


@pytest.mark.parametrize(
    ("residual", "message"),
    [
        (lambda p: p.u[:, 0], r"'r' has shape \(40,\): one number a point, \(40, 1\), is needed"),
        (lambda p: p.u - p.u.T, r"'r' has shape \(40, 40\)"),
        (lambda p: 0.0, "'r' gave float"),
    ],
)
def test_a_residual_of_the_wrong_shape_is_refused(residual, message):
    group = groups(Problem(**{**HEAT, "equations": {"r": residual}}))[0]
    with pytest.raises(ResidualError, match=message):
        group(exact, batch(), ALPHA)


def test_a_name_that_is_not_there_is_told_with_the_nearest():
    group = groups(Problem(**{**HEAT, "equations": {"r": lambda p: p.u_t - p.alhpa}}))[0]
    with pytest.raises(UnknownName, match=r"'r' reads p.alhpa: .*did you mean 'alpha'"):
        group(exact, batch(), ALPHA)


def test_loss_is_the_mean_square_and_weights_come_from_file_or_by_hand():
    assert float(mean_square(torch.tensor([[1.0], [-3.0]]))) == 5.0
    problem = Problem(**HEAT)
    assert weights(problem) == {"heat": 1.0, "initial": 3.0, "ends_1": 1.0, "ends_2": 1.0}
    given = weights(reweighted(problem, {"ends": 10.0, "ends_2": 0.5, "initial": 2.0}))
    assert given == {"heat": 1.0, "initial": 2.0, "ends_1": 10.0, "ends_2": 0.5}


@pytest.mark.parametrize("equation", ["u_t = alpha * u_xx", lambda p: p.u_t - p.alpha * p.u_xx])
def test_a_weight_that_varies_multiplies_the_squared_residual_at_each_point(equation):
    weighted = {"equation": equation, "weight": "exp(x)*(1 + u_x^2)/alpha"}
    problem = Problem(**{**HEAT, "equations": {"heat": weighted}})
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(2, 5), torch.nn.Tanh(), torch.nn.Linear(5, 1)).double()
    points = batch()
    inputs = points.coordinates.clone().requires_grad_()
    u_x = torch.autograd.grad(network(inputs).sum(), inputs)[0][:, :1]
    plain = groups(Problem(**HEAT))[0](network, points, ALPHA)["heat"]
    expected = torch.exp(points.coordinates[:, :1]) * (1 + u_x**2) / 0.1 * plain**2
    group = groups(problem)[0]
    torch.testing.assert_close(group(network, points, ALPHA)["heat"] ** 2, expected, rtol=1e-13, atol=0)
    torch.testing.assert_close(group(network, points, ALPHA, weigh=False)["heat"], plain, rtol=1e-13, atol=1e-15)
    assert weights(problem)["heat"] == 1.0
    by_hand = reweighted(problem, {"heat": 5.0})
    assert weights(by_hand)["heat"] == 5.0
    torch.testing.assert_close(groups(by_hand)[0](network, points, ALPHA)["heat"], plain, rtol=1e-13, atol=1e-15)


def test_equations_share_the_passes_of_their_points(monkeypatch):
    problem = Problem(**{**HEAT, "equations": {"a": "u_t = u_xx", "b": "u_xx = u_x + u", "c": "u_t = u"}})
    passes = []
    original = torch.autograd.grad
    monkeypatch.setattr(torch.autograd, "grad", lambda *a, **k: passes.append(1) or original(*a, **k))
    TermGroup("equations", problem, problem.equations)(exact, batch(), {})
    assert len(passes) == 2
