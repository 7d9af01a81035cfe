"""Every equation with its key, and points at which it can be looked at before training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import sympy

from pinnkit.language.calculus import normal_symbol, symbol
from pinnkit.problem.conditions import inside, spread
from pinnkit.problem.problem import Condition, Equation, Problem

POINTS = 200
"""How many random points of each place are looked at."""


def located(problem: Problem) -> Iterator[tuple[str, Equation, Condition | None]]:
    """Every equation with the path of its key and its condition, if it has one."""
    for equation in problem.equations:
        yield f"equations.{equation.name}", equation, None
    for condition in problem.conditions:
        for equation in condition.equations:
            yield f"conditions.{condition.name}.equations", equation, condition


def samples(problem: Problem, condition: Condition | None) -> Iterator[dict[sympy.Symbol, np.ndarray]]:
    """What expressions read at points (n,) of each place of a condition, or at the rows of its data; None: inside."""
    if condition is not None and condition.data:
        yield {symbol(name): column for name, column in condition.data.items()}
        return
    for place in condition.places if condition is not None else (problem.domain,):
        points = spread(place)
        if condition is not None and condition.where is not None:
            points = points[inside(condition.where, points, problem.coordinates, problem.values)]
        points = points[:POINTS]
        normals = {normal_symbol(name): np.full(len(points), part) for name, part in place.normal.items()}
        yield {symbol(name): points[:, index] for index, name in enumerate(problem.coordinates)} | normals


def point(problem: Problem, inputs: Mapping[sympy.Symbol, np.ndarray], place: int) -> str:
    """The coordinates of one of these points, as text."""
    return ", ".join(f"{name} = {inputs[symbol(name)][place]:.4g}" for name in problem.coordinates)
