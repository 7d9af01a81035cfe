"""Learned numbers that report an integral: what the references leave out."""

from __future__ import annotations

import pytest

from pinnkit.problem.problem import Problem
from pinnkit.references.plane.reference import PlaneSpectral
from pinnkit.references.residuals import without_reports
from pinnkit.references.unsupported import UnsupportedProblem

POISSON = {
    "coordinates": {"x": [0, 1], "y": [0, 1]},
    "fields": ["u"],
    "equations": "laplacian(u) = -2*sin(pi*x)*sin(pi*y)",
}
WALLS = {"at": "boundary", "equations": "u = 0"}


def poisson(conditions, parameters=None, **config) -> Problem:
    return Problem(**POISSON | config, conditions={"walls": WALLS, **conditions}, parameters=parameters or {})


def test_numbers_that_stand_in_their_integral_alone_are_left_out():
    reported = poisson(
        {"total": {"equations": ["total = integral(u, domain)", "2*integral(u_n, boundary) + flux^3 = 1"]}},
        {"total": {"learn": 0}, "flux": {"learn": 1}},
    )
    bare = without_reports(reported)
    assert (bare.learned, [one.name for one in bare.conditions]) == ((), ["walls"])
    assert PlaneSpectral(reported).claimed_error < 1e-6


WHOLE = {"c": {"learn": 0}}
ASKED = {
    "in an equation": poisson({"c": {"equations": "c = integral(u, domain)"}}, WHOLE, equations="laplacian(u) = c - 1"),
    "in two conditions": poisson({"c": {"equations": ["c = integral(u, domain)", "c = integral(u^2, domain)"]}}, WHOLE),
    "at every y": poisson({"c": {"equations": "c*y = integral(u, x)"}}, WHOLE),
    "at points": poisson({"c": {"at": "x = 0", "equations": "u_x = c"}}, WHOLE),
}


@pytest.mark.parametrize("name", ASKED)
def test_what_asks_something_of_the_fields_is_kept(name):
    assert without_reports(ASKED[name]) is ASKED[name]


def test_a_number_that_is_given_is_a_condition():
    with pytest.raises(UnsupportedProblem, match="holds an integral"):
        PlaneSpectral(poisson({"total": {"equations": "integral(u, domain) = 1"}}))
