"""Slabs of time: where the features of one are not zero, and which points lie in it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

from pinnkit.domains.shape import Shape
from pinnkit.language.calculus import partials, symbol
from pinnkit.language.integral import Integral, all_partials
from pinnkit.problem.problem import Problem
from pinnkit.sampling.settings import unit_points

FEWEST = 100
"""Points of a group at least."""


@dataclass(frozen=True)
class Slab:
    """lower <= t < upper; the first one reaches back, and the last one ahead, without an end.

    Attributes:
        axis: the index of t.
        first, last: whether it holds the start and the end of the domain.
    """

    axis: int
    lower: float
    upper: float
    first: bool
    last: bool

    @property
    def width(self) -> float:
        return self.upper - self.lower

    @property
    def interval(self) -> tuple[int, float, float]:
        """Where features are not zero."""
        return self.axis, -math.inf if self.first else self.lower, math.inf if self.last else self.upper

    def share(self, problem: Problem) -> float:
        """Its width as a share of the whole time."""
        return self.width / float(problem.domain.upper[self.axis] - problem.domain.lower[self.axis])

    def holds(self, points: Any) -> Any:
        """Mask (n,) of the points (n, d), an array or a tensor, in it."""
        _, lower, upper = self.interval
        return (points[:, self.axis] >= lower) & (points[:, self.axis] < upper)

    def squeeze(self, problem: Problem, points: np.ndarray) -> None:
        """Move points (n, d) of the whole time into it."""
        begin = float(problem.domain.lower[self.axis])
        points[:, self.axis] = self.lower + (points[:, self.axis] - begin) * self.share(problem)

    def instant(self, problem: Problem, place: Shape) -> bool:
        """Whether a place is at one time."""
        lower, upper = place.bounds.get(problem.coordinates[self.axis], (-math.inf, math.inf))
        return bool(lower == upper)

    def cut(self, lower: Sequence[float], upper: Sequence[float]) -> tuple[list[float], list[float]]:
        """The part of a box that lies in it."""
        lower, upper = list(lower), list(upper)
        lower[self.axis], upper[self.axis] = self.lower, self.upper
        return lower, upper


def time_orders(problem: Problem) -> list[int]:
    """Of each field the order of its highest derivative by time in the equations."""
    found = dict.fromkeys((one.name for one in problem.fields), 0)
    for equation in problem.equations:
        if not callable(equation.residual):
            for partial in all_partials(equation.residual):
                found[partial.field] = max(found[partial.field], partial.derivative.count(problem.time))
    return list(found.values())


def start_points(problem: Problem, slab: Slab, count: int, seed: int) -> np.ndarray:
    """Points (n, d) of the domain at the start of a slab."""
    domain = problem.domain
    if len(problem.coordinates) == 1:
        return np.array([[slab.lower]])
    points = domain.draw(count, lambda drawn: unit_points("sobol", drawn, domain.dimension, seed, "start"))
    points[:, slab.axis] = slab.lower
    return points[domain.contains(points)]


def initial_value_problem(problem: Problem) -> str:
    """Why a problem cannot be solved in slabs of time; "": it can."""
    if problem.time is None:
        return "it has no time"
    axis = problem.coordinates.index(problem.time)
    begin = float(problem.domain.lower[axis])
    if problem.learned:
        return "learned numbers belong to all times"
    if any(problem.time in problem.periods(one) for one in problem.fields):
        return "it is periodic in time"
    if any(problem.time not in one.coordinates for one in problem.fields):
        return "a field does not depend on time"
    equations = [*problem.equations, *(one for condition in problem.conditions for one in condition.equations)]
    if any(callable(one.residual) for one in equations):
        return "which times an equation in Python reads is not known"
    for condition in problem.conditions:
        for place in condition.places:
            lower, upper = place.bounds.get(problem.time, (-math.inf, math.inf))
            if lower == upper > begin:
                return f"the condition '{condition.name}' holds at a later time"
    for one in equations:
        for at in later_times(problem, one.residual):
            if not earlier(problem, at, begin):
                return f"'{one.name}' reads another time, {at}"
    if not any(time_orders(problem)):
        return "no equation has a derivative by time"
    return ""


def later_times(problem: Problem, residual: sympy.Expr) -> list[sympy.Expr]:
    """The times other than that of the point which an expression reads."""
    found = [dict(one.at)[problem.time] for one in partials(residual) if problem.time in dict(one.at)]
    for one in residual.atoms(Integral):
        if problem.time in one.names or one.region:
            found.append(one.upper if not one.region and problem.time in one.names else sympy.oo)
    return found


def earlier(problem: Problem, at: sympy.Expr, begin: float) -> bool:
    """Whether a time is the start, or not behind that of the point."""
    now = symbol(str(problem.time))
    at = at.xreplace({symbol(one.name): sympy.Float(one.value) for one in problem.parameters})
    if at.is_number:
        return bool(at <= begin)
    late = at - now
    return bool(late.is_number and late <= 0)


def on_side(problem: Problem, each: float) -> int:
    """Points of a condition, by the number of coefficients of each field."""
    return max(FEWEST, math.ceil(each * (0.5 if len(problem.coordinates) <= 2 else 0.8)))
