"""Equations with their keys, and the points at which they are checked before training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import sympy

from pinnkit.domains.shape import Shape
from pinnkit.language.calculus import Partial, normal_symbol, partials, symbol
from pinnkit.language.evaluate import Program
from pinnkit.language.integral import Integral
from pinnkit.problem.at import inside, probe_points, random_points
from pinnkit.problem.parts import Condition, Equation
from pinnkit.problem.problem import Problem
from pinnkit.problem.sides import touching

POINTS = 200
"""Random points of each place at which an equation is checked."""
FIELDS = (-1.3, -0.4, 0.3, 0.7, 1.6)
"""Values of fields and derivatives, of which one at least is in the domain of most functions."""


def equations_with_keys(problem: Problem) -> Iterator[tuple[str, Equation, Condition | None]]:
    """Every equation with the path of its key and its condition, if it has one."""
    for equation in problem.equations:
        yield f"equations.{equation.origin}", equation, None
    for condition in problem.conditions:
        for equation in condition.equations:
            yield f"conditions.{condition.origin}.equations", equation, condition


def allowed_at(problem: Problem, condition: Condition) -> Callable[[np.ndarray, Shape], np.ndarray] | None:
    """(points (n, d), their place) -> mask (n,) of those that a condition is for; None where it is for all."""
    if condition.where is None and not condition.sides:
        return None
    regions = [problem.regions[name] for name in condition.sides]
    ranges = problem.domain.upper - problem.domain.lower

    def allowed(points: np.ndarray, place: Shape) -> np.ndarray:
        mask = np.ones(len(points), dtype=bool)
        if condition.where is not None:
            mask &= inside(condition.where, points, problem.coordinates, problem.values)
        return mask & touching(regions, place, points, ranges) if regions else mask

    return allowed


def samples(
    problem: Problem, condition: Condition | None, region: str = ""
) -> Iterator[dict[sympy.Symbol, np.ndarray]]:
    """What expressions read at points (n,) of each place of a condition, or at the rows of its data; None: inside a
    region, "" for the domain."""
    if condition is not None and condition.data:
        yield {symbol(name): column for name, column in condition.data.items()}
        return
    allowed = allowed_at(problem, condition) if condition is not None else None
    for place in condition.places if condition is not None else (problem.solid(region),):
        points = random_points(place, POINTS)
        if allowed is not None and not allowed(points, place).all():
            points = probe_points(place)
            points = points[allowed(points, place)][:POINTS]
        yield known_at(problem, place, points)


def known_at(problem: Problem, place: Shape, points: np.ndarray) -> dict[sympy.Symbol, np.ndarray]:
    """Coordinates, normals and the values of tables (n,) at points (n, d) of a place."""
    coordinates = {name: points[:, index] for index, name in enumerate(problem.coordinates)}
    known = {symbol(name): values for name, values in {**coordinates, **problem.table_columns(coordinates)}.items()}
    normals = place.normals(points)
    if normals is not None:
        known |= {normal_symbol(name): normals[:, index] for index, name in enumerate(problem.coordinates)}
    return known


def weighted_samples(
    problem: Problem, equation: Equation, condition: Condition | None
) -> Iterator[dict[sympy.Symbol, np.ndarray]]:
    """`samples` without the points where the equation's weight is zero, so that it asks for nothing there."""
    for inputs in samples(problem, condition, equation.region):
        count = len(next(iter(inputs.values())))
        kept = ~np.broadcast_to(zero_weight(equation, {**problem.values, **inputs}), count)
        if kept.any():
            yield {name: column[kept] for name, column in inputs.items()}


def zero_weight(equation: Equation, read: Mapping[sympy.Basic, float | np.ndarray]) -> np.ndarray:
    """Where the equation's weight is zero; one that holds a field is known while training alone, and counts."""
    return np.asarray(False if partials(equation.weight) else Program([equation.weight])(dict(read))[0] == 0)


def point(problem: Problem, inputs: Mapping[sympy.Symbol, np.ndarray], place: int) -> str:
    """The coordinates of one of these points, as text."""
    return ", ".join(f"{name} = {inputs[symbol(name)][place]:.4g}" for name in problem.coordinates)


def singular_at(residual: sympy.Expr, read: Mapping[sympy.Basic, float | np.ndarray]) -> np.ndarray:
    """Mask (n,) of the points where a coefficient is not finite, and the residual neither for any of some fields.

    Args:
        read: parameters, and coordinates (n,) among other columns.
    """
    count = max(np.size(values) for values in read.values())
    found = Program(list(_coefficients(residual)))(read)
    broken = np.any([~np.isfinite(np.broadcast_to(one, count)) for one in [*found, 0.0]], axis=0)
    program = Program([residual])
    for size in FIELDS:
        if not broken.any():
            break
        held = partials(residual) | residual.atoms(Integral)
        computed = program({**read, **dict.fromkeys(held, size)})[0]
        broken &= ~np.isfinite(np.broadcast_to(computed, count))
    return broken


def _coefficients(expr: sympy.Basic) -> Iterator[sympy.Expr]:
    """The largest parts of an expression that hold no field, each once."""
    known: dict[sympy.Basic, bool] = {}

    def holds(node: sympy.Basic) -> bool:
        if node not in known:
            parts = list(map(holds, node.args))  # all of them, so that each is known
            known[node] = isinstance(node, Partial | Integral) or any(parts)
        return known[node]

    if not holds(expr):
        yield expr
        return
    for node, held in known.items():
        if held:
            yield from (part for part in node.args if not known[part] and isinstance(part, sympy.Expr))
