"""The zero set of a function on a grid: traced, moved onto the set by Newton's method, and checked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from pinnkit.domains.box import Box
from pinnkit.domains.level_function import EPSILON, LevelFunction
from pinnkit.domains.marching import negative_volume, zero_set
from pinnkit.domains.shape import ShapeError
from pinnkit.domains.simplices import Simplices, simplex_measures

FEET = 8
"""Steps by which a nearest point is found."""
ACCURACY = 1e-10
"""How far Newton's method may end from the zero set, relative to the size of the coordinates."""
REGULAR = 0.5
"""Below this share of what the function changes by within a cell, its gradient may vanish nearby."""
FLAT = 1e-3
"""Below this share the gradient vanishes."""


@dataclass(frozen=True)
class LevelSurface:
    """The zero set in the box: its points, evenly dense, and in two and three dimensions its segments or triangles.

    Args:
        points: (m, d) on it.
        bulge: by how much it may pass `points`.
        reach: the length of a step at most by which points are moved.
        scale: the size of the coordinates.
    """

    function: LevelFunction
    points: np.ndarray
    simplices: Simplices | None
    bulge: float
    reach: float
    scale: float

    def onto(self, points: np.ndarray) -> np.ndarray:
        """Points (n, d) near it, moved onto it along the gradient."""
        return self.function.onto(points, self.reach, self.scale)

    @cached_property
    def residue(self) -> float:
        """How far from the zero set its points are left by rounding, to first order."""
        away = np.where(self.function.value(self.points) == 0, 0.0, np.abs(self.function.distances(self.points)))
        return float(away.max())

    @cached_property
    def _tree(self) -> Any:
        from scipy.spatial import cKDTree  # slow to import, and not every problem needs it

        return cKDTree(self.points)

    def nearest(self, points: np.ndarray) -> np.ndarray:
        """The nearest point (n, d) of the zero set to each point.

        From the nearest of `points`, steps along the tangent to where the given point stands above it, each followed by
        Newton's method; a step that does not lead nearer is taken back, and the next one is half as long.
        """
        points = np.asarray(points, dtype=np.float64)
        if self.simplices is None:
            return self.points[np.abs(points - self.points[:, 0]).argmin(axis=1)]
        feet = self.points[self._tree.query(points)[1]]
        share, active = np.ones(len(points)), np.arange(len(points))
        for _ in range(FEET):
            here, away = feet[active], points[active] - feet[active]
            gradient = self.function.gradient(here)
            with np.errstate(all="ignore"):
                normal = gradient / np.linalg.norm(gradient, axis=1, keepdims=True)
            along = np.nan_to_num(away - np.sum(away * normal, axis=1, keepdims=True) * normal)
            moved = self.onto(here + share[active, None] * along)
            nearer = np.linalg.norm(points[active] - moved, axis=1) < np.linalg.norm(away, axis=1)
            nearer &= self.function.is_zero(moved, ACCURACY * self.scale)
            feet[active[nearer]] = moved[nearer]
            share[active[~nearer]] /= 2
            active = active[np.linalg.norm(along, axis=1) > EPSILON * self.scale]
        return feet


def trace(
    function: LevelFunction, axes: list[np.ndarray], values: np.ndarray, box: Box, scale: float
) -> tuple[LevelSurface, float]:
    """The zero set, and the measure of where the function is negative.

    Args:
        axes, values: of a grid in the box.
        scale: the size of the coordinates.

    Raises:
        ShapeError: there is no zero set, or the function has no gradient there.
    """
    cell = max(axis[1] - axis[0] for axis in axes)
    first = _brackets(axes[0], values) if len(axes) == 1 else zero_set(axes, values)
    if not len(first):
        raise ShapeError("", "is zero nowhere in the box, so that it has no boundary there: leave the shape out")
    vertices = function.onto(first.reshape(-1, len(axes)), cell, scale).reshape(first.shape)
    if len(axes) == 1:
        points = np.unique(vertices.reshape(-1, 1), axis=0)
        _check(function, points, cell, box, scale)
        ends = np.concatenate([axes[0][:1], points[:, 0], axes[0][-1:]])
        negative = function.value((ends[:-1] + ends[1:])[:, None] / 2) < 0
        return LevelSurface(function, points, None, 0.0, cell, scale), float(np.diff(ends)[negative].sum())
    straight = _middles(first)
    middles = function.onto(straight.reshape(-1, len(axes)), cell, scale).reshape(straight.shape)
    points = np.unique(np.concatenate([vertices, middles], axis=1).reshape(-1, len(axes)), axis=0)
    _check(function, points, cell, box, scale)
    of_vertices, of_middles = (_heights(function, *pair) for pair in ((first, vertices), (straight, middles)))
    # Simpson's rule; on triangles the one that is exact for quadratic functions.
    simpson = (of_vertices.sum(axis=1) + 4 * of_middles[:, 0]) / 6
    between = simpson if len(axes) == 2 else of_middles.mean(axis=1)
    volume = negative_volume(axes, values) + float(np.sum(simplex_measures(first) * between))
    bulge = 2 * float(np.linalg.norm(middles - _middles(vertices), axis=2).max())
    simplices = Simplices(vertices, _curved_measures(vertices, middles), _turns(vertices, middles))
    return LevelSurface(function, points, simplices, bulge, cell, scale), volume


