"""Checks of hard conditions before training: that they agree where they meet, and that their ansatz is smooth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import cast

import numpy as np
import sympy

from pinnkit.domains.shape import Shape
from pinnkit.language.calculus import Partial, differentiate, partials, symbol
from pinnkit.language.errors import LanguageError, Report
from pinnkit.language.evaluate import Program
from pinnkit.language.jumps import find_jump
from pinnkit.language.linear import NotLinearError, coefficients
from pinnkit.problem.at import random_points
from pinnkit.problem.hard.ansatz import Ansatz, ansatz_of
from pinnkit.problem.hard.prescribed import SOFT
from pinnkit.problem.parts import Condition
from pinnkit.problem.places import point, samples
from pinnkit.problem.problem import Problem

AGREE = 1e-12
"""How far two values may differ where they meet, relative to the field's size."""
ROUNDING = 1e-9
"""How far from zero a factor may be on a shape, whose distance is made of those of up to forty edges by roots."""
SEAM = 1e-6
"""How far G may miss its period, relative to its size."""
FAR = 1e-6
"""From which difference, relative to the field's size, a soft condition contradicts a hard one."""
LARGE = 10.0
"""From which size of G inside, relative to what is prescribed, a warning is given."""
COUNT = 512
"""Points of a place that are looked at."""


def check_hard(problem: Problem, report: Report) -> None:
    """Every check of the hard conditions; an ansatz is looked at where the values agree."""
    former = len(report.mistakes)
    made = ansatz_of(problem, report)
    for ansatz in made.values():
        with report.at(ansatz.parts[0].key):  # where a derivative grows too long
            size = _size(problem, ansatz)
            if _agree(problem, ansatz, size, report) and _holds(problem, ansatz, size, report):
                _check_smooth(problem, ansatz, report)
                _check_periods(problem, ansatz, report)
    if len(report.mistakes) == former:
        _check_soft(problem, made, report)


def _computed(problem: Problem, expression: sympy.Expr, points: np.ndarray) -> np.ndarray:
    """An expression in the coordinates at points (n, d), (n,)."""
    inputs = {symbol(name): points[:, index] for index, name in enumerate(problem.coordinates)}
    (values,) = Program([expression])({**problem.values, **inputs})
    return np.broadcast_to(np.asarray(values, dtype=float), len(points))


def _at(problem: Problem, points: np.ndarray, row: int) -> str:
    return point(problem, {symbol(name): points[:, index] for index, name in enumerate(problem.coordinates)}, row)


def _size(problem: Problem, ansatz: Ansatz) -> float:
    """The largest value that is prescribed to the field; 1 where all are zero."""
    found = [_computed(problem, one.value, random_points(one.place, COUNT)) for one in ansatz.parts if not one.slope]
    largest = max((float(np.max(np.abs(one), where=np.isfinite(one), initial=0.0)) for one in found), default=0.0)
    return largest or 1.0


# ---------------------------------------------------------------- where they meet


def _agree(problem: Problem, ansatz: Ansatz, size: float, report: Report) -> bool:
    """Whether all values are finite, and any two agree where their places meet."""
    for one in ansatz.parts:
        points = random_points(one.place, COUNT)
        wrong = np.flatnonzero(~np.isfinite(_computed(problem, one.value, points)))
        if len(wrong):
            report.add(one.key, f"gives {one.text}, which is no finite number at {_at(problem, points, wrong[0])}")
            return False
    for first, second in combinations(sorted(ansatz.parts, key=lambda one: one.slope), 2):
        value, name = first.value, first.field.name
        if second.slope and not first.slope:
            if problem.time not in first.place.free:
                continue
            value, name = differentiate(value, problem.time), f"{name}_{problem.time}"
        points = _meeting(problem, first.place, second.place)
        pair = [_computed(problem, expression, points) for expression in (value, second.value)]
        gap = np.abs(pair[0] - pair[1])
        if len(points) and gap.max() > AGREE * size:
            row = int(gap.argmax())
            report.add(
                second.key,
                f"gives {name} = {pair[1][row]:.6g} at {_at(problem, points, row)}, where the hard condition "
                f"'{first.condition}' gives {pair[0][row]:.6g}, {gap[row]:.3g} away: both cannot hold exactly, so "
                "leave hard out of one, or give values that agree",
            )
            return False
    return True


