"""The grid of planes on which problems of many coordinates are drawn, and the outlines of their shapes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pinnkit.domains.shape import Shape
from pinnkit.problem.problem import Problem
from pinnkit.reporting.animation_formats import CannotAnimateError
from pinnkit.reporting.grid import Grid
from pinnkit.reporting.outlines import Outlines, Region

POINTS, SOLID = 61, 31
"""Points along two space coordinates, and along three."""
FRAMES = 3
"""Values of time, and of the first parameter."""


def planes_grid(problem: Problem) -> Grid | None:
    """A grid of planes through four or more coordinates; None for fewer.

    Of the space coordinates the first two vary, or three where there are no more; of the parameters the first. The
    others have the middle of their range.
    """
    if len(problem.coordinates) < 4:
        return None
    solid = len(problem.space) == 3
    counts = dict.fromkeys(problem.space[:3], SOLID) if solid else dict.fromkeys(problem.space[:2], POINTS)
    few = SOLID if len(counts) < 2 else FRAMES
    counts |= {problem.time: few} if problem.time else {}
    counts |= dict.fromkeys(problem.axes.parameters[:1], few)
    axes = [axis(problem, name, counts.get(name, 1)) for name in problem.coordinates]
    meshes = np.meshgrid(*axes, indexing="ij")
    return grid(problem, dict(zip(problem.coordinates, meshes, strict=True)), structured=True)


def check_moves(problem: Problem) -> None:
    """Refuse a problem without time, or without space.

    Raises:
        CannotAnimateError: saying which.
    """
    if problem.time is None:
        raise CannotAnimateError(f"{problem.name} has no time: an animation shows fields in time")
    if not problem.space:
        raise CannotAnimateError(f"{problem.name} has no space: its figures are curves over {problem.time} already")


def grid(problem: Problem, coordinates: Mapping[str, np.ndarray], structured: bool) -> Grid:
    """A grid with the roles of the problem's coordinates, and the outlines of its shapes."""
    axes = problem.axes
    return Grid(coordinates, structured, axes.time, axes.parameters, axes.logarithmic, outlines(problem), problem.units)


def outlines(problem: Problem) -> Outlines:
    """The domain, unless it is a box, and the named shapes within it."""
    domain = problem.domain
    within = {name: _region(problem, one) for name, one in problem.regions.items() if one != domain}
    return Outlines(None if domain.fills_bounds else _region(problem, domain), within, problem.space)


def _region(problem: Problem, shape: Shape) -> Region:
    """A shape in space: all else has the middle of its range, for the shapes are the same everywhere there."""
    domain = problem.domain
    slack, middle = 1e-9 * (domain.upper - domain.lower), (domain.lower + domain.upper) / 2

    def points(coordinates: Mapping[str, np.ndarray]) -> np.ndarray:
        count = next(iter(coordinates.values())).size
        columns = [
            coordinates[name].ravel() if name in problem.space else np.full(count, value)
            for name, value in zip(problem.coordinates, middle, strict=True)
        ]
        return np.stack(columns, axis=1)

    def contains(coordinates: Mapping[str, np.ndarray]) -> np.ndarray:
        return shape.contains(points(coordinates), slack).reshape(next(iter(coordinates.values())).shape)

    return Region(contains, lambda coordinates: shape.distance(points(coordinates)))


def axis(problem: Problem, name: str, count: int) -> np.ndarray:
    lower, upper = problem.domain.bounds[name]
    logarithmic = name in problem.axes.logarithmic
    if count == 1:
        return np.array([np.sqrt(lower * upper) if logarithmic else (lower + upper) / 2])
    return np.geomspace(lower, upper, count) if logarithmic else np.linspace(lower, upper, count)