def _brackets(axis: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(k, 1) where values along a line change their sign, by linear interpolation."""
    (left,) = np.nonzero((values[:-1] < 0) != (values[1:] < 0))
    share = values[left] / (values[left] - values[left + 1])
    return ((1 - share) * axis[left] + share * axis[left + 1])[:, None]


def _middles(vertices: np.ndarray) -> np.ndarray:
    """The middles (k, d (d - 1) / 2, d) of the edges 01, 02, 12 of simplices (k, d, d)."""
    pairs = [(i, j) for i in range(vertices.shape[1]) for j in range(i + 1, vertices.shape[1])]
    return np.stack([(vertices[:, i] + vertices[:, j]) / 2 for i, j in pairs], axis=1)


def _heights(function: LevelFunction, straight: np.ndarray, curved: np.ndarray) -> np.ndarray:
    """How far (k, e) the zero set lies outward of points (k, e, d) that were moved onto it."""
    dimension = straight.shape[-1]
    gradient = function.gradient(curved.reshape(-1, dimension)).reshape(straight.shape)
    with np.errstate(all="ignore"):
        normal = np.nan_to_num(gradient / np.linalg.norm(gradient, axis=-1, keepdims=True))
    return np.sum((curved - straight) * normal, axis=-1)


def _turns(vertices: np.ndarray, middles: np.ndarray) -> np.ndarray | None:
    """The angles (k,) by which the arcs over segments turn, 4 arctan(2 s / l) of the height s over a chord l."""
    if vertices.shape[1] > 2:
        return None
    heights = np.linalg.norm(middles - _middles(vertices), axis=2)[:, 0]
    lengths = np.maximum(simplex_measures(vertices), np.finfo(float).tiny)
    return np.minimum(4 * np.arctan(2 * heights / lengths), 1.0)  # at a corner there is no arc


def _curved_measures(vertices: np.ndarray, middles: np.ndarray) -> np.ndarray:
    """Lengths or areas (k,) of the curved pieces: (4 M - m) / 3 of the measure m of each simplex and that M of the
    simplices into which the middles on the zero set divide it (Richardson)."""
    parts: list[tuple[np.ndarray, ...]]
    if vertices.shape[1] == 2:
        (middle,) = np.moveaxis(middles, 1, 0)
        parts = [(vertices[:, 0], middle), (middle, vertices[:, 1])]
    else:
        (a, b, c), (ab, ac, bc) = np.moveaxis(vertices, 1, 0), np.moveaxis(middles, 1, 0)
        parts = [(a, ab, ac), (ab, b, bc), (ac, bc, c), (ab, bc, ac)]
    finer = sum(simplex_measures(np.stack(part, axis=1)) for part in parts)
    return np.maximum((4 * finer - simplex_measures(vertices)) / 3, 0.0)


def _check(function: LevelFunction, points: np.ndarray, cell: float, box: Box, scale: float) -> None:
    """Refuse a zero set on which the function jumps, or its gradient vanishes."""
    wrong = ~function.is_zero(points, ACCURACY * scale)
    size = np.linalg.norm(function.gradient(points), axis=1)
    around = [function.value(points + sign * shift) for shift in cell * np.eye(points.shape[1]) for sign in (1, -1)]
    change = np.nanmax(np.abs(np.stack([*around, np.zeros(len(points))])), axis=0)
    _check_jumps(points, wrong & (np.abs(function.value(points)) > FLAT * change), box)
    with np.errstate(all="ignore"):
        ratio = np.nan_to_num(size * cell / change, nan=1.0)
    for index in np.argsort(ratio, kind="stable")[:8]:
        if ratio[index] >= REGULAR:
            break
        place = points[index] if ratio[index] < FLAT else _critical(function, points[index], cell, change[index])
        if place is not None:
            raise ShapeError(
                "", f"its gradient vanishes at {box.place(place)}, where it is zero: the boundary has no normal there. "
                "A corner or a crossing is written with several shapes, a power such as (x - 1)^3 by its base"
            )  # fmt: skip
    _check_jumps(points, wrong, box)


def _check_jumps(points: np.ndarray, wrong: np.ndarray, box: Box) -> None:
    if wrong.any():
        place = box.place(points[np.flatnonzero(wrong)[0]])
        rule = "it jumps, is infinite, or is a difference of numbers that are much larger"
        raise ShapeError("", f"changes its sign near {place}, and is zero at no point there: {rule}")


def _critical(function: LevelFunction, start: np.ndarray, cell: float, change: float) -> np.ndarray | None:
    """A point near the start where function and gradient vanish, by Newton's method for the gradient."""
    point, width = start.copy(), 1e-4 * cell
    for _ in range(20):
        shifts = width * np.eye(len(point))
        slopes = function.gradient(point + shifts) - function.gradient(point - shifts)
        gradient = function.gradient(point[None])[0]
        if not (np.isfinite(slopes).all() and np.isfinite(gradient).all()):
            return None
        point = point - np.clip(np.linalg.lstsq(slopes / (2 * width), gradient)[0], -cell, cell)
    far = np.abs(point - start).max() > 2 * cell
    steep = np.linalg.norm(function.gradient(point[None])[0]) * cell > 1e-4 * change
    return None if far or steep or abs(function.value(point[None])[0]) > 1e-4 * change else point
