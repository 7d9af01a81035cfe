"""Growth of features: which networks have more of them, and what is attached."""

import pytest
import torch

from pinnkit.features.choice import Choice
from tests.features.solvers import LOGISTIC, error, solve, solver

TWO = {
    "coordinates": {"x": [-1, 1]},
    "shapes": {"left": {"level_set": "x"}, "right": {"level_set": "-x"}},
    "fields": {"u": {"parts": ["left", "right"]}},
    "equations": {
        "left": {"equation": "u_xx = 0", "in": "left"},
        "right": {"equation": "u_xx = -3600*sin(60*x)", "in": "right"},
    },
    "conditions": {
        "ends": {"at": "boundary", "equations": "u = where(x < 0, -60, sin(60))"},
        "contact": {"at": "left", "equations": ["u.left = u.right", "u.left_n = u.right_n"]},
    },
}
"""u = 60 x on the left, and sin(60 x) on the right."""


@pytest.fixture(scope="module")
def two():
    return solve(TWO, kind="tanh", range=4.0)


def test_a_network_whose_equations_hold_keeps_its_number(two):
    left, right = (two.choice.number(index) for index in (0, 1))
    assert left == 75
    assert right >= 1.6 * left
    counts = [sum(one.features.count for one, own in two.network.added if own == index) for index in (0, 1)]
    assert counts == [left, right]
    points = torch.linspace(0.01, 1, 50, dtype=torch.float64)[:, None]
    with torch.no_grad():
        assert float((two.network(points)[:, 1] - torch.sin(60 * points[:, 0])).abs().max()) < 1e-4


def test_the_best_features_are_attached_where_larger_ranges_do_not_pay():
    found = solve(LOGISTIC, kind="tanh", range=0.3, max_unknowns=400)
    unknowns = found.choice.unknowns(found.network.members)
    assert found.fresh_residual(unknowns) == pytest.approx(min(one.residual for one in found.found), rel=1e-6)
    assert tuple(found.network.expansions[0].features.ranges) == found.choice.ranges
    assert error(found, lambda points: 1 / (1 + 9 * torch.exp(-points[:, 0])), [[1.0], [2.0]]) < 1e-6


def test_shares_of_networks():
    choice = Choice("tanh", (2.0,), 100, shares=(0.255, 1.0))
    assert [choice.number(index) for index in (0, 1)] == [26, 100]
    assert choice.unknowns([[0, 1], [2]]) == 152
    assert str(choice) == "26 and 100 tanh features with weights up to 2"
    found = solver(TWO)
    assert [one.features.count for one in found.add(choice)] == [26, 100]
