"""Surfaces, lines and points cut by a solid: the parts that bound it, and the parts that lie in it."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
import sympy

from pinnkit.domains import quadrature
from pinnkit.domains.box import Box
from pinnkit.domains.distances import trimmed
from pinnkit.domains.even_points import even_points, unit_of
from pinnkit.domains.shape import Shape

PROBES = 4096
"""Points of a base by which its kept parts are found; of a curve, what is shorter than this share may be missed."""
BISECTIONS = 46
"""Halvings of the gap between two probes of a curve: to rounding."""
TOUCH = 2e-5
"""A kept part of a curve below this share of it is a point where the solid only touches: a disk in its bounding box."""
GAUSS = 48
"""Nodes of the quadrature along each kept part of a curve."""
ROUNDING = 1e-11
"""A coordinate of an end that is less, relative to the length of the base, is zero."""
REACH = 3e-4
"""Within what share of `step` a point counts as on the edge of the solid."""


@dataclass(frozen=True)
class Trimmed(Shape):
    """The points of `base` that a solid keeps.

    Args:
        base: a part of the boundary of some shape, with normals; or, with side 0, any shape.
        solid: has the same coordinates.
        side: 0 keeps what lies in the solid, and there are no normals. 1 keeps what the solid lies behind, as seen
            along the normals of the base: p - step n is in the solid, and p + step n is not. -1 is the same with the
            normals turned round.
        step: how far from a point of the surface its two sides are looked at.
        inner: whether points with the solid on both sides are kept too.
        without: surfaces whose points are left out, since they are counted there.
        of: the solid that the base bounds.
    """

    base: Shape
    solid: Shape
    side: int = 0
    step: float = 0.0
    inner: bool = False
    without: tuple[Shape, ...] = ()
    of: Shape | None = None

    def _mask(self, points: np.ndarray) -> np.ndarray:
        """Which points (n, d) of the base are kept."""
        if not self.side:
            return self.solid.contains(points)
        outward = self.step * self.side * cast(np.ndarray, self.base.normals(points))
        mask = self.solid.beside(points, points - outward, REACH * self.step)
        if not self.inner:
            mask[mask] = ~self.solid.beside(points[mask], (points + outward)[mask], REACH * self.step)
        for other in self.without:
            mask[mask] = ~other.contains(points[mask])
        return mask

    @cached_property
    def _intervals(self) -> np.ndarray:
        """Of a curve: the kept ranges (k, 2) of the unit coordinate that the base's `sample` takes."""

        def mask(unit: np.ndarray) -> np.ndarray:
            return self._mask(self.base.sample(unit[:, None]))

        corner = 10 * self.step / self.base.measure + 1e-13  # nearer to its end another part's side is seen
        unit = np.concatenate([[corner], (np.arange(PROBES) + 0.5) / PROBES, [1 - corner]])
        kept = mask(unit)
        changes = np.flatnonzero(kept[1:] != kept[:-1])
        low, high, before = unit[changes], unit[changes + 1], kept[changes]
        for _ in range(BISECTIONS if len(changes) else 0):
            middle = (low + high) / 2
            same = mask(middle) == before
            low, high = np.where(same, middle, low), np.where(same, high, middle)
        found = np.where(before, low, high)
        found = np.concatenate([[0.0] if kept[0] else [], found, [1.0] if kept[-1] else []]).reshape(-1, 2)
        return found[found[:, 1] - found[:, 0] > TOUCH]

    @cached_property
    def _kept(self) -> float:
        """The share of the base's measure that is kept."""
        if self.dimension == 0:
            return float(self._mask(self.base.sample(np.zeros((1, 0))))[0])
        if self.dimension == 1:
            return float(np.sum(self._intervals[:, 1] - self._intervals[:, 0]))
        return float(self._mask(self.base.sample(even_points(4 * PROBES, self.dimension))).mean())

    def pieces(self) -> np.ndarray:
        """Of a curve: the kept ranges (k, 2) of the unit coordinate, cut at the corners of the base and in eight."""
        corners = getattr(self.base, "corners", np.empty(0))
        found = []
        for lower, upper in self._intervals:
            ends = [lower, *corners[(corners > lower) & (corners < upper)], upper]
            for start, end in itertools.pairwise(ends):
                steps = np.linspace(start, end, 9 if not len(corners) else 2)
                found.append(np.stack([steps[:-1], steps[1:]], axis=1))
        return np.concatenate(found)

    @property
    def flux(self) -> float:
        """The integral of p . n over a curve, or at a point."""
        points, weights = self.quadrature(GAUSS)
        return float(weights @ np.sum(points * self.normals(points), axis=1))

    @property
    def is_empty(self) -> bool:
        return self._kept <= 1e-9

    @cached_property
    def bounds(self) -> Mapping[str, tuple[float, float]]:
        if isinstance(self.base, Box) and self.dimension == 1:
            ends = self.base.sample(self._intervals.reshape(-1, 1))
            ends[np.abs(ends) < ROUNDING * self.base.measure] = 0.0
            pairs = zip(ends.min(axis=0).tolist(), ends.max(axis=0).tolist(), strict=True)
            return dict(zip(self.base.bounds, pairs, strict=True))
        return self.base.bounds

    @property
    def dimension(self) -> int:
        return self.base.dimension

    @property
    def measure(self) -> float:
        return self.base.measure * self._kept if self.dimension else 1.0

    @property
    def description(self) -> str:
        if isinstance(self.base, Box) and self.dimension == 1 and len(self._intervals) == 1:
            return Box(self.bounds).description
        if self._kept == 1.0 or self.dimension == 0:
            return self.base.description
        return f"{self.base.description}, where it {'bounds' if self.side else 'lies in'} the domain"

    def sample(self, unit: np.ndarray) -> np.ndarray:
        """Of a curve: the unit interval spread over the kept ranges, one after the other."""
        self._check_unit(unit)
        if self.dimension != 1:
            return self.base.sample(unit)
        lengths = self._intervals[:, 1] - self._intervals[:, 0]
        starts = np.concatenate([[0.0], np.cumsum(lengths)])
        along = unit[:, 0] * starts[-1]
        number = np.clip(np.searchsorted(starts, along, side="right") - 1, 0, len(lengths) - 1)
        return self.base.sample(np.minimum(self._intervals[number, 0] + along - starts[number], 1.0)[:, None])

    def quadrature(self, order: int) -> quadrature.Rule:
        if self.dimension == 1:
            return quadrature.curve(self.base.sample, self.base.measure, order, self.pieces())
        return super().quadrature(order)

    def keeps(self, points: np.ndarray) -> np.ndarray:
        if self.dimension != 1:
            return self.base.keeps(points) & self._mask(points)
        return np.ones(len(points), dtype=bool)

    def contains(self, points: np.ndarray, slack: float | np.ndarray = 0.0) -> np.ndarray:
        mask = self.base.contains(points, slack)
        if mask.any():
            mask[mask] = self._keeps_near(points[mask])
        return mask

    def _keeps_near(self, points: np.ndarray) -> np.ndarray:
        near = self.base.project(points)
        mask = self._mask(near)
        for end in self.ends:
            mask |= np.abs(near - end).max(axis=1) <= self.step
        return mask

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Of a curve exact where the base's is; of a surface the distance to the base, which is no larger."""
        distance = -np.abs(self.base.distance(points))
        if not len(self.ends):
            return distance
        to_ends = np.linalg.norm(points[:, None] - self.ends, axis=2).min(axis=1)
        return np.where(self._mask(self.base.project(points)), distance, -to_ends)

    @cached_property
    def distance_expression(self) -> sympy.Expr | None:
        """That of the base where the solid lies on one side of all of it; else one that is zero on the part alone."""
        if self.of is None:
            return None
        points = self.solid.draw(PROBES, unit_of(self.solid))
        within = self.of.contains(points)
        surface = self.base.surface_expression
        if within.all():
            return self.base.distance_expression
        if not within.any():
            return surface if surface != self.base.distance_expression or surface is None else -surface
        remains = self.solid.remains_expression(self.of)
        return None if surface is None or remains is None else trimmed(surface, remains)

    def near_edge(self, points: np.ndarray, slack: np.ndarray) -> np.ndarray:
        near = self.base.near_edge(points, slack)
        if self.dimension == 1:
            for end in self.ends:
                near |= np.all(np.abs(points - end) <= slack, axis=1)
            return near
        for column in range(points.shape[1] if self.dimension else 0):
            for sign in (-1, 1):
                moved = points.copy()
                moved[:, column] += sign * np.broadcast_to(slack, points.shape[1:])[column]
                near |= ~self._mask(self.base.project(moved))
        return near

    def boundary(self, coordinates: Collection[str]) -> tuple[Shape, ...]:
        return ()

    def normals(self, points: np.ndarray) -> np.ndarray | None:
        return self.side * cast(np.ndarray, self.base.normals(points)) if self.side else None

    def project(self, points: np.ndarray) -> np.ndarray:
        return self.base.project(points)

    @cached_property
    def ends(self) -> np.ndarray:
        if self.dimension != 1 or not len(self._intervals):
            return super().ends
        found = self._intervals.ravel()
        if not len(self.base.ends):  # 0 and 1 are one point of a closed curve, or no end of a chain of edges
            found = found[(found > 0.0) & (found < 1.0)]
        return self.base.sample(found[:, None])

    @property
    def widths(self) -> np.ndarray:
        return self.base.widths * self._kept ** (1 / max(self.dimension, 1))


def slice_of(solid: Shape, values: Mapping[str, float]) -> Shape:
    """The part of a solid where some coordinates have given values.

    Raises:
        ValueError: a name is not a coordinate, or the solid has no such part.
    """
    for name, value in values.items():
        if name not in solid.bounds:
            raise ValueError(f"{name} is not a coordinate; coordinates are {', '.join(solid.coordinates)}")
        if not solid.bounds[name][0] <= value <= solid.bounds[name][1]:
            raise ValueError(f"{name} = {value:g} lies outside the domain, {solid.description}")
    part = Trimmed(Box(solid.bounds).at(**values), solid)
    if part.is_empty:
        place = ", ".join(f"{name} = {value:g}" for name, value in values.items())
        raise ValueError(f"{place} lies outside the domain, or only touches it: {solid.description}")
    return part
