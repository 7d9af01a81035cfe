"""Disks, and the circles that bound them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import sympy

from pinnkit.domains import quadrature
from pinnkit.domains.box import Box
from pinnkit.domains.distances import coordinate, number
from pinnkit.domains.registry import SHAPES
from pinnkit.domains.shape import Shape, ShapeError

ROUNDING = 1e-13
"""By how much a computed point may miss the shape, relative to the size of its coordinates."""


@SHAPES.register("disk")
@dataclass(frozen=True)
class Disk(Shape):
    """{p : |p - center| <= radius} in the plane of two coordinates.

    Args:
        names: the two coordinates.
        center: (c_1, c_2).
        radius: above zero.

    Raises:
        ShapeError: another number of coordinates, or a radius that is not positive.

    >>> Disk(("x", "y"), (0.0, 0.0), 2.0).distance(np.array([[0.0, 0.5], [3.0, 0.0]])).tolist()
    [1.5, -1.0]
    """

    example: ClassVar[Mapping[str, Any]] = {"names": ("x", "y"), "center": (0.5, -2.0), "radius": 3.0}

    names: tuple[str, ...]
    center: tuple[float, ...]
    radius: float

    def __post_init__(self) -> None:
        if len(self.names) != 2:
            names = ", ".join(self.names) or "none"
            raise ShapeError("", f"a disk lies in a plane of two space coordinates; here they are {names}")
        if len(self.center) != 2:
            raise ShapeError("center", f"has {len(self.center)} numbers: write one for each of {self._listed}")
        if not self.radius > 0:
            raise ShapeError("radius", f"is {self.radius:g}: a number above zero is needed")

    @property
    def _listed(self) -> str:
        return ", ".join(self.names)

    @property
    def rounding(self) -> float:
        """How far a computed point may miss the disk or its rim."""
        return ROUNDING * (self.radius + max(map(abs, self.center)))

    @property
    def bounds(self) -> Mapping[str, tuple[float, float]]:
        ends = [(middle - self.radius, middle + self.radius) for middle in self.center]
        return dict(zip(self.names, ends, strict=True))

    @property
    def dimension(self) -> int:
        return 2

    @property
    def measure(self) -> float:
        return float(np.pi * self.radius**2)

    @property
    def description(self) -> str:
        middle = ", ".join(f"{value:.6g}" for value in self.center)
        return f"({self._listed}) in the disk of radius {self.radius:.6g} about ({middle})"

    def sample(self, unit: np.ndarray) -> np.ndarray:
        """p = c + R sqrt(s) (cos 2 pi v, sin 2 pi v) for the unit point (s, v): uniform by area."""
        self._check_unit(unit)
        angle = 2 * np.pi * unit[:, 1]
        return self.center + self.radius * np.sqrt(unit[:, :1]) * np.stack([np.cos(angle), np.sin(angle)], axis=1)

    def quadrature(self, order: int) -> quadrature.Rule:
        """Gauss and Legendre's rule along the radius, and 2 order even angles."""
        (radii, factors), angles = quadrature.interval(0.0, self.radius, order), _angles(2 * order)
        across = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        points = self.center + (radii[:, :, None] * across).reshape(-1, 2)
        return points, np.repeat(factors * radii[:, 0] * np.pi / order, 2 * order)

    def distance(self, points: np.ndarray) -> np.ndarray:
        return self.radius - np.linalg.norm(points - self.center, axis=1)

    @property
    def distance_expression(self) -> sympy.Expr:
        """(R^2 - |p - c|^2) / (2 R), smooth in the center too."""
        pairs = zip(self.names, self.center, strict=True)
        squares = [(coordinate(name) - number(middle)) ** 2 for name, middle in pairs]
        return (number(self.radius) ** 2 - sympy.Add(*squares)) / (2 * number(self.radius))

    def contains(self, points: np.ndarray, slack: float | np.ndarray = 0.0) -> np.ndarray:
        return self.distance(points) >= -np.max(slack) - self.rounding

    def near_edge(self, points: np.ndarray, slack: np.ndarray) -> np.ndarray:
        return np.abs(self.distance(points)) <= np.max(slack)

    def boundary(self, coordinates: Collection[str]) -> tuple[Shape, ...]:
        return (Circle(self),) if set(self.names) <= set(coordinates) else ()

    def at(self, /, **values: float) -> Box:
        """A chord, or a point."""
        bounds = dict(self.bounds)
        for name, value in values.items():
            if name not in bounds:
                raise ValueError(f"{name} is not a coordinate; coordinates are {self._listed}")
            bounds[name] = (float(value), float(value))
        fixed = [abs(values.get(name, middle) - middle) for name, middle in zip(bounds, self.center, strict=True)]
        left = self.radius**2 - sum(size**2 for size in fixed)
        if left < -2 * self.radius * self.rounding:
            place = ", ".join(f"{name} = {value:g}" for name, value in values.items())
            raise ValueError(f"{place} lies outside the domain, {self.description}")
        half = float(np.sqrt(max(left, 0.0)))
        for name, middle in zip(self.names, self.center, strict=True):
            if name not in values:
                bounds[name] = (middle - half, middle + half)
        return Box(bounds)


@dataclass(frozen=True)
class Circle(Shape):
    """{p : |p - center| = radius}, the rim of a disk, with the normals (p - center) / |p - center|."""

    disk: Disk

    @property
    def bounds(self) -> Mapping[str, tuple[float, float]]:
        return self.disk.bounds

    @property
    def dimension(self) -> int:
        return 1

    @property
    def measure(self) -> float:
        return float(2 * np.pi * self.disk.radius)

    @property
    def description(self) -> str:
        return self.disk.description.replace("in the disk", "on the circle")

    def sample(self, unit: np.ndarray) -> np.ndarray:
        """Uniform by arc length: the angle 2 pi v for the unit point v."""
        self._check_unit(unit)
        angle = 2 * np.pi * unit[:, 0]
        return self.disk.center + self.disk.radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)

    def quadrature(self, order: int) -> quadrature.Rule:
        """The trapezoidal rule at 2 order even angles."""
        points = self.sample(_angles(2 * order)[:, None] / (2 * np.pi))
        return points, np.full(2 * order, self.measure / (2 * order))

    def distance(self, points: np.ndarray) -> np.ndarray:
        return -np.abs(self.disk.distance(points))

    def contains(self, points: np.ndarray, slack: float | np.ndarray = 0.0) -> np.ndarray:
        return self.distance(points) >= -np.max(slack) - self.disk.rounding

    def near_edge(self, points: np.ndarray, slack: np.ndarray) -> np.ndarray:
        return np.zeros(len(points), dtype=bool)

    @property
    def distance_expression(self) -> sympy.Expr:
        return self.disk.distance_expression

    @property
    def widths(self) -> np.ndarray:
        return np.full(2, self.measure)  # the rim may run along either coordinate

    def boundary(self, coordinates: Collection[str]) -> tuple[Shape, ...]:
        return ()

    def normals(self, points: np.ndarray) -> np.ndarray:
        outward = points - self.disk.center
        return outward / np.linalg.norm(outward, axis=1, keepdims=True)

    def project(self, points: np.ndarray) -> np.ndarray:
        return self.disk.center + self.disk.radius * self.normals(points)


def _angles(count: int) -> np.ndarray:
    return 2 * np.pi * (np.arange(count) + 0.5) / count
