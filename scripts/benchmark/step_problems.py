"""The problems whose training step is timed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pinnkit.language.calculus import partials, substitute_fields, symbol
from pinnkit.language.evaluate import Program
from pinnkit.problem.parts import Equation
from pinnkit.problem.problem import Problem
from pinnkit.sampling.points import condition_points, equation_points
from pinnkit.sampling.sequences.sobol import Sobol

CONDITION_POINTS = 256
"""Points of each condition."""


@dataclass(frozen=True)
class Case:
    """A problem's words, the collocation points of its equations, and whether its equation is a Laplacian alone."""

    words: Mapping[str, Any]
    points: int
    laplacian: bool = False

    def problem(self) -> Problem:
        return Problem(**self.words)


def _interval(name: str, equation: str, initial: str, ends: str, **more: Any) -> Case:
    words = {
        "name": name,
        "coordinates": {"x": [-1, 1], "t": [0, 1]},
        "fields": ["u"],
        "equations": {name: equation},
        "conditions": {
            "initial": {"at": "t = 0", "equations": f"u = {initial}"},
            "ends": {"at": ["x = -1", "x = 1"], "equations": f"u = {ends}"},
        },
        **more,
    }
    return Case(words, 8192)


def _kdv() -> Case:
    """A soliton of height 3 c and speed c = 1/3: u = sech^2(k (x - c t)) with k = sqrt(c) / (2 delta)."""
    soliton = "1/cosh(k*(x - t/3))^2"
    parameters = {"delta": 0.022, "k": "sqrt(1/3)/0.044"}
    equation = "u_t + u*u_x + delta^2*u_xxx = 0"
    case = _interval("kdv", equation, soliton, soliton, parameters=parameters, exact={"u": soliton})
    slope = {"at": "x = 1", "equations": "u_x = 0"}  # of the soliton's tail; the third condition that u_xxx asks for
    return replace(case, words={**case.words, "conditions": {**case.words["conditions"], "slope": slope}})


def _plate() -> Case:
    """A simply supported plate: the biharmonic equation."""
    words = {
        "name": "plate",
        "coordinates": {"x": [0, 1], "y": [0, 1]},
        "fields": ["u"],
        "equations": {"plate": "u_xxxx + 2*u_xxyy + u_yyyy = 4*pi^4*sin(pi*x)*sin(pi*y)"},
        "conditions": {"boundary": {"at": "boundary", "equations": ["u = 0", "laplacian(u) = 0"]}},
        "exact": {"u": "sin(pi*x)*sin(pi*y)"},
    }
    return Case(words, 4096)


def _navier_stokes() -> Case:
    """The decaying vortices of Taylor and Green."""
    exact = {
        "u": "-cos(x)*sin(y)*exp(-2*nu*t)",
        "v": "sin(x)*cos(y)*exp(-2*nu*t)",
        "p": "-(cos(2*x) + cos(2*y))/4*exp(-4*nu*t)",
    }
    given = [f"{field} = {value}" for field, value in exact.items()]
    words = {
        "name": "navier_stokes",
        "coordinates": {"x": [0, "pi"], "y": [0, "pi"], "t": [0, 1]},
        "fields": ["u", "v", "p"],
        "parameters": {"nu": 0.01},
        "equations": {
            "momentum_x": "u_t + u*u_x + v*u_y + p_x = nu*(u_xx + u_yy)",
            "momentum_y": "v_t + u*v_x + v*v_y + p_y = nu*(v_xx + v_yy)",
            "continuity": "u_x + v_y = 0",
        },
        "conditions": {
            "initial": {"at": "t = 0", "equations": given},
            "boundary": {"at": "boundary", "equations": given},
        },
        "exact": exact,
    }
    return Case(words, 4096)


