"""The check that the closed form of a problem solves it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import sympy

from pinnkit.language.arithmetic import NotRealError
from pinnkit.language.calculus import Partial, differentiate, field_values, partials, substitute_fields, symbol
from pinnkit.language.constructors import absolute
from pinnkit.language.errors import LanguageError, Report
from pinnkit.language.evaluate import Program
from pinnkit.language.integral import all_partials, integrals
from pinnkit.language.jumps import find_jump
from pinnkit.problem.integrals import integral_value, precise_value
from pinnkit.problem.parts import Condition, Equation
from pinnkit.problem.places import equations_with_keys, point, samples, weighted_samples
from pinnkit.problem.problem import Problem

TOLERANCE = 1e-6
"""How far an exact solution may miss an equation, relative to the equation's terms at the point."""
FAR = 1e-2
"""Up to which miss of a condition, or of a period, relative to the field's size, an exact solution is a warning.

On a truncated domain the tail of a soliton, say, meets neither exactly.
"""
NEAR_ZERO = 1e-2
"""Where the terms vanish together, they count as this part of their median: constants may be rounded in the text."""
TINY = 1e-280
"""A miss that is none: below it numbers lose their digits."""
SAFETY = 4
"""How much more than its estimate rounding may be."""
EPSILON = np.finfo(float).eps


def check_exact(problem: Problem, values: Mapping[sympy.Symbol, float], report: Report) -> None:
    """Every equation whose fields and learned parameters all have an exact value must hold for them.

    Args:
        values: the parameters that are known: of a learned one the exact value.
    """
    unknown = {symbol(parameter.name) for parameter in problem.learned if symbol(parameter.name) not in values}
    reported = _nowhere_finite(problem, values, report)
    for key, equation, condition in equations_with_keys(problem):
        residual = equation.residual
        if not isinstance(residual, sympy.Basic) or (condition is not None and condition.data):
            continue
        wanted = all_partials(residual)
        if any(partial.field not in problem.exact for partial in wanted):
            continue
        free = residual.free_symbols.union(*(problem.exact[partial.field].free_symbols for partial in wanted))
        if free & unknown:
            continue
        wrong = f"does not satisfy {_named(equation, condition)}"
        try:
            known = _ClosedForm(problem, equation, values)
            parts = weighted_samples(problem, equation, condition)
            tabled = isinstance(residual, sympy.Basic) and bool({str(one) for one in free} & set(problem.columns))
            misses = list(filter(None, (known.missed(part, condition is not None, tabled) for part in parts)))
        except NotRealError as error:
            report.add("exact", f"{wrong}: {error.message} ({key})", equation.text)
            continue
        except LanguageError as error:  # too large to differentiate
            report.warn("exact", f"is not checked against {key}: {error.message}")
            continue
        if not misses:
            continue
        miss = min(misses, key=lambda one: one.near)
        if miss.infinite is not None:
            if miss.infinite.field not in reported:
                reported.add(miss.infinite.field)
                x = problem.coordinates[0]
                report.add(
                    f"exact.{problem.unknown_of(miss.infinite.field)}",
                    f"{miss.infinite} is not finite at {miss.where} ({key}): write a form that is, such as "
                    f"where(abs({x}) < 1e-9, 1, sin({x})/{x})",
                )
        elif miss.near:
            report.warn(
                "exact",
                f"misses {_named(equation, condition)} by {miss.size:.3g} at {miss.where} ({key}): errors below that "
                "cannot be reached",
            )
        else:
            report.add("exact", f"{wrong}: the residual is {miss.size:.3g} at {miss.where} ({key})", equation.text)


def _nowhere_finite(problem: Problem, values: Mapping[sympy.Symbol, float], report: Report) -> set[str]:
    """The fields whose exact solution is not finite at most points of the domain, which is a mistake."""
    found = set()
    for field in problem.fields:
        (inputs,) = samples(problem, None, field.part)
        count = len(next(iter(inputs.values())))
        exact = problem.exact.get(field.name)
        if exact is None or exact.free_symbols & set(problem.values) - set(values):
            continue
        (computed,) = Program([exact])({**values, **inputs})
        rows = np.flatnonzero(~np.isfinite(np.broadcast_to(computed, count)))
        if 2 * len(rows) > count:
            found.add(field.name)
            where = f"at {len(rows)} of {count} points of the domain, such as {point(problem, inputs, rows[0])}"
            report.add(f"exact.{field.unknown}", f"is not finite {where}: no error could be measured there")
    return found


