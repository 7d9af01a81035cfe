"""Problems with closed forms for the finite element reference, and the errors of its solutions."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from pinnkit.problem.at import random_points
from pinnkit.problem.problem import Problem
from pinnkit.references.exact import Exact

needs_fem = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("gmsh", "skfem"))),
    reason='gmsh or scikit-fem is missing: pip install "pinnkit[fem]"',
)
SQUARE = {"x": [0, 1], "y": [0, 1]}
PLANE = {"x": [-1, 1], "y": [-1, 1]}
DISK = {"coordinates": PLANE, "shapes": {"part": {"disk": {"center": [0, 0], "radius": 1}}}, "domain": "part"}
MOMENTUM = ["u*u_x + v*u_y + p_x = nu*laplacian(u)", "u*v_x + v*v_y + p_y = nu*laplacian(v)", "u_x + v_y = 0"]
STOKES = ["p_x = laplacian(u)", "p_y = laplacian(v)", "u_x + v_y = 0"]
ELASTIC = [
    "(lam + 2*mu)*u_xx + mu*u_yy + (lam + mu)*v_xy = 0",
    "mu*v_xx + (lam + 2*mu)*v_yy + (lam + mu)*u_xy = 0",
]
TRACTION_FREE = [
    "(lam*(u_x + v_y) + 2*mu*u_x)*n_x + mu*(u_y + v_x)*n_y = 0",
    "mu*(u_y + v_x)*n_x + (lam*(u_x + v_y) + 2*mu*v_y)*n_y = 0",
]


def on_boundary(*equations: str) -> dict:
    return {"rim": {"at": "boundary", "equations": list(equations)}}


def dirichlet(exact: str, equation: str, **config) -> Problem:
    return Problem(
        fields=["u"], equations=equation, conditions=on_boundary(f"u = {exact}"), exact={"u": exact}, **config
    )


def poisson_disk() -> Problem:
    return dirichlet("1 - x^2 - y^2", "laplacian(u) = -4", **DISK)


def l_shape() -> Problem:
    angle = "where(atan2(y, x) < -0.1, atan2(y, x) + 2*pi, atan2(y, x))"
    shape = {"polygon": [[0, 0], [1, 0], [1, 1], [-1, 1], [-1, -1], [0, -1]]}
    return dirichlet(
        f"(x^2 + y^2)^(1/3)*sin(2/3*{angle})",
        "laplacian(u) = 0",
        coordinates=PLANE,
        shapes={"part": shape},
        domain="part",
    )


def robin() -> Problem:
    """Mixed derivatives that are not shared in halves: the condition says how."""
    flux = "(n_x*u_x + 2*n_y*u_y + 0.3*n_x*u_y + 0.7*n_y*u_x)/3"
    return Problem(
        **DISK,
        fields=["u"],
        equations="u_xx + 2*u_yy + u_xy - u = 3*exp(x + y)",
        conditions=on_boundary(f"{flux} + u = exp(x + y)*(1 + (1.3*n_x + 2.7*n_y)/3)"),
        exact={"u": "exp(x + y)"},
    )


def cubic() -> Problem:
    return dirichlet("exp(x + y)", "laplacian(u) - u^3 = 2*exp(x + y) - exp(3*x + 3*y)", **DISK)


def quasilinear() -> Problem:
    return dirichlet("x + y^2", "div((1 + u^2)*grad(u)) = 2*u*(1 + 4*y^2) + 2*(1 + u^2)", coordinates=SQUARE)


def up_to_a_constant() -> Problem:
    pin = {"pin": {"at": {"x": 0, "y": 0}, "equations": "u = 1"}}
    return Problem(
        coordinates=SQUARE,
        fields=["u"],
        equations="laplacian(u) = -2*pi^2*cos(pi*x)*cos(pi*y)",
        conditions=on_boundary("u_n = 0") | pin,
        exact={"u": "cos(pi*x)*cos(pi*y)"},
    )


def condition_that_changes() -> Problem:
    """Values on one half of a side, no flux on the other: sqrt(r) sin(angle/2)."""
    exact = "(x^2 + y^2)^(1/4)*sin(atan2(y, x)/2)"
    return Problem(
        coordinates={"x": [-1, 1], "y": [0, 1]},
        fields=["u"],
        equations="laplacian(u) = 0",
        conditions={
            "held": {"at": "y = 0", "where": "x > 0", "equations": "u = 0"},
            "insulated": {"at": "y = 0", "where": "x < 0", "equations": "u_n = 0"},
            "rest": {"at": ["x = -1", "x = 1", "y = 1"], "equations": f"u = {exact}"},
        },
        exact={"u": exact},
    )


def kirsch() -> Problem:
    """A quarter of a plate with a hole under tension along x (Kirsch, 1898), plane stress."""
    r = "sqrt(x^2 + y^2)"
    c, s = f"(x/{r})", f"(y/{r})"
    c3, s3 = f"(4*{c}^3 - 3*{c})", f"(3*{s} - 4*{s}^3)"
    u = f"a/(8*mu)*({r}/a*(k + 1)*{c} + 2*a/{r}*((1 + k)*{c} + {c3}) - 2*a^3/{r}^3*{c3})"
    v = f"a/(8*mu)*({r}/a*(k - 3)*{s} + 2*a/{r}*((1 - k)*{s} + {s3}) - 2*a^3/{r}^3*{s3})"
    poisson = 0.3
    return Problem(
        coordinates={"x": [0, 2], "y": [0, 2]},
        shapes={"hole": {"disk": {"center": [0, 0], "radius": 0.5}}},
        domain="box - hole",
        fields=["u", "v"],
        parameters={
            "mu": 1 / (2 * (1 + poisson)), "lam": poisson / (1 - poisson**2), "k": (3 - poisson) / (1 + poisson),
            "a": 0.5,
        },
        equations=ELASTIC,
        conditions={
            "hole": {"at": "hole", "equations": TRACTION_FREE},
            "left": {"at": "x = 0", "equations": ["u = 0", "u_y + v_x = 0"]},
            "below": {"at": "y = 0", "equations": ["v = 0", "u_y + v_x = 0"]},
            "outside": {"at": ["x = 2", "y = 2"], "equations": [f"u = {u}", f"v = {v}"]},
        },
        exact={"u": u, "v": v},
    )  # fmt: skip


def kovasznay() -> Problem:
    u, v = "1 - exp(k*x)*cos(2*pi*y)", "k/(2*pi)*exp(k*x)*sin(2*pi*y)"
    return Problem(
        coordinates={"x": [-0.5, 1], "y": [-0.5, 1.5]},
        fields=["u", "v", "p"],
        parameters={"nu": 0.025, "k": 20 - np.sqrt(400 + 4 * np.pi**2)},
        equations=MOMENTUM,
        conditions=on_boundary(f"u = {u}", f"v = {v}") | {"pin": {"at": {"x": 0, "y": 0}, "equations": "p = 0"}},
        exact={"u": u, "v": v, "p": "(1 - exp(2*k*x))/2"},
    )


def channel(*outlet: str) -> Problem:
    """Poiseuille's flow, with these conditions at the outlet."""
    return Problem(
        coordinates={"x": [0, 2], "y": [0, 1]},
        fields=["u", "v", "p"],
        equations=STOKES,
        conditions={
            "walls": {"at": ["y = 0", "y = 1"], "equations": ["u = 0", "v = 0"]},
            "inlet": {"at": "x = 0", "equations": ["u = y*(1 - y)", "v = 0"]},
            "outlet": {"at": "x = 2", "equations": list(outlet)},
        },
        exact={"u": "y*(1 - y)", "v": "0*x", "p": "2*(2 - x)"},
    )