def _poisson(dimension: int, points: int) -> Case:
    """The Laplacian of u = mean of x_i^2 is 2, in any dimension."""
    names = [f"x{number}" for number in range(1, dimension + 1)]
    solution = f"({' + '.join(f'{name}^2' for name in names)})/{dimension}"
    words = {
        "name": f"poisson_{dimension}",
        "coordinates": {name: [0, 1] for name in names},
        "fields": ["u"],
        "equations": {"poisson": "laplacian(u) = 2"},
        "conditions": {"boundary": {"at": "boundary", "equations": f"u = {solution}"}},
    }
    if dimension <= 10:  # differentiating the text by a hundred coordinates exceeds what reading allows a problem
        words["exact"] = {"u": solution}
    return Case(words, points, laplacian=True)


CASES: Mapping[str, Case] = {
    "burgers": _interval("burgers", "u_t + u*u_x - 0.01/pi*u_xx = 0", "-sin(pi*x)", "0"),
    "allen_cahn": _interval("allen_cahn", "u_t - 0.0001*u_xx + 5*u^3 - 5*u = 0", "x^2*cos(pi*x)", "-1"),
    "kdv": _kdv(),
    "plate": _plate(),
    "navier_stokes": _navier_stokes(),
    "poisson_2": _poisson(2, 2048),
    "poisson_10": _poisson(10, 2048),
    "poisson_100": _poisson(100, 256),
}


def parts(case: Case) -> int:
    """How many arrays (n, width) Taylor mode carries through a layer: the value, and all parts of a derivative.

    A derivative d^a needs every d^b with b <= a: u_xx needs u_x; u_xxyy needs u_x, u_y, u_xx, u_xy, u_yy, u_xxy,
    u_xyy. So the plate has 1 + 4 (by x) + 4 (by y) + 4 (mixed) = 13. The second derivatives of a Laplacian that
    stands alone are carried as their sum (collapsed Taylor mode, Dangel et al. 2025, arXiv 2505.13644): 1 + d + 1.
    Fields share the parts, for they are outputs of one network.

    >>> parts(CASES["burgers"]), parts(CASES["poisson_10"])
    (4, 12)
    """
    problem = case.problem()
    if case.laplacian:
        return len(problem.coordinates) + 2
    found: set[tuple[int, ...]] = set()
    for equation in problem.equations:
        for partial in partials(equation.residual):
            orders = [partial.derivative.count(name) for name in problem.coordinates]
            found |= set(np.ndindex(*[order + 1 for order in orders]))
    return len(found)


def sampling(points: int) -> dict[str, Any]:
    """The settings of points that stay the same for a whole run."""
    return {"equations": points, "conditions": CONDITION_POINTS, "redraw_every": None}


def save_points(problem: Problem, points: int, seed: int, path: Path) -> None:
    """Write the points of a problem, and the values of its conditions there, for the peers."""
    settings = Sobol(**sampling(points))
    arrays = {
        "coordinates": np.array(problem.coordinates),
        "fields": np.array([field.name for field in problem.fields]),
        "equations": equation_points(problem, settings, seed, 0).coordinates,
    }
    for condition in problem.conditions:
        where = condition_points(problem, condition, settings, seed, 0).coordinates
        arrays[f"{condition.name}/points"] = where
        for equation in condition.equations:
            operator, values = target(problem, equation, where)
            arrays[f"{condition.name}/{operator}"] = values
    np.savez(path, **arrays)


def target(problem: Problem, equation: Equation, points: np.ndarray) -> tuple[str, np.ndarray]:
    """Of a condition `operator = value`: the operator, a field's name or laplacian, and the values (n, 1)."""
    used = partials(equation.residual)
    field = next(iter(used)).field
    operator = "laplacian" if any(partial.derivative for partial in used) else field
    value = -substitute_fields(equation.residual, {field: 0})
    inputs = {symbol(name): points[:, axis] for axis, name in enumerate(problem.coordinates)}
    (values,) = Program([value])({**problem.values, **inputs})
    return operator, np.broadcast_to(np.asarray(values, dtype=float), len(points))[:, None].copy()
