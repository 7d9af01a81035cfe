"""Problems narrowed to a window of time."""

import pytest

from pinnkit.domains.box import Box
from pinnkit.problem.narrowed_time import START, TimeDependentShape, at_start, cut, narrowed_to, start_terms
from pinnkit.problem.problem import Problem

WAVE = {
    "coordinates": {"x": [0, 1], "t": [0, 4]},
    "fields": ["u", "p"],
    "equations": {"wave": "u_tt = u_xx", "pressure": "p = u_x"},
    "conditions": {
        "shape": {"at": "t = 0", "equations": "u = x", "weight": 3},
        "rest": {"at": "t = 0", "equations": "u_t = 0", "weight": 7},
        "ends": {"at": ["x = 0", "x = 1"], "equations": "u_x = 0"},
    },
}


def test_each_field_goes_on_with_its_derivatives_below_the_order_of_the_equations():
    """p has no derivative by time, and is not handed on; the weight is the largest of the start conditions."""
    found = start_terms(Problem(**WAVE), {"u": 2, "p": 0})
    assert [one.name for one in found] == [f"{START}_u", f"{START}_u_t"]
    assert [str(one.residual) for one in found] == [f"-{START}_u + u", f"-{START}_u_t + u_t"]
    assert [float(one.weight) for one in found] == [7.0, 7.0]


def test_the_places_of_a_narrowed_problem_lie_in_the_window():
    problem = Problem(**WAVE)
    found = narrowed_to(problem, 1.0, 2.5, start_terms(problem, {"u": 2, "p": 0}))
    assert dict(found.domain.bounds) == {"x": (0.0, 1.0), "t": (1.0, 2.5)}
    places = {one.name: [dict(place.bounds) for place in one.places] for one in found.conditions}
    assert places == {
        "ends": [{"x": (0.0, 0.0), "t": (1.0, 2.5)}, {"x": (1.0, 1.0), "t": (1.0, 2.5)}],
        START: [{"x": (0.0, 1.0), "t": (1.0, 1.0)}],
    }
    first = narrowed_to(problem, 0.0, 1.0, ())
    assert [one.name for one in first.conditions if at_start(first, one)] == ["shape", "rest"]


def test_a_shape_that_changes_with_time_cannot_be_cut():
    words = {
        "coordinates": {"x": [0, 2], "y": [0, 2], "t": [0, 1]},
        "fields": ["u"],
        "equations": "u_t = laplacian(u)",
        "shapes": {"disk": {"disk": {"center": [1, 1], "radius": 1}}},
        "domain": "disk",
    }
    found = cut(Problem(**words).domain, "t", 0.25, 0.5)
    assert found.bounds["t"] == (0.25, 0.5)
    assert found.measure == pytest.approx(3.14159 / 4, rel=1e-3)

    still = Box({"x": (0.0, 1.0)})
    assert cut(still, "t", 0.0, 1.0) is still
    other = type("Other", (), {"coordinates": ("t",), "description": "a front"})()
    with pytest.raises(TimeDependentShape, match="a front changes with time"):
        cut(other, "t", 0.0, 1.0)