def check_smooth(problem: Problem, values: Mapping[sympy.Symbol, float], report: Report) -> None:
    """An exact solution that jumps, or one of whose derivatives does, below the order of an equation is a warning.

    Its highest derivative has a delta there, which the points of the other checks miss: abs(x) would solve u_xx = 0.
    """
    known = {str(name): (value, value) for name, value in values.items()}

    def inside(at: Mapping[str, np.ndarray]) -> np.ndarray:
        return solid.contains(np.stack([at[name] for name in problem.coordinates], axis=1))

    for equation in problem.equations:
        solid = problem.solid(equation.region)
        ranges = {**solid.bounds, **known}
        held = partials(equation.residual) if isinstance(equation.residual, sympy.Basic) else set()
        for partial in sorted((one for one in held if one.field in problem.exact), key=str):
            expr, lower = problem.exact[partial.field], Partial(partial.field, partial.coordinates)
            try:
                for name in partial.derivative:
                    jump = find_jump(expr, name, ranges, inside)
                    if jump is not None:
                        report.warn(
                            f"exact.{problem.unknown_of(partial.field)}",
                            f"{lower} jumps {jump.where}, and the equation '{equation.name}' holds {partial}: whether "
                            "it is solved there is not checked",
                        )
                        return
                    expr, lower = differentiate(expr, name), lower.differentiated(name)
            except LanguageError:  # too long, or no number: reported where the equations are checked
                continue


def _named(equation: Equation, condition: Condition | None) -> str:
    return f"the condition '{condition.origin}'" if condition is not None else f"the equation '{equation.name}'"


def exact_values(problem: Problem, report: Report) -> dict[sympy.Symbol, float]:
    """The value of each parameter; of a learned one the exact one, and none where it has none."""
    values = dict(problem.values)
    for parameter in problem.learned:
        del values[symbol(parameter.name)]
        if parameter.name in problem.exact:
            exact = float(Program([problem.exact[parameter.name]])(problem.values)[0])
            values[symbol(parameter.name)] = exact
            if not np.isfinite(exact) or exact not in parameter.bounds:
                described = parameter.bounds.description
                rule = f"kept {described}" if parameter.bounds else "a finite number"
                rule = "a positive number" if described == "positive" else rule
                report.add(f"exact.{parameter.name}", f"is {exact:g}, but the parameter is {rule}")
    return values


@dataclass(frozen=True)
class _Miss:
    """By how much an equation is missed, and where.

    `near`: a condition, or an equation that holds a table, by little of the field's size. `infinite`: what of the
    closed form is not finite there.
    """

    size: float
    where: str
    near: bool
    infinite: Partial | None


