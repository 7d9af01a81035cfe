"""What disks and balls have in common, and their boundaries: all points within, or at, a distance from a center."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import sympy

from pinnkit.domains.distances import coordinate, number
from pinnkit.domains.shape import Shape, ShapeError
from pinnkit.domains.whole_boundary import WholeBoundary

ROUNDING = 1e-13
"""By how much a computed point may miss the shape, relative to the size of its coordinates."""


@dataclass(frozen=True)
class Round(Shape):
    """{p : |p - center| <= radius}, in any number of coordinates.

    Args:
        names: the coordinates.
        center: a number for each of them.
        radius: above zero.

    Raises:
        ShapeError: a center of another length, or a radius that is not positive.
    """

    names: tuple[str, ...]
    center: tuple[float, ...]
    radius: float

    def __post_init__(self) -> None:
        if len(self.center) != len(self.names):
            raise ShapeError("center", f"has {len(self.center)} numbers: write one for each of {self.listed}")
        if not self.radius > 0:
            raise ShapeError("radius", f"is {self.radius:g}: a number above zero is needed")

    @property
    def listed(self) -> str:
        return ", ".join(self.names) or "none"

    @property
    def rounding(self) -> float:
        """How far a computed point may miss the solid or its boundary."""
        return ROUNDING * (self.radius + max(map(abs, self.center)))

    @property
    def bounds(self) -> Mapping[str, tuple[float, float]]:
        ends = [(middle - self.radius, middle + self.radius) for middle in self.center]
        return dict(zip(self.names, ends, strict=True))

    @property
    def dimension(self) -> int:
        return len(self.names)

    @property
    def description(self) -> str:
        middle = ", ".join(f"{value:.6g}" for value in self.center)
        kind = type(self).__name__.lower()
        return f"({', '.join(self.names)}) in the {kind} of radius {self.radius:.6g} about ({middle})"

    @property
    def distance_expression(self) -> sympy.Expr:
        """(R^2 - |p - c|^2) / (2 R), smooth in the center too."""
        pairs = zip(self.names, self.center, strict=True)
        squares = [(coordinate(name) - number(middle)) ** 2 for name, middle in pairs]
        return (number(self.radius) ** 2 - sympy.Add(*squares)) / (2 * number(self.radius))

    def distance(self, points: np.ndarray) -> np.ndarray:
        return self.radius - np.linalg.norm(points - self.center, axis=1)

    def contains(self, points: np.ndarray, slack: float | np.ndarray = 0.0) -> np.ndarray:
        return self.distance(points) >= -np.max(slack) - self.rounding

    def near_edge(self, points: np.ndarray, slack: np.ndarray) -> np.ndarray:
        return np.abs(self.distance(points)) <= np.max(slack)


@dataclass(frozen=True)
class RoundBoundary(WholeBoundary):
    """{p : |p - center| = radius}, with the normals (p - center) / |p - center|."""

    solid: Round

    def normals(self, points: np.ndarray) -> np.ndarray:
        outward = points - self.solid.center
        return outward / np.linalg.norm(outward, axis=1, keepdims=True)

    def project(self, points: np.ndarray) -> np.ndarray:
        return self.solid.center + self.solid.radius * self.normals(points)
