"""Fields evaluated elsewhere, as in u(t=t-1): whether that lies in the domain."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import sympy

from pinnkit.language.calculus import Partial, partials, symbol
from pinnkit.language.errors import Report
from pinnkit.language.evaluate import Program
from pinnkit.problem.places import located, point, samples
from pinnkit.problem.problem import Condition, Equation, Problem

SLACK = 1e-9
"""How far outside a place may lie, relative to the range of its coordinate."""


def check_elsewhere(problem: Problem, report: Report) -> None:
    """A constant place outside the domain is a mistake; one that leaves it from some points alone is a warning.

    Outside, nothing trains the network. A periodic coordinate has no outside.
    """
    for key, equation, condition in located(problem):
        for partial, name, value in _places(problem, equation):
            _check(problem, condition, key, partial, name, value, report)


def _places(problem: Problem, equation: Equation) -> Iterator[tuple[Partial, str, sympy.Expr]]:
    for expr in (equation.residual, equation.weight):
        if isinstance(expr, sympy.Basic):
            for partial in sorted(partials(expr), key=str):
                for name, value in partial.at:
                    if name not in problem.periodic:
                        yield partial, name, value


def _check(
    problem: Problem,
    condition: Condition | None,
    key: str,
    partial: Partial,
    name: str,
    value: sympy.Expr,
    report: Report,
) -> None:
    lower, upper = problem.domain.bounds[name]
    slack = SLACK * (upper - lower)
    total, outside, example = 0, 0, ""
    for inputs in samples(problem, condition):
        count = len(next(iter(inputs.values())))
        found = np.broadcast_to(Program([value])({**problem.values, **inputs})[0], count)
        rows = np.flatnonzero(~((found >= lower - slack) & (found <= upper + slack)))
        if len(rows) and not example:
            example = f"{name} = {found[rows[0]]:.4g} from {point(problem, inputs, rows[0])}"
            constant = f"{name} = {found[rows[0]]:.4g}"
        total, outside = total + count, outside + len(rows)
    if not outside:
        return
    domain = f"outside the domain [{lower:g}, {upper:g}]"
    if value.free_symbols <= set(problem.values) - {symbol(one.name) for one in problem.learned}:
        report.add(key, f"evaluates {partial} at {constant}, {domain}, where nothing trains the network")
    elif outside == total and not value.free_symbols & {symbol(one.name) for one in problem.learned}:
        report.add(key, f"evaluates {partial} {domain} from every point, such as {example}")
    else:
        share = f"{100 * outside / total:.3g} % of its points, such as {example}"
        report.warn(key, f"evaluates {partial} {domain} for {share}: nothing trains the network there")
