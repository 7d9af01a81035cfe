"""Checks of the integrals in a problem's equations: where they are taken, and how precisely."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

import numpy as np
import sympy

from pinnkit.language.calculus import Partial, partials, substitute_fields, symbol
from pinnkit.language.errors import LanguageError, Report
from pinnkit.language.evaluate import Program
from pinnkit.language.integral import Integral, all_partials, bound_symbol, integrals
from pinnkit.problem.integrals import Quadrature, integral_value, order_along
from pinnkit.problem.parts import Condition, Equation
from pinnkit.problem.places import equations_with_keys, point, samples, weighted_samples
from pinnkit.problem.problem import Problem

SLACK = 1e-9
"""How far outside the domain a node may lie, relative to the ranges of the coordinates."""
TOLERANCE = 1e-6
"""Change by twice the nodes along each coordinate, relative to the integral of the size, from which on there is a
warning."""


def _held(problem: Problem) -> Iterator[tuple[str, Equation, Condition | None, Integral]]:
    for key, equation, condition in equations_with_keys(problem):
        if isinstance(equation.residual, sympy.Basic):
            for one in integrals(equation.residual):
                yield key, equation, condition, one


def check_integrals(problem: Problem, report: Report) -> None:
    """An integral must have known bounds in the domain, and in an equation must not ask for the future."""
    learned = {symbol(one.name) for one in problem.learned}
    for key, equation, condition, integral in _held(problem):
        bounds = [one for one in (integral.lower, integral.upper) if one is not None]
        open_ones = set().union(*(one.free_symbols for one in bounds)) & learned
        if open_ones:
            message = f"has a bound with {min(map(str, open_ones))}, which is learned: bounds must be known"
            report.add(key, f"{message}, in {integral}", equation.text)
            continue
        for inputs in weighted_samples(problem, equation, condition):
            message = _places_mistake(problem, integral, inputs, condition is None)
            if message:
                report.add(key, message, equation.text)
                break


def _places_mistake(
    problem: Problem, integral: Integral, inputs: Mapping[sympy.Symbol, np.ndarray], is_equation: bool
) -> str:
    """What is wrong with where an integral reads fields, or an empty text."""
    read = {**problem.values, **{name: column[:, None] for name, column in inputs.items()}}
    count = len(next(iter(inputs.values())))
    if integral.region:
        read |= Quadrature(problem, integral).nodes(read)[0]
    else:
        lower, upper = (np.broadcast_to(one, (count, 1)) for one in Program([integral.lower, integral.upper])(read))
        bad = np.flatnonzero(~np.isfinite(lower + upper))
        if len(bad):
            return f"{integral} has a bound that is no finite number at {point(problem, inputs, bad[0])}"
        read[integral.variables[0]] = lower + (upper - lower) * np.linspace(0.0, 1.0, 21)
    nodes = np.shape(cast(np.ndarray, read[integral.variables[0]]))[1]
    for partial in sorted(partials(integral.body), key=str):
        part = next(one.part for one in problem.fields if one.name == partial.field)
        at = {name: value for name, value in partial.at if not integral.region or value != bound_symbol(name)}
        if not at and not part:
            continue
        names, values = tuple(partial.coordinates), dict(partial.at)
        places = Program([values.get(name, symbol(name)) for name in names])(read)
        spread = {name: np.broadcast_to(one, (count, nodes)) for name, one in zip(names, places, strict=True)}
        moved = tuple(at or values)
        away = _outside(problem, spread, moved, partial.field)
        if away.any():
            away &= _asked(integral, partial, read, away.shape)
        if away.any():
            row, column = (int(one[0]) for one in np.nonzero(away))
            where = ", ".join(f"{name} = {spread[name][row, column]:.4g}" for name in moved)
            start = f"{integral} leaves {part or 'the domain'}: at {point(problem, inputs, row)} it evaluates"
            return f"{start} {partial.field} at {where}, where nothing trains the network"
        time = problem.time
        begins = is_equation and time is not None and time in at and _begins(problem)
        if begins and time is not None and set(integral.variables) & at[time].free_symbols:
            slack = SLACK * (problem.domain.bounds[time][1] - problem.domain.bounds[time][0])
            later = spread[time] > inputs[symbol(time)][:, None] + slack
            if later.any():
                row, column = (int(one[0]) for one in np.nonzero(later))
                seen = f"at {point(problem, inputs, row)} it evaluates {partial.field} at {time} = "
                return (
                    f"{integral} reaches into the future: {seen}{spread[time][row, column]:.4g}, which the start "
                    f"cannot determine; integrate up to {time}, or write it as a condition"
                )
    return ""


def _asked(integral: Integral, partial: Partial, read: Mapping[sympy.Basic, Any], shape: tuple[int, ...]) -> np.ndarray:
    """Mask (n, q) of the nodes at which the body depends on this value, which where(...) may not ask for."""
    program = Program([integral.body])
    known = {**read, **dict.fromkeys(partials(integral.body), 1.0)}
    with np.errstate(all="ignore"):
        (value,), (without,) = program(known), program({**known, partial: np.full(shape, np.nan)})
    return np.broadcast_to(np.isnan(without) & ~np.isnan(value), shape)


def _begins(problem: Problem) -> bool:
    """Whether a condition holds at the start of time."""
    assert problem.time is not None
    start = problem.domain.bounds[problem.time][0]
    return any(place.fixed.get(problem.time) == start for one in problem.conditions for place in one.places)


def _outside(problem: Problem, places: Mapping[str, np.ndarray], moved: tuple[str, ...], field: str) -> np.ndarray:
    """Mask (n, q) of the places outside the domain, or the field's part of it; a periodic coordinate has no outside."""
    (one,) = (one for one in problem.fields if one.name == field)
    solid, periodic = problem.solid(one.part), problem.periods(one)
    slack = SLACK * (problem.domain.upper - problem.domain.lower)
    found = np.zeros(places[moved[0]].shape, dtype=bool)
    for name in moved:
        if name not in periodic:
            (lower, upper), free = solid.bounds[name], slack[solid.coordinates.index(name)]
            found |= (places[name] < lower - free) | (places[name] > upper + free)
    if solid.fills_bounds or set(places) != set(solid.coordinates) or set(moved) & set(periodic):
        return found
    points = np.stack([places[name].ravel() for name in solid.coordinates], axis=1)
    return found | ~solid.contains(points, slack).reshape(found.shape)