class _ClosedForm:
    """The exact solution's partial derivatives that an equation holds, as numbers."""

    def __init__(self, problem: Problem, equation: Equation, values: Mapping[sympy.Symbol, float]) -> None:
        wanted = sorted(partials(equation.residual), key=str)
        self._all = sorted(all_partials(equation.residual), key=str)
        plain = [Partial(one.field, one.coordinates, one.derivative) for one in self._all]
        here, everywhere = field_values(wanted, problem.exact), field_values(plain, problem.exact)
        self._problem = problem
        self._residual = equation.residual
        self._values = values
        self._wanted = wanted
        self._integrals = {one: substitute_fields(one, problem.exact) for one in integrals(equation.residual)}
        self._there = Program([here[one] for one in wanted])
        self._anywhere = Program([everywhere[one] for one in plain])
        self._program = Program([equation.residual, magnitude(equation.residual)])
        prescribed = _prescribed(equation.residual)
        self._given = Program([magnitude(prescribed)])
        self._held = Program([magnitude(equation.residual - prescribed)])

    def missed(self, inputs: Mapping[sympy.Symbol, np.ndarray], condition: bool, tabled: bool) -> _Miss | None:
        """The residual farthest above what is allowed, and where it is; None where there is none.

        Allowed is a part of the equation's terms at the point, and what rounding may have left of them, unless that is
        all of them (tan at a pole). Where a condition prescribes zero, its term is the field itself: then it is a part
        of the field's size in the domain.
        """
        count = len(next(iter(inputs.values())))
        read = {**self._values, **inputs}
        errors = {key: EPSILON * abs(value) for key, value in self._values.items()}
        at = dict(zip(self._wanted, self._there.bounded(read, errors), strict=True))
        numbers = read | {partial: value for partial, (value, _) in at.items()}
        errors |= {partial: error for partial, (_, error) in at.items()}
        for integral, known in self._integrals.items():
            numbers[integral], errors[integral] = cast(Any, precise_value(self._problem, known, read))
        pairs = self._program.bounded(numbers, errors)
        (total, rounding), (size, _) = ([np.broadcast_to(np.abs(part), count) for part in pair] for pair in pairs)
        full = np.broadcast_to(self._program(read | self._sizes())[1], count)
        scale = np.fmax(size, NEAR_ZERO * _finite(np.median, size))
        ((given, noise),) = self._given.bounded(numbers, errors)
        if condition and np.all(given <= SAFETY * noise):
            scale = np.fmax(scale, full)
        largest = max(_finite(np.max, size), _finite(np.max, full))
        allowed = TOLERANCE * scale + np.fmin(SAFETY * rounding, TOLERANCE * largest) + TINY
        held = np.isfinite(total) & (total <= allowed)
        if np.all(held):
            return None
        worst = int(np.argmax(np.where(held, -1.0, np.where(np.isfinite(total), total, np.inf))))
        most = np.broadcast_to(self._held(read | self._sizes())[0], count)[worst]
        broken = (one for one in self._wanted if not np.isfinite(np.broadcast_to(numbers[one], count)[worst]))
        return _Miss(
            size=float(total[worst]),
            where=point(self._problem, inputs, worst),
            near=(condition or tabled) and bool(total[worst] <= FAR * most),
            infinite=min(broken, key=lambda one: len(one.derivative), default=None),
        )

    def _sizes(self) -> dict[sympy.Basic, float]:
        """The largest size of each partial derivative and integral in the domain, of a field of a part in that."""
        parts = {one.name: one.part for one in self._problem.fields}
        sizes: dict[sympy.Basic, float] = {}
        for part in {parts[one.field] for one in self._all}:
            (inside,) = samples(self._problem, None, part)
            found = self._anywhere({**self._values, **inside})
            for partial, value in zip(self._all, found, strict=True):
                if parts[partial.field] == part:
                    sizes[partial] = float(np.max(np.abs(value), where=np.isfinite(value), initial=0.0))
        (inside,) = samples(self._problem, None)
        read: dict[sympy.Basic, Any] = {**self._values, **inside}
        for integral in self._integrals:
            most = integral_value(self._problem, integral.of(magnitude(integral.body)), read | sizes)[1]
            sizes[integral] = float(np.max(most, where=np.isfinite(most), initial=0.0))
        return sizes


def _finite(what: Callable[[np.ndarray], Any], sizes: np.ndarray) -> float:
    """The median or the largest of those that are finite, 0 without any."""
    finite = sizes[np.isfinite(sizes)]
    return float(what(finite)) if len(finite) else 0.0


def _prescribed(expr: sympy.Expr) -> sympy.Expr:
    """The terms that hold no field."""
    return sympy.Add(*(term for term in sympy.Add.make_args(expr) if not all_partials(term)))


def magnitude(expr: sympy.Expr) -> sympy.Expr:
    """The sum of the sizes of an expression's terms: what they would add up to if none cancelled another."""
    if expr.is_Add:
        return sympy.Add(*map(magnitude, expr.args))
    if expr.is_Mul:
        return sympy.Mul(*map(magnitude, expr.args))
    if expr.is_Pow and expr.exp.is_Number and expr.exp > 0:
        return magnitude(expr.base) ** expr.exp
    return absolute(expr)
