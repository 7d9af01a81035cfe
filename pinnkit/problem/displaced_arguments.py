"""Check that fields evaluated elsewhere, as in u(t=t-1), are so within the domain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import sympy

from pinnkit.domains.product import Product
from pinnkit.domains.shape import Shape
from pinnkit.language.calculus import Partial, partials, symbol
from pinnkit.language.errors import Report
from pinnkit.language.evaluate import Program
from pinnkit.language.integral import Integral
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
        for partial in _displaced(equation):
            for names, shape in _regions(problem, partial):
                _check(problem, equation, condition, key, partial, names, shape, report)


def _displaced(equation: Equation) -> Iterator[Partial]:
    for expr in (equation.residual, equation.weight):
        if isinstance(expr, sympy.Basic):
            yield from (partial for partial in sorted(partials(expr), key=str) if partial.at)


def _regions(problem: Problem, partial: Partial) -> Iterator[tuple[tuple[str, ...], Shape | None]]:
    """The displaced coordinates that are judged together, by a shape, or each by its range (None).

    A shape says nothing of a field that has some of its coordinates only.
    """
    (field,) = [field for field in problem.fields if field.name == partial.field]
    names, own = [name for name, _ in partial.at if name not in problem.periods(field)], field.coordinates
    part = field.part
    domain = problem.solid(part)
    for factor in domain.factors if isinstance(domain, Product) else (domain,):
        inside = tuple(name for name in names if name in factor.coordinates)
        if inside and (part or not factor.fills_bounds) and set(factor.coordinates) <= set(own):
            yield inside, factor
        else:
            yield from (((name,), None) for name in inside)


def _check(
    problem: Problem,
    equation: Equation,
    condition: Condition | None,
    key: str,
    partial: Partial,
    names: Sequence[str],
    shape: Shape | None,
    report: Report,
) -> None:
    values = dict(partial.at)
    total, outside, example = 0, 0, ""
    for inputs in weighted_samples(problem, equation, condition):
        count = len(next(iter(inputs.values())))
        places = _coordinates(problem, partial, names if shape is None else shape.coordinates, inputs, count)
        away = _outside(problem, places, shape)
        rows = np.flatnonzero(away & _used(problem, equation, partial, inputs)) if away.any() else np.array([], int)
        if len(rows) and not example:
            constant = ", ".join(f"{name} = {places[name][rows[0]]:.4g}" for name in names)
            example = f"{constant} from {point(problem, inputs, rows[0])}"
        total, outside = total + count, outside + len(rows)
    if not outside:
        return
    part = next(one.part for one in problem.fields if one.name == partial.field)
    domain = f"outside {part or 'the domain'}" + (
        " [{:g}, {:g}]".format(*problem.domain.bounds[names[0]]) if shape is None else ""
    )
    read, learned = (
        set().union(*(values[name].free_symbols for name in names)),
        {symbol(p.name) for p in problem.learned},
    )
    known = read <= set(problem.values) - learned
    if known and (shape is None or outside == total):
        report.add(key, f"evaluates {partial} at {constant}, {domain}, where nothing trains the network")
    elif outside == total and not read & learned:
        report.add(key, f"evaluates {partial} {domain} from every point, such as {example}")
    else:
        share = f"{100 * outside / total:.3g} % of its points, such as {example}"
        report.warn(key, f"evaluates {partial} {domain} for {share}: nothing trains the network there")


def _coordinates(
    problem: Problem, partial: Partial, names: Iterable[str], inputs: Mapping[sympy.Symbol, np.ndarray], count: int
) -> dict[str, np.ndarray]:
    """These coordinates (n,) of the places of evaluation."""
    values = dict(partial.at)
    found = Program([values.get(name, symbol(name)) for name in names])({**problem.values, **inputs})
    return {name: np.broadcast_to(one, count) for name, one in zip(names, found, strict=True)}


def _outside(problem: Problem, places: Mapping[str, np.ndarray], shape: Shape | None) -> np.ndarray:
    """Mask (n,) of the places outside a shape, or outside the range of their coordinate."""
    bounds = np.array([problem.domain.bounds[name] for name in places])
    slack, points = SLACK * (bounds[:, 1] - bounds[:, 0]), np.stack(list(places.values()), axis=1)
    if shape is not None:
        return ~shape.contains(points, slack)
    return ~((points >= bounds[:, 0] - slack) & (points <= bounds[:, 1] + slack)).all(axis=1)


def _used(
    problem: Problem, equation: Equation, partial: Partial, inputs: Mapping[sympy.Symbol, np.ndarray]
) -> np.ndarray:
    """Mask (n,) of the points where the equation depends on this value, which where(...) may not ask for."""
    count = len(next(iter(inputs.values())))
    exprs = [one for one in (equation.residual, equation.weight) if isinstance(one, sympy.Basic)]
    program = Program(exprs)
    used = np.full(count, False)
    for size in SIZES:  # fields may decide in a where(...)
        held = set().union(*map(partials, exprs), *(one.atoms(Integral) for one in exprs))
        read = {**problem.values, **inputs, **dict.fromkeys(held, size)}
        known = program(read)
        for other in (np.nan, *SIZES):
            found = program({**read, partial: np.full(count, other)})
            for one, new in zip(known, found, strict=True):
                used |= ~np.broadcast_to((one == new) | (np.isnan(one) & np.isnan(new)), count)
    return used
