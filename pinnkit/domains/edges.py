"""Edges of a closed chain of corners in the plane."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import sympy

from pinnkit.domains.polygon_distance import MOST, edges_distance, is_convex, lines_distance
from pinnkit.domains.segments import nearest_segment
from pinnkit.domains.shape import Shape

ROUNDING = 1e-13
"""By how much a computed point may miss the shape, relative to the size of its coordinates."""
LISTED = 8
"""Corners that a text lists at most."""


@dataclass(frozen=True)
class Edges(Shape):
    """Some edges of a closed chain, with outward normals; a corner has none.

    Args:
        names: the two coordinates.
        chain: the corners of the polygon, counter-clockwise.
        numbers: which edges, the first one, from the first corner to the second, being 0.
    """

    names: tuple[str, ...]
    chain: tuple[tuple[float, ...], ...]
    numbers: tuple[int, ...]

    @cached_property
    def starts(self) -> np.ndarray:
        return np.array(self.chain, dtype=float)[list(self.numbers)]

    @cached_property
    def stops(self) -> np.ndarray:
        return np.roll(np.array(self.chain, dtype=float), -1, axis=0)[list(self.numbers)]

    @cached_property
    def rounding(self) -> float:
        return ROUNDING * float(np.abs(np.array(self.chain, dtype=float)).max())

    @cached_property
    def lengths(self) -> np.ndarray:
        return np.linalg.norm(self.stops - self.starts, axis=1)

    @cached_property
    def corners(self) -> np.ndarray:
        """The unit coordinates of `sample` at which another edge begins."""
        return np.cumsum(self.lengths)[:-1] / self.measure

    @cached_property
    def bounds(self) -> Mapping[str, tuple[float, float]]:
        both = np.concatenate([self.starts, self.stops])
        lower, upper = both.min(axis=0).tolist(), both.max(axis=0).tolist()
        return dict(zip(self.names, zip(lower, upper, strict=True), strict=True))

    @property
    def dimension(self) -> int:
        return 1

    @cached_property
    def measure(self) -> float:
        return float(self.lengths.sum())

    @property
    def description(self) -> str:
        line = ", ".join(f"{name} = {value:.6g}" for name, value in self.fixed.items())
        if len(self.numbers) == 1:
            return f"({', '.join(self.names)}) on the edge {edge_text(self.chain, self.numbers[0])}"
        return f"{line or ', '.join(self.names)} on the edges of {chain_text(self.chain)}"

    def sample(self, unit: np.ndarray) -> np.ndarray:
        """Uniform by arc length, one edge after the other."""
        self._check_unit(unit)
        ends = np.concatenate([[0.0], np.cumsum(self.lengths)])
        wanted = unit[:, 0] * ends[-1]
        which = np.clip(np.searchsorted(ends, wanted, side="right") - 1, 0, len(self.lengths) - 1)
        along = np.clip((wanted - ends[which]) / self.lengths[which], 0.0, 1.0)[:, None]
        points = self.starts[which] + along * (self.stops - self.starts)[which]
        for column, name in enumerate(self.names):
            if name in self.fixed:
                points[:, column] = self.fixed[name]
        return points

    @property
    def distance_expression(self) -> sympy.Expr | None:
        """In a convex polygon the distance to the lines of the edges, in another one to the edges."""
        corners = np.array(self.chain, dtype=float)
        if len(corners) <= MOST and is_convex(corners):
            return lines_distance(self.names, zip(self.starts, self.stops, strict=True))
        return self.surface_expression

    @cached_property
    def surface_expression(self) -> sympy.Expr | None:
        if len(self.chain) > MOST:
            return None
        return edges_distance(self.names, zip(self.starts, self.stops, strict=True))

    def distance(self, points: np.ndarray) -> np.ndarray:
        return -nearest_segment(points, self.starts, self.stops)[1]

    def contains(self, points: np.ndarray, slack: float | np.ndarray = 0.0) -> np.ndarray:
        return self.distance(points) >= -np.max(slack) - self.rounding

    def near_edge(self, points: np.ndarray, slack: np.ndarray) -> np.ndarray:
        """Near the end of an edge."""
        both = np.concatenate([self.starts, self.stops])
        return nearest_segment(points, both, both)[1] <= np.max(slack)

    @property
    def ends(self) -> np.ndarray:
        return np.array([self.starts[0], self.stops[0]]) if len(self.numbers) == 1 else super().ends

    @property
    def widths(self) -> np.ndarray:
        width = np.full(2, self.measure)
        return np.where(self.lower == self.upper, 0.0, width)

    def boundary(self, coordinates: Collection[str]) -> tuple[Shape, ...]:
        return ()

    def normals(self, points: np.ndarray) -> np.ndarray:
        """To the right of the nearest edge, since the corners go round counter-clockwise."""
        which, _ = nearest_segment(points, self.starts, self.stops)
        along = ((self.stops - self.starts) / self.lengths[:, None])[which]
        return np.stack([along[:, 1], -along[:, 0]], axis=1)

    def project(self, points: np.ndarray) -> np.ndarray:
        """Onto the nearest edge; a point to which a corner is nearest stays: no normal leads to it."""
        which, _ = nearest_segment(points, self.starts, self.stops)
        start, along = self.starts[which], (self.stops - self.starts)[which]
        share = np.sum((points - start) * along, axis=1) / np.sum(along**2, axis=1)
        found = np.where(((share >= 0) & (share <= 1))[:, None], start + share[:, None] * along, points)
        for column, name in enumerate(self.names):
            if name in self.fixed:
                found[:, column] = np.where((share >= 0) & (share <= 1), self.fixed[name], found[:, column])
        return found


def edge_text(chain: Sequence[Sequence[float]], number: int) -> str:
    """The two ends of an edge, as text."""
    ends = (chain[number], chain[(number + 1) % len(chain)])
    return " to ".join(f"({x:.6g}, {y:.6g})" for x, y in ends)


def chain_text(chain: Sequence[Sequence[float]]) -> str:
    """A polygon, as text."""
    if len(chain) > LISTED:
        return f"the polygon with {len(chain)} corners"
    return f"the polygon {', '.join(f'({x:.6g}, {y:.6g})' for x, y in chain)}"
