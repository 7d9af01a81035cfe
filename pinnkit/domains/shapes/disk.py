"""Disks, and the circles that bound them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from pinnkit.domains import quadrature
from pinnkit.domains.box import Box
from pinnkit.domains.registry import SHAPES
from pinnkit.domains.round import Round, RoundBoundary
from pinnkit.domains.shape import Shape, ShapeError


@SHAPES.register("disk")
@dataclass(frozen=True)
class Disk(Round):
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

    def __post_init__(self) -> None:
        if len(self.names) != 2:
            raise ShapeError("", f"a disk lies in a plane of two space coordinates; here they are {self.listed}")
        super().__post_init__()

    @property
    def measure(self) -> float:
        return float(np.pi * self.radius**2)

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

    def boundary(self, coordinates: Collection[str]) -> tuple[Shape, ...]:
        return (Circle(self),) if set(self.names) <= set(coordinates) else ()

    def at(self, /, **values: float) -> Box:
        """A chord, or a point."""
        bounds = dict(self.bounds)
        for name, value in values.items():
            if name not in bounds:
                raise ValueError(f"{name} is not a coordinate; coordinates are {self.listed}")
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
class Circle(RoundBoundary):
    """The rim of a disk."""

    solid: Disk

    @property
    def measure(self) -> float:
        return float(2 * np.pi * self.solid.radius)

    @property
    def description(self) -> str:
        return self.solid.description.replace("in the disk", "on the circle")

    def sample(self, unit: np.ndarray) -> np.ndarray:
        """Uniform by arc length: the angle 2 pi v for the unit point v."""
        self._check_unit(unit)
        angle = 2 * np.pi * unit[:, 0]
        return self.solid.center + self.solid.radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)

    def quadrature(self, order: int) -> quadrature.Rule:
        """The trapezoidal rule at 2 order even angles."""
        points = self.sample(_angles(2 * order)[:, None] / (2 * np.pi))
        return points, np.full(2 * order, self.measure / (2 * order))


def _angles(count: int) -> np.ndarray:
    return 2 * np.pi * (np.arange(count) + 0.5) / count
