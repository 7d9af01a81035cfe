"""What figures show of a problem's points: where its conditions hold, and what was measured of its fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

import numpy as np
import sympy

from pinnkit.language.calculus import Partial, partials, symbol
from pinnkit.language.evaluate import Program
from pinnkit.language.integral import all_partials, integrals
from pinnkit.problem.parts import Condition
from pinnkit.problem.problem import Problem
from pinnkit.reporting.samples import Samples
from pinnkit.sampling.point_set import PointSet


def drawn_points(problem: Problem, points: Mapping[str, PointSet]) -> dict[str, dict[str, np.ndarray]]:
    """Term -> coordinate -> (n,): the points as they count.

    Where a condition does not depend on a coordinate its points may lie anywhere along it: u(x=0) = 1 at t = 0 is drawn
    at x = 0, whatever x its points have. A coordinate over which it integrates is NaN.
    """
    conditions = {one.name: one for one in problem.conditions}
    found = {}
    for name, part in points.items():
        columns = {axis: part.coordinates[:, index] for index, axis in enumerate(problem.coordinates)}
        condition = conditions.get(name)
        found[name] = columns if condition is None or condition.data else _placed(condition, columns)
    return found


def _placed(condition: Condition, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    expressions = [one.residual for one in condition.equations] + [one.weight for one in condition.equations]
    expressions += [condition.where] if condition.where is not None else []
    if not all(isinstance(one, sympy.Basic) for one in expressions):
        return columns
    free = set().union(*(cast(sympy.Expr, one).free_symbols for one in expressions))
    arbitrary = [name for name in columns if symbol(name) not in free]
    if not arbitrary:
        return columns
    integrated = dict.fromkeys(arbitrary, np.nan) if any(map(integrals, expressions)) else {}
    places = list(dict.fromkeys(_fixed(expressions, arbitrary)))
    if not places and not integrated:
        return columns
    copies = [np.stack(list((columns | _full(columns, integrated | dict(one))).values())) for one in places or [()]]
    # NumPy tells each NaN from every other one.
    rows = np.unique(np.nan_to_num(np.concatenate(copies, axis=1), nan=np.inf), axis=1)
    return dict(zip(columns, np.where(np.isinf(rows), np.nan, rows), strict=True))


def _full(columns: Mapping[str, np.ndarray], values: Mapping[str, float]) -> dict[str, np.ndarray]:
    return {name: np.full(len(columns[name]), value) for name, value in values.items()}


def _fixed(expressions: list[sympy.Basic], names: list[str]) -> Iterator[tuple[tuple[str, float], ...]]:
    """The values of these coordinates at which fields are evaluated, one for each field and place."""
    for one in expressions:
        for partial in sorted(all_partials(one), key=str):
            at = {name: value for name, value in partial.at if name in names and value.is_number}
            if at:
                yield tuple((name, float(value)) for name, value in at.items())


def measured(problem: Problem) -> dict[str, Samples]:
    """What the data of conditions say of each field: where, and the value where it is the field's own.

    Values come from equations c*u = g, linear in one field; of its derivatives the places alone are known.
    """
    found: dict[str, list[Samples]] = {}
    for condition in problem.conditions:
        if not condition.data:
            continue
        for equation in condition.equations:
            if callable(equation.residual):
                continue
            here = [one for one in partials(equation.residual) if not one.at]
            for field in sorted({one.field for one in here}):
                own = [one for one in here if one.field == field]
                unknown = problem.unknown_of(field)
                values = _values(problem, condition, equation.residual, own[0]) if len(here) == 1 else None
                count = len(next(iter(condition.data.values())))
                values = np.full(count, np.nan) if values is None or unknown != field else values
                places = {name: condition.data[name] for name in problem.coordinates}
                found.setdefault(unknown, []).append(Samples(places, values))
    return {name: Samples.joined(ones) for name, ones in found.items()}


def _values(problem: Problem, condition: Condition, residual: sympy.Expr, partial: Partial) -> np.ndarray | None:
    """The values (n,) of a field that make a residual zero at the rows of data; None where it is not linear in it."""
    if partial.derivative or integrals(residual):
        return None
    learned = {symbol(one.name) for one in problem.learned}
    if residual.free_symbols & learned:
        return None
    given = {symbol(name): np.asarray(values) for name, values in condition.data.items()} | problem.values
    program = Program([residual])
    count = len(next(iter(condition.data.values())))
    try:
        at = [np.broadcast_to(np.asarray(program({**given, partial: size})[0]), (count,)) for size in (0.0, 1.0, 2.0)]
    except KeyError:
        return None
    slope, bend = at[1] - at[0], at[2] - 2 * at[1] + at[0]
    linear = np.all(np.isfinite(at[0])) and np.all(np.abs(slope) > 0)
    if not linear or np.any(np.abs(bend) > 1e-9 * (np.abs(at[0]) + np.abs(slope))):
        return None
    return -at[0] / slope