def _meeting(problem: Problem, first: Shape, second: Shape) -> np.ndarray:
    """Points (n, d) of both places: some of each, moved to the coordinates that the other fixes, and end points."""
    slack = AGREE * (problem.domain.upper - problem.domain.lower)
    found = []
    for one, other in ((first, second), (second, first)):
        points = np.concatenate([random_points(one, COUNT), one.ends])
        for name, value in other.fixed.items():
            points[:, problem.coordinates.index(name)] = value
        found.append(points[one.contains(points, slack) & other.contains(points, slack)])
    return np.concatenate(found)


# ---------------------------------------------------------------- the ansatz


def _holds(problem: Problem, ansatz: Ansatz, size: float, report: Report) -> bool:
    """Whether G and D are finite in the domain, D nowhere zero inside, and both are right where values are given."""
    points = random_points(problem.domain, 4 * COUNT)
    lift, factor = (_computed(problem, one, points) for one in (ansatz.lift, ansatz.factor))
    wrong = np.flatnonzero(~(np.isfinite(lift) & np.isfinite(factor) & (factor != 0)))
    key = ansatz.parts[0].key
    if len(wrong):
        where, name = _at(problem, points, wrong[0]), ansatz.field
        report.add(key, f"the values of {name}, continued into the domain, are no finite number at {where}: {SOFT}")
        return False
    largest = int(np.abs(lift).argmax())
    if abs(lift[largest]) > LARGE * size:
        at = f"{abs(lift[largest]):.3g} in size at {_at(problem, points, largest)}"
        rule = f"they are at most {size:.3g} where they are prescribed: write an expression that stays of that size"
        report.warn(key, f"the values of {ansatz.field}, continued into the domain, are {at}, and {rule}")
    for one in ansatz.parts:
        points = random_points(one.place, COUNT)
        pair = (ansatz.lift, ansatz.factor)
        if one.slope:
            pair = tuple(differentiate(part, cast(str, problem.time)) for part in pair)
        lift, factor = (_computed(problem, part, points) for part in pair)
        miss = np.fmax(np.abs(lift - _computed(problem, one.value, points)) / size, np.abs(factor))
        bad = np.flatnonzero(~(miss <= ROUNDING))
        if len(bad):
            what = f"{one.text} at {_at(problem, points, bad[0])} cannot be met together with the other hard conditions"
            report.add(one.key, f"{what} of {ansatz.field} (a miss of {miss[bad[0]]:.3g}): {SOFT}")
            return False
    return True


def _orders(problem: Problem, field: str) -> Iterator[tuple[str, Partial]]:
    """The partial derivatives of the field that equations hold, with the names of these."""
    for equation in problem.equations:
        held = partials(equation.residual) if isinstance(equation.residual, sympy.Basic) else set()
        yield from ((equation.name, one) for one in sorted(held, key=str) if one.field == field)


def _check_smooth(problem: Problem, ansatz: Ansatz, report: Report) -> None:
    """Values with a kink would put a delta into the equations at all points, and not at the condition alone."""
    for equation, partial in _orders(problem, ansatz.field):
        expr, lower = ansatz.lift, Partial(partial.field, partial.coordinates)
        try:
            for name in partial.derivative:
                jump = find_jump(expr, name, problem.domain.bounds)
                if jump is not None:
                    kink = f"the values have a kink that goes on into the domain: {lower} jumps {jump.where}"
                    report.add(ansatz.parts[0].key, f"{kink}, and the equation '{equation}' holds {partial}; {SOFT}")
                    return
                expr, lower = differentiate(expr, name), lower.differentiated(name)
        except LanguageError:  # too long to look at
            continue


