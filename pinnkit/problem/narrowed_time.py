"""Problems narrowed to a window of time, and why some cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import sympy

from pinnkit.domains.box import Box
from pinnkit.domains.product import Product
from pinnkit.domains.shape import Shape
from pinnkit.language.calculus import Partial, symbol
from pinnkit.problem.parts import Condition, Equation
from pinnkit.problem.problem import Problem

START = "window_start"
"""The condition at the start of each window but the first, and the beginning of the names of its terms."""


class TimeDependentShape(ValueError):
    """A shape that is no product of an interval of time with a shape in the other coordinates."""


def cut(place: Shape, time: str, lower: float, upper: float) -> Shape:
    """The part of a place at the times from `lower` to `upper`.

    Raises:
        TimeDependentShape: it changes with time.

    >>> cut(Box({"x": (0.0, 1.0), "t": (0.0, 8.0)}), "t", 2.0, 3.0).bounds["t"]
    (2.0, 3.0)
    """
    if time not in place.coordinates:
        return place
    if isinstance(place, Product):
        return Product(tuple(cut(factor, time, lower, upper) for factor in place.factors), place.order)
    if not isinstance(place, Box):
        raise TimeDependentShape(f"{place.description} changes with time")
    ends = {name: (lower, upper) if name == time else one for name, one in place.bounds.items()}
    return Box(ends, place.normal, place.logarithmic)


def at_start(problem: Problem, condition: Condition) -> bool:
    """Whether a condition holds at the start of time alone."""
    begin = float(problem.domain.bounds[str(problem.time)][0])
    ends = [place.bounds.get(str(problem.time)) for place in condition.places]
    return bool(ends) and all(one == (begin, begin) for one in ends)


def start_terms(problem: Problem, orders: Mapping[str, int]) -> tuple[Equation, ...]:
    """What takes the place of the start conditions: each field, and its derivatives by time below the order that the
    equations have, equal those at the end of the window before: columns of the points, named as the terms.

    The weight is the largest that the start conditions have where that is a number; else 1.
    """
    known = [one.weight for each in problem.conditions if at_start(problem, each) for one in each.equations]
    weight = max((one for one in known if one.is_number), default=sympy.S.One)
    time, found = str(problem.time), []
    for field in problem.fields:
        for order in range(orders[field.name]):
            partial = Partial(field.name, field.coordinates, (time,) * order)
            name = f"{START}_{field.name}{'_' + time * order if order else ''}"
            text = f"{partial} is that at the end of the window before"
            found.append(Equation(name, text, partial - symbol(name), weight))
    return tuple(found)


def narrowed_to(problem: Problem, lower: float, upper: float, start: tuple[Equation, ...]) -> Problem:
    """The problem at the times from `lower` to `upper`.

    Args:
        start: in the place of the start conditions; (): they stay, as in the first window.

    Raises:
        TimeDependentShape: the domain, a region or the place of a condition changes with time.
    """
    time = str(problem.time)
    conditions = []
    for one in problem.conditions:
        if not at_start(problem, one):
            conditions.append(replace(one, places=tuple(cut(place, time, lower, upper) for place in one.places)))
        elif not start:
            conditions.append(one)
    if start:
        conditions.append(Condition(START, start, (cut(problem.domain, time, lower, lower),)))
    return problem.replace(
        domain=cut(problem.domain, time, lower, upper),
        regions={name: cut(one, time, lower, upper) for name, one in problem.regions.items()},
        conditions=tuple(conditions),
    )
