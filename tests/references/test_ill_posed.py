"""Problems that no method could march are refused at once, in words."""

from __future__ import annotations

import pytest

from pinnkit.references.ill_posed import expect_ends_fit, expect_well_posed
from pinnkit.references.spectral import Spectral, UnsupportedProblem
from pinnkit.references.system import read_system
from tests.references.rods import ENDS, SINE, heat, problem, start

PERIODIC = {"periodic": ["x"]}
LEFT, RIGHT = ({"at": end, "equations": "u = 0"} for end in ("x = -1", "x = 1"))
SMOOTH = start("u = (1 - x^2)^2*sin(pi*x)")

ILL_POSED = {
    "Laplace's equation in t": problem("u_tt = -u_xx", {"i": start("u = sin(pi*x)", "u_t = 0"), "e": ENDS}),
    "Laplace's equation in t, periodic": problem("u_tt = -u_xx", {"i": start("u = sin(pi*x)", "u_t = 0")}, **PERIODIC),
    "Cauchy and Riemann": problem(
        ["u_t = v_x", "v_t = -u_x"], {"i": start("u = sin(pi*x)", "v = 0"), "e": ENDS}, fields="uv"
    ),
    "heat backwards": problem("u_t = -0.01*u_xx", {"i": SINE, "e": ENDS}),
    "heat backwards in part": problem("u_t = u*u_xx", {"i": SINE}, **PERIODIC),
}
WRONG_ENDS = {
    "an inflow where it flows out": problem("u_t + u_x = 0", {"i": SINE, "right": RIGHT}),
    "a coefficient of x": problem("u_t + (2 + x)*u_x = 0", {"i": SINE, "right": RIGHT}),
    "dispersion with two conditions at the left end": problem(
        "u_t + u_xxx = 0", {"i": SMOOTH, "left": {"at": "x = -1", "equations": ["u = 0", "u_x = 0"]}, "right": RIGHT}
    ),
}
WELL_POSED = {
    "heat": heat(),
    "an inflow": problem("u_t + u_x = 0", {"i": SINE, "left": LEFT}),
    "dispersion": problem(
        "u_t + u_xxx = 0", {"i": SMOOTH, "left": LEFT, "right": {"at": "x = 1", "equations": ["u = 0", "u_x = 0"]}}
    ),
    "Kuramoto and Sivashinsky": problem("u_t + 5*u*u_x + 0.5*u_xx + 0.005*u_xxxx = 0", {"i": SINE}, **PERIODIC),
    "a steep front": problem(
        "u_t + u*u_x = 0.001*u_xx",
        {"i": start("u = -tanh(500*x)"), "ends": {"at": "boundary", "equations": "u = -tanh(500*x)"}},
    ),
    "fast growth": problem("u_t = u_xx + 1000*u", {"i": SINE, "e": ENDS}),
    "Schroedinger": problem(
        ["u_t = -v_xx", "v_t = u_xx"], {"i": start("u = sin(pi*x)", "v = 0")}, fields="uv", **PERIODIC
    ),
    "a beam": problem(
        "u_tt = -u_xxxx",
        {"i": start("u = 0", "u_t = 0"), "e": {"at": "boundary", "equations": ["u = 0", "u_n = 0"]}},
    ),
    "weakly hyperbolic": problem(
        ["u_t = v_x", "v_t = 0"], {"i": start("u = sin(pi*x)", "v = cos(pi*x)")}, fields="uv", **PERIODIC
    ),
}


@pytest.mark.parametrize("of", ILL_POSED.values(), ids=ILL_POSED)
def test_unbounded_growth_of_short_waves_is_refused(of):
    with pytest.raises(UnsupportedProblem, match=r"ill-posed as an evolution: .* the shorter grows at a rate of"):
        Spectral(of)


@pytest.mark.parametrize("of", WRONG_ENDS.values(), ids=WRONG_ENDS)
def test_conditions_at_the_wrong_end_are_refused(of):
    with pytest.raises(UnsupportedProblem, match="ill-posed with these conditions at the ends of x: with 16"):
        Spectral(of)


@pytest.mark.parametrize("of", WELL_POSED.values(), ids=WELL_POSED)
def test_well_posed_problems_pass(of):
    system = read_system(of)
    expect_well_posed(system)
    expect_ends_fit(system)


def test_a_stiff_periodic_problem_that_blows_up_is_told_with_its_time():
    """u' = u^2 from 20: u = 20/(1 - 20 t)."""
    with pytest.raises(UnsupportedProblem, match=r"stopped at t = 0\.0(49|5).* of 1, its values no longer finite"):
        Spectral(problem("u_t = u_xx + u^2", {"i": start("u = 20")}, **PERIODIC), nodes=64)
