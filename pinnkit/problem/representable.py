"""The check that a network with the problem's transforms and periods can be the given solution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy

from pinnkit.language.calculus import Partial, field_values, partials, symbol
from pinnkit.language.errors import LanguageError, Report
from pinnkit.language.evaluate import Program
from pinnkit.language.integral import all_partials, integrals
from pinnkit.language.linear import NotLinearError, coefficients
from pinnkit.problem.exactness import FAR
from pinnkit.problem.parts import Condition, Equation, Field
from pinnkit.problem.places import equations_with_keys, point, samples
from pinnkit.problem.problem import Problem

TOLERANCE = 1e-6
"""How far a value may miss a transform's range, or the value one period away, relative to the largest."""

Values = Mapping[sympy.Symbol, float]


def check_representable(problem: Problem, values: Values, report: Report) -> None:
    """An exact or prescribed value outside a transform's range, or one without the network's period, is out of reach.

    Args:
        values: the parameters that are known: of a learned one the exact value.
    """
    names = {symbol(one.name) for one in problem.parameters}
    for field in problem.fields:
        exact = problem.exact.get(field.name)
        if exact is None or exact.free_symbols & names - set(values):
            continue
        _check_range(problem, field, exact, values, f"exact.{field.unknown}", None, report)
        for name in problem.periods(field):
            _check_period(problem, field, name, values, report)
    for key, equation, condition in equations_with_keys(problem):
        if condition is None or condition.data:
            continue
        given, value = _prescribed(problem, equation)
        if given is not None and not value.free_symbols & names - set(values):
            _check_range(problem, given, value, values, key, condition, report)


def _prescribed(problem: Problem, equation: Equation) -> tuple[Field | None, sympy.Expr]:
    """The field that an equation gives, and the value that it gives."""
    residual = equation.residual
    held = list(all_partials(residual)) if isinstance(residual, sympy.Basic) else []
    if len(held) == 1 and integrals(residual):
        return None, residual
    if len(held) == 1 and not held[0].derivative and not held[0].at:
        try:
            (factor,), rest = coefficients(residual, held)
        except (NotLinearError, LanguageError):
            return None, residual
        field = next(one for one in problem.fields if one.name == held[0].field)
        return (field, -rest / factor) if factor != 0 else (None, residual)
    return None, residual


def _check_range(
    problem: Problem,
    field: Field,
    value: sympy.Expr,
    values: Values,
    key: str,
    condition: Condition | None,
    report: Report,
) -> None:
    lower, upper = field.range
    for inputs in samples(problem, condition, field.part):
        found = _computed(value, {**values, **inputs})
        slack = TOLERANCE * _largest(found)
        wrong = np.flatnonzero((found < lower - slack) | (found > upper + slack))
        if len(wrong):
            ends = f"from {lower:g} to {upper:g}" if np.isfinite(upper) else f"of {lower:g} or more"
            rule = f"transform.{field.unknown}: {field.transform} gives values {ends}"
            if not field.transform:
                rule = f"fields.{field.unknown} keeps it {field.bounds.description}"
            message = f"is {found[wrong[0]]:.4g} at {point(problem, inputs, wrong[0])}"
            report.add(key, f"{field.name} {message}, but {rule}")
            return


def _check_period(problem: Problem, field: Field, name: str, values: Values, report: Report) -> None:
    """The exact solution and its derivatives, those below the order of the equations, at both ends of a period."""
    orders = [
        one.derivative.count(name)
        for equation in problem.equations
        if isinstance(equation.residual, sympy.Basic)
        for one in partials(equation.residual)
        if one.field == field.name
    ]
    (inputs,) = samples(problem, None, field.part)
    lower, upper = problem.domain.bounds[name]
    size = 0.0
    for order in range(max(1, *orders) if orders else 1):
        one = Partial(field.name, field.coordinates, (name,) * order)
        try:
            derivative = field_values([one], problem.exact)[one]
        except LanguageError:  # too long, or no number: reported where the equations are checked
            return
        read: dict[Any, Any] = {**values, **inputs}
        ends = [_computed(derivative, {**read, symbol(name): end + 0 * read[symbol(name)]})
                for end in (lower, upper)]  # fmt: skip
        jump = np.abs(ends[1] - ends[0])
        worst = int(np.argmax(np.nan_to_num(jump)))
        size = max(size / (upper - lower), _largest(np.concatenate([_computed(derivative, read), *ends])))
        if jump[worst] > TOLERANCE * size:
            at = f"{one} is {ends[0][worst]:.4g} at {name} = {lower:g} and {ends[1][worst]:.4g} at {name} = {upper:g}"
            complain = report.add if jump[worst] > FAR * size else report.warn
            complain(f"exact.{field.unknown}", f"is not periodic in {name}, which the network is: {at}")
            return


def _computed(value: sympy.Expr, read: Mapping[sympy.Basic, float | np.ndarray]) -> np.ndarray:
    count = max(np.size(one) for one in read.values())
    return np.broadcast_to(np.asarray(Program([value])(read)[0], dtype=float), count)


def _largest(found: np.ndarray) -> float:
    return float(np.max(np.abs(found), where=np.isfinite(found), initial=0.0))
