"""Check of a table against the domain and the conditions of a problem."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import sympy

from pinnkit.domains.shape import Shape
from pinnkit.language.calculus import Partial, partials, symbol
from pinnkit.language.evaluate import Program
from pinnkit.language.integral import integrals
from pinnkit.language.linear import NotLinearError, coefficients
from pinnkit.problem.at import inside
from pinnkit.problem.exactness import magnitude
from pinnkit.problem.parts import Condition, Equation
from pinnkit.problem.places import known_at, zero_weight
from pinnkit.problem.problem import Problem
from pinnkit.problem.sides import touching
from pinnkit.problem.tables import TableError
from pinnkit.references.exact import exact_parameters

SLACK = 1e-6
"""Tolerance on the position of a point, relative to the range of the coordinate."""
WARN_MISMATCH, REFUSE_MISMATCH = 1e-2, 1e-1
"""Violation of a condition, relative to the field's largest value, above which there is a warning, and an error."""
OUTLIER_FRACTION = 0.05
"""Fraction of the points that may violate it more: a solution may jump where two conditions meet."""


def check_table(problem: Problem, grid: Mapping[str, np.ndarray], fields: Mapping[str, np.ndarray]) -> list[str]:
    """Check that the table lies in the domain and satisfies the conditions without derivatives.

    The tolerances allow for published tables, which have about three digits.

    Args:
        grid, fields: coordinates and fields at the table's points, arrays of one shape.

    Returns:
        Warnings, one for each condition that is violated a little.

    Raises:
        TableError: with the point, the table's value and the prescribed one.
    """
    points = np.stack([grid[name].ravel() for name in problem.coordinates], axis=1)
    slack = SLACK * (problem.domain.upper - problem.domain.lower)
    outside = np.argwhere((points < problem.domain.lower - slack) | (points > problem.domain.upper + slack))
    if len(outside):
        row, column = outside[0]
        name = problem.coordinates[column]
        lower, upper = problem.domain.bounds[name]
        where = f"{name} = {points[row, column]:g}"
        raise TableError(f"its entry {row + 1} has {where}, outside the domain [{lower:g}, {upper:g}]")
    rows = np.flatnonzero(~problem.domain.contains(points, slack))
    if len(rows):
        where = ", ".join(
            f"{name} = {value:g}" for name, value in zip(problem.coordinates, points[rows[0]], strict=True)
        )
        raise TableError(f"its entry {rows[0] + 1} has {where}, outside the domain: {problem.domain.description}")
    values = {symbol(name): value for name, value in exact_parameters(problem).items()}
    values |= {symbol(one.name): one.value for one in problem.parameters if not one.learn}
    columns = {name: column.ravel() for name, column in fields.items()}
    doubts = []
    for condition in problem.conditions:
        for place in condition.places:
            for equation in condition.equations:
                if len(condition.sides) < 2 and _can_be_checked(equation, columns, values, problem):
                    doubts.append(_check_condition(problem, condition, place, equation, points, columns, values))
    return list(filter(None, doubts))


def _can_be_checked(
    equation: Equation,
    columns: Mapping[str, np.ndarray],
    values: Mapping[sympy.Symbol, float],
    problem: Problem,
) -> bool:
    """Whether the residual depends on the fields at a point alone."""
    residual = equation.residual
    if not isinstance(residual, sympy.Basic) or integrals(residual):
        return False
    unknown = {symbol(one.name) for one in problem.learned} - set(values)
    plain = all(not one.derivative and not one.at and one.field in columns for one in partials(residual))
    return plain and not residual.free_symbols & unknown


def _check_condition(
    problem: Problem,
    condition: Condition,
    place: Shape,
    equation: Equation,
    points: np.ndarray,
    columns: Mapping[str, np.ndarray],
    values: Mapping[sympy.Symbol, float],
) -> str:
    """Warning about one equation of a condition on one face, or an empty text; TableError where it is violated."""
    slack = SLACK * (problem.domain.upper - problem.domain.lower)
    on = place.contains(points, slack) & ~place.near_edge(points, slack)  # conditions may differ where faces meet
    if condition.sides:  # where two parts of a field meet, a table has the value of either
        ranges, parts = problem.domain.upper - problem.domain.lower, {one.part for one in problem.fields if one.part}
        on &= touching([problem.regions[name] for name in condition.sides], place, points, ranges)
        for other in parts.difference(condition.sides):
            on &= ~touching([problem.regions[other]], place, points, ranges)
    if condition.where is not None:
        on &= inside(condition.where, points, problem.coordinates, values)
    read: dict[sympy.Basic, np.ndarray | float] = {**problem.values, **values}
    on &= ~zero_weight(equation, read | known_at(problem, place, points))
    rows = np.flatnonzero(on)
    if not len(rows):
        return ""
    read |= known_at(problem, place, points[rows])
    held = {one: columns[one.field][rows] for one in partials(equation.residual)}
    largest = {one: float(np.abs(columns[one.field]).max()) for one in held}
    program = Program([equation.residual, magnitude(equation.residual)])
    miss, size = (np.broadcast_to(np.abs(part), len(rows)) for part in program(read | held))
    scale = max(float(np.max(size)), float(np.max(program(read | largest)[1])))
    missed = ~(miss <= WARN_MISMATCH * scale)
    if missed.mean() <= OUTLIER_FRACTION:
        return ""
    worst = int(np.argmax(np.where(np.isfinite(miss), miss, np.inf)))
    at = ", ".join(f"{name} = {points[rows[worst], index]:.4g}" for index, name in enumerate(problem.coordinates))
    message = (
        f"its values violate the condition '{condition.name}' at {missed.sum()} of {len(rows)} points: "
        f"at {at} {_mismatch(equation, read, held, worst, float(miss[worst]))}"
    )
    if (~(miss <= REFUSE_MISMATCH * scale)).mean() > OUTLIER_FRACTION:
        raise TableError(message)
    return message


def _mismatch(
    equation: Equation,
    read: Mapping[sympy.Basic, np.ndarray | float],
    held: Mapping[Partial, np.ndarray],
    row: int,
    miss: float,
) -> str:
    """The table's value and the prescribed one, or the residual if the condition does not give the field."""
    (field, *others) = held
    if not others:
        try:
            (factor,), rest = coefficients(equation.residual, [field])
        except NotLinearError:
            factor = sympy.S.Zero
        if factor != 0:
            prescribed = np.broadcast_to(Program([-rest / factor])(dict(read))[0], len(held[field]))[row]
            return f"{field.field} is {held[field][row]:.4g}, and {prescribed:.4g} is prescribed"
    return f"the residual is {miss:.3g}"
