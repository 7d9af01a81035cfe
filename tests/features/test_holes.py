"""Features on coordinates that are inverted at round holes."""

from itertools import combinations_with_replacement

import pytest
import torch

from pinnkit.features.attached import choice_of
from pinnkit.features.chain_rule import all_states
from pinnkit.features.choice import Choice
from pinnkit.features.expansions import combined
from pinnkit.features.holes import Hole, holes
from pinnkit.features.settings import FeatureSettings
from pinnkit.features.solver import FeatureSolver
from pinnkit.networks.features import Features, RandomFeatures
from pinnkit.networks.fields import Output
from pinnkit.operators.derivatives import derivatives
from pinnkit.problem.problem import Problem
from pinnkit.runs.factory import assemble
from pinnkit.settings import Settings

HOLED = {
    "coordinates": {"x": [-1, 1], "y": [-1, 1]},
    "shapes": {"hole": {"disk": {"center": [0.1, 0], "radius": 0.3}}},
    "domain": "box - hole",
    "fields": ["u"],
    "equations": "laplacian(u) = 0",
    "conditions": {
        "rim": {"at": "hole", "equations": "u = (x - 0.1)/((x - 0.1)^2 + y^2) + x"},
        "sides": {"at": "box", "equations": "u = (x - 0.1)/((x - 0.1)^2 + y^2) + x"},
    },
}


def solver(words, **settings):
    module, _ = assemble(Problem(**words), Settings(method="features"))
    return FeatureSolver(module.model, module.groups, FeatureSettings(**settings), 0)


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_derivatives_follow_the_chain_rule_through_the_inversion(order):
    found = solver(HOLED)
    (hole,) = holes(found.problem, Output((0, 1)))
    drawn = Features("sin", 5, (3.0, 2.0, 1.0, 2.0), (-1.0,) * 4, (1.0,) * 4, (0, 1), 3, states=(0, 1))
    drawn = Features(**{**vars(drawn), "inversion": (*hole.center, hole.radius), "inverted": hole.axes})
    module = RandomFeatures(drawn, 1)
    with torch.no_grad():
        module.coefficients.copy_(torch.linspace(-1, 1, 5)[:, None])
    points = torch.tensor([[0.5, 0.4], [-0.9, 0.2], [0.1, -0.31]], dtype=torch.float64)
    beneath = all_states(found.network, module, points, (0,), order)
    phi = module.orders(points, order)
    for axes in combinations_with_replacement((0, 1), order):
        by_rule = combined(module, phi, {axes: torch.ones(3, 1, dtype=torch.float64)}, beneath) @ module.coefficients
        expected = derivatives(module, points, [(0, axes)])[0, axes].detach()
        torch.testing.assert_close(by_rule, expected, rtol=1e-9, atol=1e-9 * float(expected.abs().max()))


def test_the_inverse_of_a_point_lies_on_its_ray():
    drawn = Features("sin", 1, (1.0,) * 4, (-1.0,) * 4, (1.0,) * 4, (0, 1), 0, states=(0, 1), inverted=(0, 1))
    module = RandomFeatures(Features(**{**vars(drawn), "inversion": (1.0, 0.0, 2.0)}), 1)
    points = torch.tensor([[5.0, 0.0], [1.0, -2.0], [1.0, 0.0]], dtype=torch.float64)
    torch.testing.assert_close(module.inverse(points)[:2], torch.tensor([[2.0, 0.0], [1.0, -2.0]], dtype=torch.float64))
    assert module.inverse(points).isfinite().all()  # at the center too


def test_holes_are_the_disks_and_balls_that_a_region_leaves_out():
    parts = {
        **HOLED,
        "domain": "box",
        "shapes": {**HOLED["shapes"], "rest": "box - hole"},
        "fields": {"u": {"parts": ["hole", "rest"]}},
        "equations": {one: {"equation": "laplacian(u) = 0", "in": one} for one in ("hole", "rest")},
        "conditions": {
            "sides": {"at": "box", "equations": "u = 0"},
            "contact": {"at": "hole", "equations": ["u.hole = u.rest", "u.hole_n = u.rest_n"]},
        },
    }
    problem = Problem(**parts)
    assert holes(problem, Output((0, 1), part="rest")) == [Hole((0, 1), (0.1, 0.0), 0.3)]
    assert holes(problem, Output((0, 1), part="hole")) == []
    assert holes(problem, Output((0, 1), part="rest", periodic=(1,))) == []
    assert holes(problem, Output((0,), part="rest")) == []
    moving = Problem(**{**HOLED, "coordinates": {**HOLED["coordinates"], "t": [0, 1]}})
    assert holes(moving, Output((0, 1, 2))) == [Hole((0, 1), (0.1, 0.0), 0.3)]
    shapes = {**HOLED["shapes"], "right": {"level_set": "0.1 - x"}}
    half = Problem(**{**HOLED, "shapes": shapes, "domain": "box - (hole & right)"})
    assert holes(half, Output((0, 1))) == []


def test_a_field_with_a_pole_in_the_hole_is_found():
    found = solver(HOLED)
    points = torch.tensor([[0.5, 0.4], [-0.9, 0.2], [0.1, -0.31], [0.9, 0.9]], dtype=torch.float64)
    x, y = points.T
    exact = (x - 0.1) / ((x - 0.1) ** 2 + y**2) + x
    errors = []
    for choice in (Choice("tanh", (2.0, 2.0), 150), Choice("tanh", (2.0, 2.0), 150, inverted=(0.5,))):
        found.try_choice(choice)
        assert choice_of(found.attached.kept(), 2) == choice
        with torch.no_grad():
            errors.append(float((found.network(points)[:, 0] - exact).abs().max()))
    assert errors[1] < 1e-4 < 0.02 * errors[0]


def test_trials_take_inverted_coordinates_where_they_pay():
    found = solver(HOLED, range=2.0, kind="tanh")
    found.trial_unknowns = 100
    choice, _ = found.search()
    assert choice.inverted
    assert choice.larger(16.0).inverted == (4 * choice.inverted[0],)


def test_steep_and_inverted_features_leave_a_third_for_others():
    found = solver(HOLED)
    found.places = {"equations": found.system(90, 0).batches["equations"].mapped(lambda one: one.numpy())}
    found.add(Choice("tanh", (2.0, 2.0), 90, steep=(8.0, 8.0), inverted=(1.0,)))
    assert [one.features.count for one, _ in found.network.added] == [30, 30, 30]
    assert [bool(one.features.inversion) for one, _ in found.network.added] == [True, False, False]
