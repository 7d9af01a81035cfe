"""Problems outside the scope of the spectral reference, with the reasons."""

from __future__ import annotations

import pytest

from pinnkit.references.spectral import Spectral
from pinnkit.references.unsupported import UnsupportedProblem
from tests.references.rods import ENDS, ONE, SINE, TIME, heat, problem, start

TWO_AT_ONE_END = {"left": {"at": "x = -1", "equations": {"a": "u = 0", "b": "2*u = 0"}}}
HALVES = {"left": {"box": {"lower": [-1], "upper": [0]}}, "right": "box - left"}
REFUSED = {
    "coordinates are x: there is no time": lambda: problem("u_xx = 1", {"ends": ENDS}, coordinates={"x": [-1, 1]}),
    "t, or t and one space coordinate": lambda: problem(
        "u_t = u_xx + u_yy", {"start": start("u = 0")}, coordinates={"x": [0, 1], "y": [0, 1], "t": [0, 1]}
    ),
    "periodic in t": lambda: problem("u_t = -u + sin(2*pi*t)", {}, coordinates=TIME, periodic=["t"]),
    "the field k depends on x alone": lambda: problem(
        ["u_t = k*u_xx", "k_x = 0"], {"initial": SINE, "ends": ENDS}, fields={"u": ["x", "t"], "k": ["x"]}
    ).replace(),
    "'equation' is a Python callable": lambda: problem(lambda p: p.u_t + p.u, ONE, coordinates=TIME),
    "alpha is learned and its true value unknown: give it under exact": lambda: problem(
        "u_t = alpha*u", ONE, coordinates=TIME, parameters={"alpha": {"learn": 1.0}}
    ),
    "2 equations for 1 fields": lambda: problem(["u_t = 1", "u_t = t"], ONE, coordinates=TIME),
    r"'equation' evaluates a field elsewhere, u\(x=-x\)": lambda: problem("u_t = u(x=-x)", {"initial": SINE}),
    "holds u_xxt, mixed": lambda: problem("u_t - u_xxt = u_x", {"initial": SINE}, periodic=["x"]),
    "no equation holds a derivative of v in time": lambda: problem(
        ["u_t = v", "v = u_xx"], {"initial": SINE, "ends": ENDS}, fields="uv"
    ),
    "not linear in the highest derivatives in time, u_t": lambda: problem("u_t^2 = u", ONE, coordinates=TIME),
    "highest derivatives in time, u_tt": lambda: problem("u_tt + abs(u_tt) = u", ONE, coordinates=TIME),
    "do not determine the highest derivatives in time, u_t, v_t": lambda: problem(
        ["u_t + v_t = u", "u_t + v_t = v"], {"start": start("u = 1", "v = 1")}, TIME, "uv"
    ),
    "'points' is made of data": lambda: problem(
        "u_t = -u", ONE | {"points": {"data": {"t": [0.5], "u": [0.6]}}}, coordinates=TIME
    ),
    "u has a function of its own in each part of the domain": lambda: problem(
        "u_t = u_xx", {"initial": SINE}, fields={"u": {"parts": ["left", "right"]}}, shapes=HALVES
    ),
    "'a' holds in left alone, not everywhere": lambda: problem(
        {name: {"equation": "u_t = u_xx", "in": part} for name, part in zip("ab", HALVES, strict=True)},
        {"initial": SINE},
        shapes=HALVES,
    ),
    "'initial' holds on a part": lambda: heat().replace(
        conditions=problem("u_t = u", {"initial": SINE | {"where": "x > 0"}}).conditions
    ),
    "'middle' holds at x = 0: it takes t = 0 and the ends of x": lambda: problem(
        "u_t = u_xx", {"initial": SINE, "middle": {"at": "x = 0", "equations": "u = 0"}}
    ),
    "'final' holds at t = 1": lambda: problem(
        "u_t = -u", {"final": {"at": "t = 1", "equations": "u = 1"}}, coordinates=TIME
    ),
    "'corner' holds at x = -1, t = 0": lambda: problem(
        "u_t = u_xx", {"initial": SINE, "corner": {"at": {"x": -1, "t": 0}, "equations": "u = 0"}}
    ),
    "u_t has no initial condition": lambda: problem("u_tt = -u", ONE, coordinates=TIME),
    "'start' is not linear in u": lambda: problem("u_t = -u", {"start": start("u^2 = 1")}, coordinates=TIME),
    "'start' gives u_t at the start": lambda: problem("u_t = -u", {"start": start("u_t = 1")}, coordinates=TIME),
    r"\(start\) cannot be solved one after the other": lambda: problem(
        ["u_t = v", "v_t = u"], {"start": start("u + v = 1", "u - v = 0")}, TIME, "uv"
    ),
    r"'initial' evaluates a field elsewhere, u\(x=0": lambda: problem(
        "u_t = u_xx", {"initial": start("u = u(x=0) + x"), "ends": ENDS}
    ),
    "'ends' is not linear in the fields": lambda: problem(
        "u_t = u_xx", {"initial": SINE, "ends": {"at": "boundary", "equations": "u_n = -u^4"}}
    ),
    "'ends' holds u_t.*, a derivative in time": lambda: problem(
        "u_tt = u_xx",
        {"initial": start("u = 0", "u_t = 0"), "ends": {"at": "boundary", "equations": "u_t + u_n = 0"}},
    ),
    "'around' mixes both ends of x": lambda: problem(
        "u_t = u_xx", {"initial": SINE, "around": {"at": "x = -1", "equations": "u(x=-1) = -u(x=1)"}}
    ),
    r"'ends' evaluates a field elsewhere, u\(x=0": lambda: problem(
        "u_t = u_xx", {"initial": SINE, "ends": {"at": "boundary", "equations": "u = u(x=0)"}}
    ),
    r"1 condition at the ends of x, but .* need 2 \(2 for u\)": lambda: problem(
        "u_t = u_xx", {"initial": SINE, "left": {"at": "x = -1", "equations": "u = 0"}}
    ),
    "the conditions left do not determine": lambda: problem("u_t = u_xx", {"initial": SINE} | TWO_AT_ONE_END),
    "u is periodic in x but v is not": lambda: problem(
        ["u_t = v_x", "v_t = u_x"],
        {"initial": start("u = 0", "v = 0"), "around": {"at": "x = -1", "equations": "u(x=-1) = u(x=1)"}},
        fields="uv",
    ),
    "periodic in x, yet the condition 'ends'": lambda: problem(
        "u_t = u_xx", {"initial": SINE, "ends": ENDS}, periodic=["x"]
    ),
    "not finite at the start, t = 0": lambda: problem("u_t = 1/(u - 1)", ONE, coordinates=TIME),
    r"stopped at t = (0.49999|0.5\b).* of 2, its steps too small, twice, as where a solution blows up": lambda: problem(
        "u_t = u^3", ONE, coordinates={"t": [0, 2]}
    ),
}


@pytest.mark.parametrize("reason", REFUSED, ids=lambda reason: reason[:40])
def test_what_it_cannot_treat_is_refused_with_the_reason(reason):
    with pytest.raises(UnsupportedProblem, match=reason) as caught:
        Spectral(REFUSED[reason]())
    assert "exact: {...}" in str(caught.value)
    assert "reference: table.npz" in str(caught.value)
