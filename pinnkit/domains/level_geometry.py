"""The extent of a level set, found on grids that close in on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pinnkit.domains.box import Box
from pinnkit.domains.level_function import LevelFunction
from pinnkit.domains.level_surface import LevelSurface, trace
from pinnkit.domains.shape import ShapeError

CELLS = {1: 4096, 2: 256, 3: 48}
"""Cells of the grid along each coordinate, by the number of coordinates."""
POINTS = 2**16
"""Points at which a function of more than three coordinates is looked at."""
ROUNDS = 12
"""Grids at most, each over what the former has found."""
LARGEST = 1e50
"""A value at most: products of several are finite."""
ROUNDING = 1e-13
"""By how much a computed point may miss the set, relative to the size of its coordinates."""


@dataclass(frozen=True)
class LevelGeometry:
    """Bounding box, measure and boundary of a level set.

    Attributes:
        surface: None in more than three dimensions.
        rounding: how far a computed point may miss the set.
    """

    bounds: Box
    volume: float
    surface: LevelSurface | None
    rounding: float


def level_geometry(function: LevelFunction, box: Box) -> LevelGeometry:
    """Find the set in the box where the function is negative.

    Raises:
        ShapeError: it is negative nowhere or everywhere, not finite, or its gradient vanishes on the boundary.
    """
    scale = float(np.abs([box.lower, box.upper]).max() + (box.upper - box.lower).max())
    if len(box.coordinates) not in CELLS:
        return LevelGeometry(box, _volume_by_points(function, box), None, ROUNDING * scale)
    axes, values = _close_in(function, box)
    surface, volume = trace(function, axes, values, box, scale)
    inside = np.argwhere(values < 0)
    first, last = ([axis[one] for axis, one in zip(axes, ends, strict=True)]
                   for ends in (inside.min(axis=0), inside.max(axis=0)))  # fmt: skip
    lower = np.minimum(surface.points.min(axis=0) - surface.bulge, first)
    upper = np.maximum(surface.points.max(axis=0) + surface.bulge, last)
    bounds = _box(box.coordinates, np.maximum(lower, box.lower), np.minimum(upper, box.upper))
    return LevelGeometry(bounds, volume, surface, max(ROUNDING * scale, 4 * surface.residue))


def _box(names: tuple[str, ...], lower: np.ndarray, upper: np.ndarray) -> Box:
    return Box(dict(zip(names, zip(lower.tolist(), upper.tolist(), strict=True), strict=True)))


def _close_in(function: LevelFunction, box: Box) -> tuple[list[np.ndarray], np.ndarray]:
    """A grid over the set and not much more: its axes, and the values at its nodes."""
    names, around = box.coordinates, box
    for attempt in range(ROUNDS):
        axes = [np.linspace(*around.bounds[name], CELLS[len(names)] + 1) for name in names]
        points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(names))
        values = _checked(function, points, box, signs=not attempt).reshape([len(axis) for axis in axes])
        inside = np.argwhere(values < 0)
        if not len(inside):
            place = box.place((around.lower + around.upper) / 2)
            raise ShapeError("", f"is negative near {place} alone, in a part too small for points")
        first = np.maximum(inside.min(axis=0) - 1, 0)
        last = np.minimum(inside.max(axis=0) + 1, CELLS[len(names)])
        lower, upper = (np.array([axis[one] for axis, one in zip(axes, ends, strict=True)]) for ends in (first, last))
        if ((upper - lower) > 0.8 * (around.upper - around.lower)).all():
            break
        around = _box(names, lower, upper)
    return axes, values


def _checked(function: LevelFunction, points: np.ndarray, box: Box, signs: bool) -> np.ndarray:
    """The values (n,) at points (n, d), finite and, where it is asked for, of both signs."""
    values = function.value(points)
    wrong = np.flatnonzero(~np.isfinite(values))
    if len(wrong):
        raise ShapeError("", f"is {values[wrong[0]]} at {box.place(points[wrong[0]])}: a finite number is needed")
    wrong = np.flatnonzero(np.abs(values) > LARGEST)
    if len(wrong):
        place = box.place(points[wrong[0]])
        raise ShapeError("", f"is {values[wrong[0]]:.3g} at {place}, beyond {LARGEST:g}: divide it by a constant")
    if signs and not (values < 0).any():
        least = f"the least value is {values.min():.3g}, at {box.place(points[values.argmin()])}"
        raise ShapeError("", f"is negative at none of {len(values)} points of the box; {least}")
    if signs and (values < 0).all():
        raise ShapeError("", "is negative everywhere in the box, so that it has no boundary there: leave the shape out")
    return values


def _volume_by_points(function: LevelFunction, box: Box) -> float:
    """The measure of the set by the share of Sobol points."""
    from scipy.stats import qmc  # which takes its time to load

    unit = qmc.Sobol(len(box.coordinates), scramble=False).random(POINTS)
    return box.measure * float(np.mean(_checked(function, box.sample(unit), box, signs=True) < 0))