def heat() -> Problem:
    return Problem(
        coordinates={"x": [0, 1], "y": [0, 1], "t": [0, 0.1]},
        fields=["u"],
        equations="u_t = laplacian(u)",
        conditions={
            "start": {"at": "t = 0", "equations": "u = sin(pi*x)*cos(pi*y)"},
            "cold": {"at": ["x = 0", "x = 1"], "equations": "u = 0"},
            "insulated": {"at": ["y = 0", "y = 1"], "equations": "u_n = 0"},
        },
        exact={"u": "sin(pi*x)*cos(pi*y)*exp(-2*pi^2*t)"},
    )


def reaction() -> Problem:
    """A nonlinear evolution with boundary values that move."""
    exact = "exp(2*x*y - t)"
    return Problem(
        coordinates={"x": [0, 1], "y": [0, 1], "t": [0, 1]},
        fields=["u"],
        equations=f"u_t = laplacian(u) - u^2 - (1 + 4*x^2 + 4*y^2)*{exact} + ({exact})^2",
        conditions=on_boundary(f"u = {exact}") | {"start": {"at": "t = 0", "equations": "u = exp(2*x*y)"}},
        exact={"u": exact},
    )


def coupled() -> Problem:
    """The real and the imaginary part of exp(i (x + y)), which solves laplacian(h) + 2 h = 0."""
    return Problem(
        coordinates=SQUARE,
        fields=["a", "b"],
        equations=["laplacian(a) + 2*a = 0", "laplacian(b) + 2*b = 0"],
        conditions={
            "low": {"at": ["x = 0", "y = 0"], "equations": ["a = cos(x + y)", "b = sin(x + y)"]},
            "absorbing": {"at": ["x = 1", "y = 1"], "equations": ["a_n + b = 0", "b_n - a = 0"]},
        },
        exact={"a": "cos(x + y)", "b": "sin(x + y)"},
    )


def ball() -> Problem:
    return dirichlet(
        "1 - x^2 - y^2 - z^2",
        "laplacian(u) = -6",
        coordinates={"x": [-1, 1], "y": [-1, 1], "z": [-1, 1]},
        shapes={"part": {"ball": {"center": [0, 0, 0], "radius": 1}}},
        domain="part",
    )


def errors(problem: Problem, reference) -> dict[str, float]:
    """Relative L2 error of each field at random points; of one that is zero, relative to one."""
    points = random_points(problem.domain, 4000)
    coordinates = {name: points[:, column] for column, name in enumerate(problem.coordinates)}
    exact, found = Exact(problem)(coordinates), reference(coordinates)
    return {
        name: float(np.linalg.norm(found[name] - one) / (np.linalg.norm(one) or np.sqrt(len(points))))
        for name, one in exact.items()
    }
