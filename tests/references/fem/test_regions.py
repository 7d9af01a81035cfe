"""Finite elements with a function in each region, against closed forms."""

from __future__ import annotations

import pytest

from pinnkit.problem.problem import Problem
from pinnkit.references.fem.reference import Fem, check_problem
from pinnkit.references.unsupported import UnsupportedProblem
from tests.references.fem.problems import errors, needs_fem

pytestmark = needs_fem

STRIPS = {
    "coordinates": {"x": [-1, 1], "y": [0, 1]},
    "shapes": {
        "left": {"box": {"lower": [-1, 0], "upper": [0, 1]}},
        "right": {"box": {"lower": [0, 0], "upper": [1, 1]}},
    },
    "fields": {"u": {"parts": ["left", "right"]}},
}
INSULATED = {"at": ["y = 0", "y = 1"], "equations": "u_n = 0"}
LAPLACE = {
    "left": {"equation": "laplacian(u) = 0", "in": "left"},
    "right": {"equation": "2*laplacian(u) = 0", "in": "right"},
}


def test_a_disk_that_conducts_better_than_the_square_around_it():
    """The conductivities stand in the condition alone: the equations are scaled so that it is their flux."""
    factor = "(k1 - k2)/(k1 + k2)*a^2*x/(x^2 + y^2)"
    problem = Problem(
        coordinates={"x": [-1, 1], "y": [-1, 1]},
        parameters={"k1": 10, "k2": 1, "a": 0.5},
        shapes={"inner": {"disk": {"center": [0, 0], "radius": "a"}}, "outer": "box - inner"},
        fields={"u": {"parts": ["inner", "outer"]}},
        equations={
            "inner": {"equation": "laplacian(u) = 0", "in": "inner"},
            "outer": {"equation": "-laplacian(u) = 0", "in": "outer"},
        },
        conditions={
            "sides": {"at": "box", "equations": f"u = x - {factor}"},
            "contact": {"at": "inner", "equations": ["u.inner = u.outer", "k1*u.inner_n = k2*u.outer_n"]},
        },
        exact={"u": f"where(x^2 + y^2 < a^2, 2*k2/(k1 + k2)*x, x - {factor})"},
    )
    reference = Fem(problem, levels=3, size=0.7)
    true = errors(problem, reference)["u"]
    assert true < 1e-4
    assert true <= reference.claimed_error <= 20 * true


@pytest.mark.parametrize(
    ("contact", "exact"),
    [
        (["u.left = u.right + 1", "u.left_n = 2*u.right_n"], "where(x < 0, 4/3 + 4/3*x, 1/3 + 2/3*x)"),
        (["u.left_n = u.right - u.left", "2*u.right_n = u.right - u.left"], "where(x < 0, 2/5*(x + 1), 4/5 + x/5)"),
    ],
)
def test_values_that_jump_at_an_interface(contact, exact):
    """A given difference, and a flux in proportion to the difference (the normal leads to the right)."""
    problem = Problem(
        **STRIPS,
        equations=LAPLACE,
        conditions={
            "ends": {"at": ["x = -1", "x = 1"], "equations": "u = (x + 1)/2"},
            "sides": INSULATED,
            "contact": {"at": "left", "where": "abs(x) < 0.5", "equations": contact},
        },
        exact={"u": exact},
    )
    assert errors(problem, Fem(problem, levels=2, size=0.5))["u"] < 1e-10


def test_sources_that_differ_by_region():
    """One function on both sides: its gradient has no jump where the equations have one principal part."""
    problem = Problem(
        **{**STRIPS, "fields": ["u"]},
        equations={
            "left": {"equation": "laplacian(u) = 2", "in": "left"},
            "right": {"equation": "laplacian(u) = -2", "in": "right"},
        },
        conditions={"ends": {"at": ["x = -1", "x = 1"], "equations": "u = x^3"}, "sides": INSULATED},
        exact={"u": "where(x < 0, x^2 + 2*x, -x^2 + 2*x)"},
    )
    assert errors(problem, Fem(problem, levels=2, size=0.5))["u"] < 1e-10


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"fields": ["u"]}, "'left' and the equation 'right' have different principal parts, and u is one function"),
        ({"contact": ["u.left = u.right"]}, "lacks a condition on x = 0"),
        ({"contact": ["u.left = u.right", "u.left_n = 3*u.right_n + u.right_y"]}, "do not give the conormal"),
        ({"contact": ["u.left = 2*u.right", "u.left_n = u.right_n"]}, "is no difference of u.left and u.right"),
    ],
)
def test_refused(changes, reason):
    changes = dict(changes)
    contact = changes.pop("contact", None)
    conditions = {"ends": {"at": ["x = -1", "x = 1"], "equations": "u = x"}, "sides": INSULATED}
    if contact:
        conditions["contact"] = {"at": "left", "where": "abs(x) < 0.5", "equations": contact}
    problem = Problem(**STRIPS | changes, equations=LAPLACE, conditions=conditions)
    with pytest.raises(UnsupportedProblem) as caught:
        check_problem(problem)
    assert reason in str(caught.value)
