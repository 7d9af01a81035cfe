"""The whole boundary of a solid, as a shape."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

from pinnkit.domains.shape import Shape


@dataclass(frozen=True)
class WholeBoundary(Shape):
    """All points that bound a solid in its coordinates: a closed curve or surface, which has no edge of its own.

    Args:
        solid: a shape with an attribute `rounding`, by how much a computed point may miss it.
    """

    solid: Any

    @property
    def bounds(self) -> Mapping[str, tuple[float, float]]:
        return self.solid.bounds

    @property
    def dimension(self) -> int:
        return self.solid.dimension - 1

    @property
    def distance_expression(self) -> sympy.Expr | None:
        return self.solid.distance_expression

    def distance(self, points: np.ndarray) -> np.ndarray:
        return -np.abs(self.solid.distance(points))

    def contains(self, points: np.ndarray, slack: float | np.ndarray = 0.0) -> np.ndarray:
        return self.distance(points) >= -np.max(slack) - self.solid.rounding

    def near_edge(self, points: np.ndarray, slack: np.ndarray) -> np.ndarray:
        return np.zeros(len(points), dtype=bool)

    @property
    def widths(self) -> np.ndarray:
        """The side of a flat square, or cube, of the same measure: a curve may run along either coordinate."""
        return np.full(len(self.coordinates), self.measure ** (1 / self.dimension))

    def boundary(self, coordinates: Collection[str]) -> tuple[Shape, ...]:
        return ()
