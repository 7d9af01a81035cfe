"""Check that fields evaluated elsewhere, as in u(t=t-1), are so within the domain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import sympy

from pinnkit.language.calculus import Partial, partials, symbol
from pinnkit.language.errors import Report
from pinnkit.language.evaluate import Program
from pinnkit.problem.parts import Condition, Equation
from pinnkit.problem.places import FIELDS, equations_with_keys, point, weighted_samples
from pinnkit.problem.problem import Problem

SLACK = 1e-9
"""How far outside a place may lie, relative to the range of its coordinate."""

SIZES = (*FIELDS, *(sign * 10.0**power for power in range(1, 7) for sign in (-1, 1)))
"""Values of fields for which an equation is evaluated, to find out whether it depends on a place."""


def check_displaced_arguments(problem: Problem, report: Report) -> None:
    """A constant place outside the domain is a mistake; one that leaves it from some points alone is a warning.

    Outside, nothing trains the network. A periodic coordinate has no outside.
    """
    for key, equation, condition in equations_with_keys(problem):
        for partial, name, value in _places(problem, equation):
            _check(problem, equation, condition, key, partial, name, value, report)


def _places(problem: Problem, equation: Equation) -> Iterator[tuple[Partial, str, sympy.Expr]]:
    for expr in (equation.residual, equation.weight):
        if isinstance(expr, sympy.Basic):
            for partial in sorted(partials(expr), key=str):
                for name, value in partial.at:
                    if name not in problem.periodic:
                        yield partial, name, value


def _check(
    problem: Problem,
    equation: Equation,
    condition: Condition | None,
    key: str,
    partial: Partial,
    name: str,
    value: sympy.Expr,
    report: Report,
) -> None:
    lower, upper = problem.domain.bounds[name]
    slack = SLACK * (upper - lower)
    exact = problem.domain.fills_bounds
    total, outside, example = 0, 0, ""
    for inputs in weighted_samples(problem, equation, condition):
        count = len(next(iter(inputs.values())))
        found = np.broadcast_to(Program([value])({**problem.values, **inputs})[0], count)
        away = ~((found >= lower - slack) & (found <= upper + slack))
        if not exact:
            away |= _outside(problem, partial, inputs)
        rows = np.flatnonzero(away & _used(problem, equation, partial, inputs)) if away.any() else np.array([], int)
        if len(rows) and not example:
            example = f"{name} = {found[rows[0]]:.4g} from {point(problem, inputs, rows[0])}"
            constant = f"{name} = {found[rows[0]]:.4g}"
        total, outside = total + count, outside + len(rows)
    if not outside:
        return
    domain = f"outside the domain [{lower:g}, {upper:g}]" if exact else "outside the domain"
    known = value.free_symbols <= set(problem.values) - {symbol(one.name) for one in problem.learned}
    if known and (exact or outside == total):
        report.add(key, f"evaluates {partial} at {constant}, {domain}, where nothing trains the network")
    elif outside == total and not value.free_symbols & {symbol(one.name) for one in problem.learned}:
        report.add(key, f"evaluates {partial} {domain} from every point, such as {example}")
    else:
        share = f"{100 * outside / total:.3g} % of its points, such as {example}"
        report.warn(key, f"evaluates {partial} {domain} for {share}: nothing trains the network there")


def _outside(problem: Problem, partial: Partial, inputs: Mapping[sympy.Symbol, np.ndarray]) -> np.ndarray:
    """Mask (n,) of the points whose place of evaluation lies outside the domain, which is no box."""
    count = len(next(iter(inputs.values())))
    values = dict(partial.at)
    found = Program([values.get(name, symbol(name)) for name in problem.coordinates])({**problem.values, **inputs})
    points = np.stack([np.broadcast_to(one, count) for one in found], axis=1)
    return ~problem.domain.contains(points, SLACK * (problem.domain.upper - problem.domain.lower))


def _used(
    problem: Problem, equation: Equation, partial: Partial, inputs: Mapping[sympy.Symbol, np.ndarray]
) -> np.ndarray:
    """Mask (n,) of the points where the equation depends on this value, which where(...) may not ask for."""
    count = len(next(iter(inputs.values())))
    exprs = [one for one in (equation.residual, equation.weight) if isinstance(one, sympy.Basic)]
    program = Program(exprs)
    used = np.full(count, False)
    for size in SIZES:  # fields may decide in a where(...)
        read = {**problem.values, **inputs, **dict.fromkeys(set().union(*map(partials, exprs)), size)}
        known = program(read)
        for other in (np.nan, *SIZES):
            found = program({**read, partial: np.full(count, other)})
            for one, new in zip(known, found, strict=True):
                used |= ~np.broadcast_to((one == new) | (np.isnan(one) & np.isnan(new)), count)
    return used
