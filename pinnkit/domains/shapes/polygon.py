"""Polygons, convex or not, and the edges that bound them."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import sympy

from pinnkit.domains import quadrature
from pinnkit.domains.edges import ROUNDING, Edges, chain_text, edge_text
from pinnkit.domains.polygon_distance import solid_distance
from pinnkit.domains.registry import SHAPES
from pinnkit.domains.segments import crossing, nearest_segment, winds_around
from pinnkit.domains.shape import Shape, ShapeError
from pinnkit.domains.trimmed import slice_of

MOST = 2000
"""Corners at most."""
SEPARATE = 64
"""Corners up to which the edges on each line x = c or y = c are a part of the boundary of their own."""


@SHAPES.register("polygon")
@dataclass(frozen=True)
class Polygon(Shape):
    """The area inside a closed chain of edges that do not cross, in the plane of two coordinates.

    Args:
        names: the two coordinates.
        points: the corners in order, either way round; the last one is joined to the first.

    Raises:
        ShapeError: another number of coordinates, fewer than three corners or more than 2000, a corner given twice,
            edges that cross or touch, or no area.

    >>> Polygon(("x", "y"), ((0.0, 0.0), (3.0, 0.0), (0.0, 4.0))).measure
    6.0
    """

    example: ClassVar[Mapping[str, Any]] = {
        "names": ("x", "y"), "points": ((0.0, -1.0), (3.0, -1.0), (1.0, 0.0), (2.0, 2.0), (0.0, 1.5)),
    }  # fmt: skip
    bare: ClassVar[str] = "points"

    names: tuple[str, ...]
    points: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        listed = ", ".join(self.names) or "none"
        if len(self.names) != 2:
            raise ShapeError("", f"a polygon lies in a plane of two space coordinates; here they are {listed}")
        for number, point in enumerate(self.points, start=1):
            if len(point) != 2:
                numbers = f"{len(point)} numbers: write one for each of {listed}"
                raise ShapeError("points", f"corner {number} has {numbers}")
        if len(self.points) > 1 and self.points[0] == self.points[-1]:
            object.__setattr__(self, "points", self.points[:-1])
        if not 3 <= len(self.points) <= MOST:
            raise ShapeError("points", f"has {len(self.points)} corners: 3 to {MOST} are needed")
        self._check_simple()
        if self._signed_area < 0:
            object.__setattr__(self, "points", (self.points[0], *self.points[:0:-1]))
            del self.__dict__["corners"], self.__dict__["ends_of_edges"], self.__dict__["_signed_area"]

    def _check_simple(self) -> None:
        lengths = np.linalg.norm(self.ends_of_edges - self.corners, axis=1)
        if len(short := np.flatnonzero(lengths <= self.rounding)):
            raise ShapeError("points", f"corners {short[0] + 1} and {short[0] + 2} are the same: write it once")
        found = crossing(self.corners, self.rounding)
        if found is not None:
            first, second, (x, y) = found
            raise ShapeError(
                "points",
                f"edge {first + 1} ({edge_text(self.points, first)}) and edge {second + 1} "
                f"({edge_text(self.points, second)}) cross or touch at ({x:.6g}, {y:.6g})",
            )
        if abs(self._signed_area) <= self.rounding * max(self.upper - self.lower):
            raise ShapeError("points", "has no area: its corners lie on a line")

    @cached_property
    def corners(self) -> np.ndarray:
        """(k, 2), counter-clockwise."""
        return np.array(self.points, dtype=float)

    @cached_property
    def ends_of_edges(self) -> np.ndarray:
        return np.roll(self.corners, -1, axis=0)

    @cached_property
    def _signed_area(self) -> float:
        (x, y), (right, up) = self.corners.T, self.ends_of_edges.T
        middle_x, middle_y = x[0], y[0]  # the sum cancels less near the polygon
        return float(np.sum((x - middle_x) * (up - middle_y) - (right - middle_x) * (y - middle_y)) / 2)

    @cached_property
    def rounding(self) -> float:
        return ROUNDING * float(np.abs(self.corners).max())

    @property
    def bounds(self) -> Mapping[str, tuple[float, float]]:
        lower, upper = self.corners.min(axis=0).tolist(), self.corners.max(axis=0).tolist()
        return dict(zip(self.names, zip(lower, upper, strict=True), strict=True))

    @property
    def dimension(self) -> int:
        return 2

    @property
    def measure(self) -> float:
        return abs(self._signed_area)

    @property
    def description(self) -> str:
        return f"({', '.join(self.names)}) in {chain_text(self.points)}"

    @cached_property
    def _trapezoids(self) -> tuple[np.ndarray, np.ndarray]:
        """The trapezoids between neighbouring corners' x: their x-ranges (m, 2), and y (m, 4): low left, low right,
        high left, high right."""
        levels = np.unique(self.corners[:, 0])
        (x, y), (right, up) = self.corners.T, self.ends_of_edges.T
        ranges, heights = [], []
        for left_end, right_end in itertools.pairwise(levels):
            crosses = np.flatnonzero((np.minimum(x, right) <= left_end) & (np.maximum(x, right) >= right_end))
            slope = (up - y)[crosses] / (right - x)[crosses]
            at = [y[crosses] + slope * (end - x[crosses]) for end in (left_end, right_end)]
            order = np.argsort(at[0] + at[1])
            low, high = order[0::2], order[1::2]
            ranges += [(left_end, right_end)] * len(low)
            heights += list(zip(at[0][low], at[1][low], at[0][high], at[1][high], strict=True))
        return np.array(ranges), np.array(heights)

    def sample(self, unit: np.ndarray) -> np.ndarray:
        """Uniform by area: the first unit coordinate goes through the trapezoids from left to right, the second up."""
        self._check_unit(unit)
        ranges, heights = self._trapezoids
        width = ranges[:, 1] - ranges[:, 0]
        left, right = heights[:, 2] - heights[:, 0], heights[:, 3] - heights[:, 1]
        starts = np.concatenate([[0.0], np.cumsum(width * (left + right) / 2)])
        wanted = unit[:, 0] * starts[-1]
        which = np.clip(np.searchsorted(starts, wanted, side="right") - 1, 0, len(width) - 1)
        # left s + (right - left) s^2 / 2 = area / width, solved without cancellation
        area = 2 * (wanted - starts[which]) / width[which]
        root = np.sqrt(np.maximum(left[which] ** 2 + (right - left)[which] * area, 0.0))
        along = np.clip(area / np.maximum(left[which] + root, 1e-300), 0.0, 1.0)
        low = heights[which, 0] + along * (heights[which, 1] - heights[which, 0])
        high = heights[which, 2] + along * (heights[which, 3] - heights[which, 2])
        x = ranges[which, 0] + along * width[which]
        return np.stack([x, low + unit[:, 1] * (high - low)], axis=1)

    def quadrature(self, order: int) -> quadrature.Rule:
        """Gauss and Legendre's rules in each of the trapezoids, where they are few."""
        ranges, heights = self._trapezoids
        if len(ranges) > SEPARATE:
            return super().quadrature(order)
        nodes, weights = quadrature.gauss_legendre(order)
        x = ranges[:, :1] + (ranges[:, 1:] - ranges[:, :1]) * nodes
        low, high = (heights[:, [one]] + (heights[:, [one + 1]] - heights[:, [one]]) * nodes for one in (0, 2))
        y = low[:, :, None] + (high - low)[:, :, None] * nodes
        factors = ((ranges[:, 1:] - ranges[:, :1]) * weights * (high - low))[:, :, None] * weights
        return np.stack([np.repeat(x.ravel(), order), y.ravel()], axis=1), factors.ravel()

    @property
    def distance_expression(self) -> sympy.Expr | None:
        return solid_distance(self.names, self.corners)

    @property
    def vanishing_expression(self) -> sympy.Expr | None:
        return solid_distance(self.names, self.corners, join=sympy.Mul)

    def distance(self, points: np.ndarray) -> np.ndarray:
        _, away = nearest_segment(points, self.corners, self.ends_of_edges)
        return np.where(winds_around(points, self.corners), away, -away)

    def contains(self, points: np.ndarray, slack: float | np.ndarray = 0.0) -> np.ndarray:
        return self.distance(points) >= -np.max(slack) - self.rounding

    def near_edge(self, points: np.ndarray, slack: np.ndarray) -> np.ndarray:
        return np.abs(self.distance(points)) <= np.max(slack)

    def boundary(self, coordinates: Collection[str]) -> tuple[Shape, ...]:
        """The edges on each line x = c and on each line y = c, and all others together."""
        if not set(self.names) <= set(coordinates):
            return ()
        groups: dict[tuple[int, float], list[int]] = {}
        for number, (start, end) in enumerate(zip(self.corners, self.ends_of_edges, strict=True)):
            level = [column for column in (0, 1) if start[column] == end[column]]
            key = (level[0], float(start[level[0]])) if level and len(self.points) <= SEPARATE else (-1, 0.0)
            groups.setdefault(key, []).append(number)
        return tuple(Edges(self.names, self.points, tuple(numbers)) for numbers in groups.values())

    def at(self, /, **values: float) -> Shape:
        return slice_of(self, values)
