"""Outlines of shapes in figures: the boundary of the domain, and interfaces within it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes  # a second of import, which reading a problem need not pay

RESOLUTION = 201
"""Points along each axis at which a shape is asked for its distance."""
ROUNDING = 1e-6
"""The distance outside of a shape at which its line is drawn, relative to the plane: where the shape ends at the frame
the distance is zero, and there is no line."""
DOMAIN = {"colors": "black", "linewidths": 1.6, "linestyles": "solid"}
WITHIN = {"colors": "black", "linewidths": 1.0, "linestyles": "dashed"}
BLANK = "0.85"
"""The colour of what lies outside of the domain."""

AtPoints = Callable[[Mapping[str, np.ndarray]], np.ndarray]
"""Coordinates, arrays of one shape -> an array of this shape."""


@dataclass(frozen=True, eq=False)
class Region:
    """A shape of which figures show the boundary.

    contains: the mask of its points; distance: that to its edge, positive inside and negative outside.
    """

    contains: AtPoints
    distance: AtPoints


@dataclass(frozen=True, eq=False)
class Outlines:
    """Shapes whose boundary is drawn.

    domain: None where it is a box; within: those that lie in it, by name; space: the coordinates of the shapes.
    """

    domain: Region | None = None
    within: Mapping[str, Region] = field(default_factory=dict)
    space: tuple[str, ...] = ()
    _known: dict = field(default_factory=dict, repr=False)

    def draw(
        self, axes: Axes, horizontal: str, vertical: str, ends: Mapping[str, np.ndarray], at: Mapping, blank: bool
    ) -> None:
        """Lines on a plane, each once where two shapes meet.

        ends: values of the plane's two coordinates, whose ranges it has; at: the value of every other coordinate;
        blank: whether what lies outside of the domain is covered.
        """
        x, y = (np.linspace(np.min(ends[name]), np.max(ends[name]), RESOLUTION) for name in (horizontal, vertical))
        if x[0] == x[-1] or y[0] == y[-1]:
            return
        edge = -ROUNDING * min(x[-1] - x[0], y[-1] - y[0])
        drawn = np.zeros((RESOLUTION - 1, RESOLUTION - 1), dtype=bool)
        for region, style in self._regions():
            values = self._distances(region, {horizontal: x, vertical: y}, at)
            crossed = _crossed(values >= edge)
            if blank and style is DOMAIN and values.min() < edge:
                axes.contourf(x, y, values, [values.min() - 1, edge], colors=[BLANK])
            if (crossed & ~drawn).any():
                axes.contour(x, y, values, [edge], **style)
            drawn |= _with_neighbours(crossed)

    def continued(
        self, values: np.ndarray, horizontal: tuple[str, np.ndarray], vertical: tuple[str, np.ndarray], at: Mapping
    ) -> np.ndarray:
        """Values (n_vertical, n_horizontal) on a plane with those of neighbours just outside of the domain.

        The cells that the boundary crosses then have a colour on all of their part inside.
        """
        if self.domain is None:
            return values
        outside = self._distances(self.domain, dict([horizontal, vertical]), at) < 0
        known = np.isfinite(values)
        padded = np.pad(np.where(known, values, 0.0), 1), np.pad(known.astype(float), 1)
        total, count = (sum(_shifts(one)) for one in padded)
        filled = outside & ~known & (count > 0)
        return np.where(filled, total / np.maximum(count, 1), values)

    def _regions(self) -> Iterator[tuple[Region, dict]]:
        if self.domain is not None:
            yield self.domain, DOMAIN
        for region in self.within.values():
            yield region, WITHIN

    def _distances(self, region: Region, plane: Mapping[str, np.ndarray], at: Mapping) -> np.ndarray:
        """Distances (n_vertical, n_horizontal) on a plane, computed once for all values of time.

        They are right beside the edge, where they cost their time; elsewhere they have the right sign.
        """
        where = sorted((name, value) for name, value in at.items() if not self.space or name in self.space)
        key = (id(region), *((name, values.tobytes()) for name, values in plane.items()), *where)
        if key not in self._known:
            points = dict(zip(plane, np.meshgrid(*plane.values()), strict=True))
            shape = next(iter(points.values())).shape
            points |= {name: np.full(shape, value) for name, value in at.items()}
            inside = region.contains(points)
            neighbours = _shifts(np.pad(inside, 1, mode="edge"))
            near = np.any(neighbours, axis=0) & ~np.all(neighbours, axis=0)
            far = max(float(np.ptp(values)) for values in plane.values())
            values = np.where(inside, far, -far)
            values[near] = region.distance({name: one[near] for name, one in points.items()})
            self._known[key] = values
        return self._known[key]


def _shifts(padded: np.ndarray) -> list[np.ndarray]:
    """The values of the eight neighbours, and the own ones, of an array that was padded by one."""
    rows, columns = padded.shape
    return [padded[i : rows - 2 + i, j : columns - 2 + j] for i in range(3) for j in range(3)]


def _crossed(inside: np.ndarray) -> np.ndarray:
    """Mask of the cells whose corners do not all lie on one side."""
    corners = np.stack([inside[1:, 1:], inside[1:, :-1], inside[:-1, 1:], inside[:-1, :-1]])
    return np.logical_and(corners.any(axis=0), ~corners.all(axis=0))


def _with_neighbours(mask: np.ndarray) -> np.ndarray:
    return np.any(_shifts(np.pad(mask, 1)), axis=0)
