"""The claimed error against the true one, also where grids miss a source."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import erfc

from pinnkit.references.claimed_error import NotComputed
from pinnkit.references.spectral import Spectral
from tests.references.rods import ENDS, problem, start

pi = np.pi
PERIODIC = {"periodic": ["x"]}


def fine(nodes: str) -> dict:
    return {"initial": start(nodes)}


def cosine(k: int, x: np.ndarray, t: np.ndarray) -> np.ndarray:
    return np.cos(2 * pi * k * x) * np.exp(-((2 * pi * k) ** 2) * t) / (pi * k) ** 2


# each: problem, closed forms
HIDDEN = {
    "a source that is zero at the nodes": (
        problem("u_t = sin(64*pi*x)", fine("u = 2"), **PERIODIC),
        {"u": lambda x, t: 2 + t * np.sin(64 * pi * x)},
    ),
    "a small source that is zero at the nodes": (
        problem("u_t = 1e-4*sin(64*pi*x)", fine("u = 2"), **PERIODIC),
        {"u": lambda x, t: 2 + 1e-4 * t * np.sin(64 * pi * x)},
    ),
    "a start that is constant at the nodes": (
        problem("u_t = -u_x", fine("u = 2 + cos(64*pi*x)"), **PERIODIC),
        {"u": lambda x, t: 2 + np.cos(64 * pi * (x - t))},
    ),
    "a coefficient that is zero at the nodes": (
        problem("u_t = -sin(64*pi*x)*u", fine("u = 1"), **PERIODIC, coordinates={"x": [-1, 1], "t": [0, 0.1]}),
        {"u": lambda x, t: np.exp(-t * np.sin(64 * pi * x))},
    ),
    "a start that decays": (
        problem("u_t = 0.0001*u_xx", fine("u = 2 + sin(64*pi*x)"), **PERIODIC),
        {"u": lambda x, t: 2 + np.sin(64 * pi * x) * np.exp(-1e-4 * (64 * pi) ** 2 * t)},
    ),
    "a narrow source": (
        problem("u_t = exp(-((x - 0.33)/0.05)^2)", fine("u = 0"), **PERIODIC),
        {"u": lambda x, t: t * np.exp(-(((x - 0.33) / 0.05) ** 2))},
    ),
    "a source that 512 nodes cannot resolve": (
        problem("u_t = exp(-((x - 0.33)/0.001)^2)", fine("u = 1")),
        {"u": lambda x, t: 1 + t * np.exp(-(((x - 0.33) / 0.001) ** 2))},
    ),
    "a kinked start": (
        problem("u_t = -u_x", fine("u = abs(x)"), **PERIODIC, coordinates={"x": [-1, 1], "t": [0, 0.02]}),
        {"u": lambda x, t: np.abs(np.mod(x - t + 1, 2) - 1)},
    ),
    "a start with a kink where it repeats": (
        problem(
            "u_t = u_xx",
            {"initial": start("u = x*(1 - x)"), "around": {"at": "x = 0", "equations": "u(x=0) = u(x=1)"}},
            coordinates={"x": [0, 1], "t": [0, 1]},
        ),
        {"u": lambda x, t: 1 / 6 - sum(cosine(k, x, t) for k in range(1, 30))},
    ),
    "dispersion, two fields": (
        problem(["u_t = -v_xx", "v_t = u_xx"], {"initial": start("u = cos(3*pi*x)", "v = 0")}, fields="uv", **PERIODIC),
        {
            "u": lambda x, t: np.cos(3 * pi * x) * np.cos(9 * pi**2 * t),
            "v": lambda x, t: -np.cos(3 * pi * x) * np.sin(9 * pi**2 * t),
        },
    ),
    "stiff and of second order in time": (
        problem("u_tt = 100*u_xx - u", {"initial": start("u = sin(pi*x)", "u_t = 0")}, **PERIODIC),
        {"u": lambda x, t: np.sin(pi * x) * np.cos(np.sqrt(100 * pi**2 + 1) * t)},
    ),
    "fourth order with a source": (
        problem("u_t = -u_xxxx + cos(t)*sin(pi*x) + pi^4*sin(t)*sin(pi*x)", fine("u = 0"), **PERIODIC),
        {"u": lambda x, t: np.sin(t) * np.sin(pi * x)},
    ),
    "a pulse shorter than the longest steps": (
        problem(
            "u_t = u_xx + exp(-((t - 0.33)/0.0005)^2)*1000",
            {"initial": start("u = 1"), "ends": {"at": "boundary", "equations": "u_n = 0"}},
        ),
        # the integral of the pulse, reached within 4 of its widths
        {"u": lambda x, t: 1 + 0.5 * np.sqrt(pi) * (t > 0.33) + 0 * x},
    ),
    "a front": (
        problem(
            "u_t + u*u_x = 0.1*u_xx",
            {"initial": start("u = -tanh(5*x)"), "ends": {"at": "boundary", "equations": "u = -tanh(5*x)"}},
            coordinates={"x": [-1, 1], "t": [0, 0.25]},
        ),
        {"u": lambda x, t: -np.tanh(5 * x) + 0 * t},
    ),
}


@pytest.mark.parametrize("case", HIDDEN.values(), ids=HIDDEN)
def test_the_claim_bounds_the_true_error(case):
    of, exact = case
    reference = Spectral(of, nodes=128 if "abs" in str(of.config) else None)
    lower, upper = of.domain.bounds["x"]
    begin, end = of.domain.bounds["t"]
    x, t = np.meshgrid(np.linspace(lower, upper, 331), begin + (end - begin) * np.linspace(0.01, 1, 58), indexing="ij")
    found = reference({"x": x, "t": t})
    truth = {name: solution(x, t) for name, solution in exact.items()}
    error = max(np.linalg.norm(found[name] - truth[name]) / np.linalg.norm(truth[name]) for name in truth)
    assert error < reference.claimed_error


def test_what_no_grid_resolves_is_no_reference():
    spike = problem("u_t = u_xx + 1000*exp(-((x - 0.33)/0.001)^2)", {"initial": start("u = 0"), "ends": ENDS})
    with pytest.raises(NotComputed, match=r"still differ by .* nodes"):
        Spectral(spike, nodes=64)


def test_the_claim_bounds_the_error_where_start_and_ends_do_not_meet():
    """The layer at each end is -erfc(distance / (2 sqrt(t))) while it is thin."""
    apart = problem(
        "u_t = u_xx",
        {"initial": start("u = 1"), "ends": {"at": "boundary", "equations": "u = 0"}},
        coordinates={"x": [0, 1], "t": [0, 1]},
    )
    reference = Spectral(apart, nodes=64)
    x, t = np.meshgrid(np.linspace(0, 1, 401), [3e-5, 1e-4, 3e-4], indexing="ij")
    truth = 1 - erfc(x / (2 * np.sqrt(t))) - erfc((1 - x) / (2 * np.sqrt(t)))
    error = np.linalg.norm(reference({"x": x, "t": t})["u"] - truth) / np.linalg.norm(truth)
    assert error < reference.claimed_error