def check_quadrature(problem: Problem, values: Mapping[sympy.Symbol, float], report: Report) -> None:
    """Compare each integral with that by twice the nodes along each coordinate, for the exact solution or, without one,
    for a smooth function; a difference is a warning."""
    if report.mistakes:
        return
    trial = _trial(problem)
    for key, _, condition, integral in _held(problem):
        fields = {one.field for one in all_partials(integral)}
        known = fields <= set(problem.exact) and problem.exact
        solution = {name: problem.exact[name] for name in fields} if known else trial
        what = "the exact solution" if known and fields else "a smooth function" if fields else "it"
        try:
            closed = substitute_fields(integral, solution)
        except LanguageError:  # too long, or no number: reported elsewhere
            continue
        change = 0.0
        for inputs in samples(problem, condition):
            read = {**problem.values, **values, **inputs}
            (coarse, _), (fine, size) = (integral_value(problem, closed, read, refined) for refined in (1, 2))
            if np.isfinite(size).all() and size.max() > 0:
                change = max(change, float(np.abs(fine - coarse).max() / size.max()))
        if change > TOLERANCE:
            report.warn(key, doubted(problem, integral, change, what))


def doubted(problem: Problem, integral: Integral, change: float, what: str) -> str:
    """What is said of an integral that twice the nodes change."""
    rule = Quadrature(problem, integral)
    dimension = 1 if not integral.region else len(integral.names) - integral.rim
    more = 2 * order_along(problem, dimension)
    return (
        f"{integral} by {rule.count} nodes is off by about {change:.1g} of its size for {what}: more are asked for by "
        f"quadrature: {more}"
    )


def _trial(problem: Problem) -> dict[str, sympy.Expr]:
    """A smooth function of the coordinates for each field: 1 + the product of cos(2 z + 1/2), z from -1 to 1."""
    factors = {}
    for name in problem.coordinates:
        lower, upper = problem.domain.bounds[name]
        z = (2 * symbol(name) - (lower + upper)) / (upper - lower)
        factors[name] = sympy.cos(2 * z + sympy.S.Half)
    return {one.name: 1 + sympy.Mul(*(factors[name] for name in one.coordinates)) for one in problem.fields}
