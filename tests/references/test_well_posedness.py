"""Ill-posed evolutions are refused with a message."""

from __future__ import annotations

import pytest

from pinnkit.references.evolution_system import read_evolution_system
from pinnkit.references.spectral import Spectral
from pinnkit.references.unsupported import UnsupportedProblem
from pinnkit.references.well_posedness import check_boundary_conditions, check_well_posed
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
    system = read_evolution_system(of)
    check_well_posed(system)
    check_boundary_conditions(system)


def test_the_message_for_a_blow_up_of_a_stiff_periodic_problem_has_its_time():
    """u' = u^2 from 20: u = 20/(1 - 20 t)."""
    with pytest.raises(UnsupportedProblem, match=r"stopped at t = 0\.0(49|5).* of 1, its values no longer finite"):
        Spectral(problem("u_t = u_xx + u^2", {"i": start("u = 20")}, **PERIODIC), nodes=64)


def judged(equations, starts, fields="u", **words):
    words = {"coordinates": {"x": [0, 2], "t": [0, 1]}, "periodic": ["x"], **words}
    check_well_posed(read_evolution_system(problem(equations, {"start": start(*starts)}, fields=fields, **words)))


WAVE = ("u = sin(pi*x)", "u_t = 0")


@pytest.mark.parametrize(
    ("equations", "starts", "words"),
    [
        ("u_tt = -u_xx", WAVE, {}),
        ("u_tt = -1e-4*u_xx + u_t - u^3", WAVE, {}),
        ("u_tt = u_xxxx", WAVE, {}),
        ("u_t = -u_xx", WAVE[:1], {}),
        ("u_t + u*u_x = -0.01*u_xx", WAVE[:1], {}),
        ("u_t = u_xx + 1e-6*u_xxxx", WAVE[:1], {}),
        ("u_t = (x - 1)*u_xx", WAVE[:1], {}),
        (["u_t = v_x", "v_t = -u_x"], ("u = 1", "v = 0"), {"fields": "uv"}),
        (["u_t = v", "v_t = -u_xx"], ("u = 1", "v = 0"), {"fields": "uv"}),
        (["u_t = u_xx + 3*v_xx", "v_t = v_xx + u_xx"], ("u = 1", "v = 0"), {"fields": "uv"}),
    ],
)
def test_short_waves_that_grow_without_bound_are_noticed(equations, starts, words):
    with pytest.raises(UnsupportedProblem, match="ill-posed as an evolution"):
        judged(equations, starts, **words)


@pytest.mark.parametrize(
    ("equations", "starts", "words"),
    [
        ("u_tt = u_xx", WAVE, {}),
        ("u_tt = u_xx + 9*u + 5*u_t + u_x", WAVE, {}),
        ("u_tt = -u_xxxx", WAVE, {}),
        ("u_tt + sin(u) = 4*u_xx", WAVE, {}),
        ("u_t = u_xx + 50*u", WAVE[:1], {}),
        ("u_t + u*u_x + 0.022^2*u_xxx = 0", WAVE[:1], {}),
        ("u_t + u*u_x + u_xx + 1e-3*u_xxxx = 0", WAVE[:1], {}),  # Kuramoto and Sivashinsky's: long waves grow
        ("u_t = -x*u_x", WAVE[:1], {}),
        ("u_t = x^2*u_xx", WAVE[:1], {}),
        ("u_t = u", WAVE[:1], {}),
        (["u_t = -v_xx/2", "v_t = u_xx/2"], ("u = 1", "v = 0"), {"fields": "uv"}),
        (["u_t = v", "v_t = u_xx"], ("u = 1", "v = 0"), {"fields": "uv"}),
        (["u_t = v_x", "v_t = u_x"], ("u = 1", "v = 0"), {"fields": "uv"}),
        (["u_t = v_x", "v_t = v"], ("u = 1", "v = 0"), {"fields": "uv"}),
        (["u_t = u_xx - u*v", "v_t = u*v - v"], ("u = 1", "v = 0"), {"fields": "uv"}),
        ("u_tt = -u", ("u = 1", "u_t = 0"), {"coordinates": {"t": [0, 1]}, "periodic": None}),
    ],
)
def test_other_equations_pass(equations, starts, words):
    judged(equations, starts, **words)