def _check_periods(problem: Problem, ansatz: Ansatz, report: Report) -> None:
    """G and D must have the periods of the network, with all derivatives below the order of the equations."""
    for name in problem.periods(ansatz.parts[0].field):
        order = max([1, *(one.derivative.count(name) for _, one in _orders(problem, ansatz.field))])
        ends = [random_points(problem.domain, COUNT) for _ in range(2)]
        for points, end in zip(ends, problem.domain.bounds[name], strict=True):
            points[:, problem.coordinates.index(name)] = end
        for expr in (ansatz.lift, ansatz.factor):
            for count in range(order):
                derivative = differentiate(expr, *(name,) * count)
                pair = [_computed(problem, derivative, points) for points in ends]
                size = max(np.abs(_computed(problem, derivative, random_points(problem.domain, COUNT))).max(), 1e-300)
                gap = np.abs(pair[0] - pair[1])
                if not gap.max() <= SEAM * size:
                    row, what = int(gap.argmax()), Partial(ansatz.field, (name,), (name,) * count)
                    report.add(
                        ansatz.parts[0].key,
                        f"{ansatz.field} is periodic in {name}, and the values are not: {what} jumps by {gap[row]:.3g} "
                        f"from one end to the other at {_at(problem, ends[0], row)}; {SOFT}",
                    )
                    return


def _check_soft(problem: Problem, made: Mapping[str, Ansatz], report: Report) -> None:
    """A soft condition that gives another value where a hard one holds is a warning; one that holds a derivative where
    D has none is a mistake."""
    for condition in problem.soft_conditions:
        for equation in condition.equations:
            held = list(partials(equation.residual)) if isinstance(equation.residual, sympy.Basic) else []
            for partial in held:
                if partial.field in made and partial.derivative and not partial.at and not condition.data:
                    _check_slope(problem, made[partial.field], partial, condition, report)
            if len(held) != 1 or held[0].derivative or held[0].at or held[0].field not in made or condition.data:
                continue
            try:
                (factor,), rest = coefficients(equation.residual, held)
            except (NotLinearError, LanguageError):
                continue
            if factor == 0 or not rest.free_symbols <= {*map(symbol, problem.coordinates), *problem.values}:
                continue
            for inputs in samples(problem, condition):
                points = np.stack([inputs[symbol(name)] for name in problem.coordinates], axis=1)
                message = _contradicts(problem, made[held[0].field], -rest / factor, points)
                if message:
                    report.warn(f"conditions.{condition.origin}", message)
                    break


def _check_slope(problem: Problem, ansatz: Ansatz, partial: Partial, condition: Condition, report: Report) -> None:
    """D has no derivative on a trimmed part of a boundary, where it is the size of a distance."""
    try:
        slope = differentiate(ansatz.factor, *partial.derivative)
    except LanguageError:  # too long to look at
        return
    for inputs in samples(problem, condition):
        points = np.stack([inputs[symbol(name)] for name in problem.coordinates], axis=1)
        wrong = np.flatnonzero(~np.isfinite(_computed(problem, slope, points)))
        if len(wrong):
            rule = f"'{ansatz.parts[0].condition}' is hard and its distance has no such derivative on a part of a face"
            report.add(f"conditions.{condition.origin}", f"holds {partial} at {_at(problem, points, wrong[0])}: {rule}")
            return


def _contradicts(problem: Problem, ansatz: Ansatz, value: sympy.Expr, points: np.ndarray) -> str:
    """Where a value differs from what is prescribed, as a message; "" where it does not."""
    for one in ansatz.parts:
        inside = points[one.place.contains(points, AGREE)] if not one.slope else points[:0]
        if not len(inside):
            continue
        pair = [_computed(problem, expression, inside) for expression in (value, one.value)]
        gap, size = np.abs(pair[0] - pair[1]), max(np.abs(part).max() for part in pair)
        row = int(gap.argmax())
        if gap[row] > FAR * size:
            where, name = _at(problem, inside, row), ansatz.field
            return (
                f"asks for {name} = {pair[0][row]:.4g} at {where}, where the hard condition '{one.condition}' gives "
                f"{pair[1][row]:.4g}: its loss cannot fall to zero"
            )
    return ""
