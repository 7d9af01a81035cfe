"""The method of lines against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from pinnkit.references.spectral import Spectral
from tests.references.rods import ENDS, heat, problem, start
from tests.references.spectral_errors import errors

# each: problem, exact fields, bound on the error, what the name of the reference holds
CASES = {
    "heat, Dirichlet": (
        heat(),
        {"u": lambda x, t: np.exp(-0.1 * np.pi**2 * t) * np.sin(np.pi * x)},
        1e-10,
        "Chebyshev, 64 nodes, Radau, rtol 1e-10",
    ),
    "heat, Neumann": (
        problem(
            "u_t = 0.1*u_xx", {"initial": start("u = cos(pi*x)"), "ends": {"at": "boundary", "equations": "u_n = 0"}}
        ),
        {"u": lambda x, t: np.exp(-0.1 * np.pi**2 * t) * np.cos(np.pi * x)},
        1e-9,
        "Chebyshev",
    ),
    # exp(-t) cos x is even: u_n = -exp(-t) sin 1 at both ends, so u_n + tan(1) u = 0
    "heat, Robin": (
        problem(
            "u_t = u_xx", {"initial": start("u = cos(x)"), "ends": {"at": "boundary", "equations": "u_n = -tan(1)*u"}}
        ),
        {"u": lambda x, t: np.exp(-t) * np.cos(x)},
        1e-9,
        "Chebyshev",
    ),
    "heat, one condition of each kind, its factor a function of t": (
        problem(
            "u_t = u_xx",
            {
                "initial": start("u = sin(x) + cos(x)"),
                "left": {"at": "x = -1", "equations": "(2 + t)*u + u_x = exp(-t)*((3 + t)*cos(1) - (1 + t)*sin(1))"},
                "right": {"at": "x = 1", "equations": "u_x = exp(-t)*(cos(1) - sin(1))"},
            },
        ),
        {"u": lambda x, t: np.exp(-t) * (np.sin(x) + np.cos(x))},
        1e-9,
        "Chebyshev",
    ),
    "heat, ends that move, another interval, start at t = 1": (
        problem(
            "u_t = u_xx",
            {
                "initial": {"at": "t = 1", "equations": "u = exp(x + 1)"},
                "left": {"at": "x = 2", "equations": "u = exp(2 + t)"},
                "right": {"at": "x = 3", "equations": "u = exp(3 + t)"},
            },
            coordinates={"t": [1, 2], "x": [2, 3]},
        ),
        {"u": lambda x, t: np.exp(x + t)},
        1e-9,
        "Chebyshev",
    ),
    "wave": (
        problem("u_tt = u_xx", {"initial": start("u = sin(pi*x)", "u_t = 0"), "ends": ENDS}),
        {"u": lambda x, t: np.cos(np.pi * t) * np.sin(np.pi * x)},
        1e-10,
        "Chebyshev, 64 nodes",
    ),
    "wave that starts to the right, u_t from u_x": (
        problem("u_tt = u_xx", {"initial": start("u_t = -u_x", "u = exp(sin(pi*x))")}, periodic=["x"]),
        {"u": lambda x, t: np.exp(np.sin(np.pi * (x - t)))},
        1e-10,
        "Fourier",
    ),
    "damped wave with a source": (
        problem(
            "u_tt + u_t = u_xx + exp(-t)*pi^2*sin(pi*x)",
            {"initial": start("u = sin(pi*x)", "u_t = -sin(pi*x)"), "ends": ENDS},
        ),
        {"u": lambda x, t: np.exp(-t) * np.sin(np.pi * x)},
        1e-9,
        "Chebyshev",
    ),
    "advection, periodic by conditions": (
        problem(
            "u_t + u_x = 0",
            {
                "initial": start("u = exp(sin(pi*x))"),
                "around": {"at": "x = -1", "equations": ["u(x=-1) = u(x=1)", "u_x(x=-1) = u_x(x=1)"]},
            },
        ),
        {"u": lambda x, t: np.exp(np.sin(np.pi * (x - t)))},
        1e-10,
        "Fourier, 64 nodes, DOP853",
    ),
    "advection from an inflow": (
        problem(
            "u_t + u_x = 0",
            {"initial": start("u = sin(x)"), "inflow": {"at": "x = -1", "equations": "u = sin(-1 - t)"}},
        ),
        {"u": lambda x, t: np.sin(x - t)},
        1e-9,
        "Chebyshev",
    ),
    "acoustics: both conditions belong to one of two fields": (
        problem(["u_t = v_x", "v_t = u_x"], {"initial": start("u = sin(pi*x)", "v = 0"), "ends": ENDS}, fields="uv"),
        {
            "u": lambda x, t: np.cos(np.pi * t) * np.sin(np.pi * x),
            "v": lambda x, t: np.sin(np.pi * t) * np.cos(np.pi * x),
        },
        1e-9,
        "Chebyshev",
    ),
    "Schroedinger: each rate needs the other field's second derivative": (
        problem(
            ["u_t = -v_xx/2", "v_t = u_xx/2"],
            {
                "initial": start("u = sin(pi*x)", "v = 0"),
                "ends": {"at": "boundary", "equations": {"real": "u = 0", "imaginary": "v = 0"}},
            },
            fields="uv",
        ),
        {
            "u": lambda x, t: np.cos(np.pi**2 * t / 2) * np.sin(np.pi * x),
            "v": lambda x, t: -np.sin(np.pi**2 * t / 2) * np.sin(np.pi * x),
        },
        1e-9,
        "Chebyshev",
    ),
    "KdV soliton": (
        problem(
            "u_t + 6*u*u_x + u_xxx = 0",
            {"initial": start("u = 2/cosh(x)^2")},
            coordinates={"x": [-12, 12], "t": [0, 0.1]},
            periodic=["x"],
        ),
        {"u": lambda x, t: 2 / np.cosh(x - 4 * t) ** 2},
        1e-7,
        "Fourier",
    ),
    "coupled rates: the matrix of the time derivatives is solved": (
        problem(
            ["u_t + v_t = -u - v", "u_t - 2*v_t = -u + 2*v"], {"start": start("u = 1", "v = 2")}, {"t": [0, 1]}, "uv"
        ),
        {"u": lambda t: np.exp(-t), "v": lambda t: 2 * np.exp(-t)},
        1e-10,
        "time alone",
    ),
    "oscillator": (
        problem("u_tt = -u", {"start": start("u = 1", "u_t = 0")}, coordinates={"t": [0, 10]}),
        {"u": lambda t: np.cos(t)},
        1e-10,
        "time alone, DOP853",
    ),
    "rotation, two fields": (
        problem(["u_t = v", "v_t = -u"], {"start": start("u = 1", "v = 0")}, {"t": [0, 10]}, "uv"),
        {"u": lambda t: np.cos(t), "v": lambda t: -np.sin(t)},
        1e-10,
        "time alone",
    ),
    "stiff relaxation (Prothero and Robinson)": (
        problem("u_t = -1e6*(u - cos(t)) - sin(t)", {"start": start("u = 1")}, coordinates={"t": [0, 1]}),
        {"u": lambda t: np.cos(t)},
        1e-9,
        "Radau",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_closed_forms(case):
    of, exact, bound, name = case
    reference = Spectral(of, nodes=32 if name == "Chebyshev" else None)
    error = errors(reference, of, exact)
    assert error < bound
    # the claim covers the truth, and is not worthless either
    assert error < reference.claimed_error
    assert reference.claimed_error < 1e-6
    assert name in reference.name
    assert reference.grid is None
    assert reference.fields == tuple(exact)
