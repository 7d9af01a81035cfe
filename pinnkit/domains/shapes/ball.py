"""Balls in three or more coordinates, and the spheres that bound them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import gamma
from typing import Any, ClassVar

import numpy as np
import sympy
from scipy.special import betaincinv

from pinnkit.domains import quadrature
from pinnkit.domains.distances import coordinate, number
from pinnkit.domains.registry import SHAPES
from pinnkit.domains.shape import Shape, ShapeError
from pinnkit.domains.trimmed import slice_of

ROUNDING = 1e-13
"""By how much a computed point may miss the shape, relative to the size of its coordinates."""


@SHAPES.register("ball")
@dataclass(frozen=True)
class Ball(Shape):
    """{p : |p - center| <= radius} in d >= 3 coordinates.

    Args:
        names: the coordinates.
        center: a number for each of them.
        radius: above zero.

    Raises:
        ShapeError: fewer coordinates, a center of another length, or a radius that is not positive.
    """

    example: ClassVar[Mapping[str, Any]] = {"names": ("x", "y", "z"), "center": (0.5, -2.0, 1.0), "radius": 3.0}

    names: tuple[str, ...]
    center: tuple[float, ...]
    radius: float

    def __post_init__(self) -> None:
        listed = ", ".join(self.names) or "none"
        if len(self.names) < 3:
            raise ShapeError("", f"a ball has three or more coordinates, and a disk two; here they are {listed}")
        if len(self.center) != len(self.names):
            raise ShapeError("center", f"has {len(self.center)} numbers: write one for each of {listed}")
        if not self.radius > 0:
            raise ShapeError("radius", f"is {self.radius:g}: a number above zero is needed")

    @property
    def rounding(self) -> float:
        """How far a computed point may miss the ball or its surface."""
        return ROUNDING * (self.radius + max(map(abs, self.center)))

    @property
    def bounds(self) -> Mapping[str, tuple[float, float]]:
        ends = [(middle - self.radius, middle + self.radius) for middle in self.center]
        return dict(zip(self.names, ends, strict=True))

    @property
    def dimension(self) -> int:
        return len(self.names)

    @property
    def measure(self) -> float:
        """pi^(d/2) R^d / Gamma(d/2 + 1)."""
        return float(np.pi ** (self.dimension / 2) * self.radius**self.dimension / gamma(self.dimension / 2 + 1))

    @property
    def description(self) -> str:
        middle = ", ".join(f"{value:.6g}" for value in self.center)
        return f"({', '.join(self.names)}) in the ball of radius {self.radius:.6g} about ({middle})"

    def sample(self, unit: np.ndarray) -> np.ndarray:
        """p = c + R s^(1/d) n for the unit point (s, v), n the direction that v gives: uniform by volume."""
        self._check_unit(unit)
        return self.center + self.radius * unit[:, :1] ** (1 / self.dimension) * directions(unit[:, 1:])

    def quadrature(self, order: int) -> quadrature.Rule:
        """In three coordinates Gauss and Legendre's rule along the radius, times that of the unit sphere."""
        if self.dimension != 3:
            return super().quadrature(order)
        (radii, factors), (across, weights) = quadrature.interval(0.0, self.radius, order), unit_sphere(order)
        points = self.center + (radii[:, :, None] * across).reshape(-1, 3)
        return points, np.outer(factors * radii[:, 0] ** 2, weights).ravel()

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

    def boundary(self, coordinates: Collection[str]) -> tuple[Shape, ...]:
        return (Sphere(self),) if set(self.names) <= set(coordinates) else ()

    def at(self, /, **values: float) -> Shape:
        return slice_of(self, values)


@dataclass(frozen=True)
class Sphere(Shape):
    """{p : |p - center| = radius}, with the normals (p - center) / radius."""

    ball: Ball

    @property
    def bounds(self) -> Mapping[str, tuple[float, float]]:
        return self.ball.bounds

    @property
    def dimension(self) -> int:
        return self.ball.dimension - 1

    @property
    def measure(self) -> float:
        return self.ball.measure * self.ball.dimension / self.ball.radius

    @property
    def description(self) -> str:
        return self.ball.description.replace("in the ball", "on the sphere")

    def sample(self, unit: np.ndarray) -> np.ndarray:
        self._check_unit(unit)
        return self.ball.center + self.ball.radius * directions(unit)

    def quadrature(self, order: int) -> quadrature.Rule:
        if self.dimension != 2:
            return super().quadrature(order)
        across, weights = unit_sphere(order)
        return self.ball.center + self.ball.radius * across, weights * self.ball.radius**2

    @property
    def distance_expression(self) -> sympy.Expr:
        return self.ball.distance_expression

    def distance(self, points: np.ndarray) -> np.ndarray:
        return -np.abs(self.ball.distance(points))

    def contains(self, points: np.ndarray, slack: float | np.ndarray = 0.0) -> np.ndarray:
        return self.distance(points) >= -np.max(slack) - self.ball.rounding

    def near_edge(self, points: np.ndarray, slack: np.ndarray) -> np.ndarray:
        return np.zeros(len(points), dtype=bool)

    @property
    def widths(self) -> np.ndarray:
        """The side of a flat square, or cube, of the same measure."""
        return np.full(self.ball.dimension, self.measure ** (1 / self.dimension))

    def boundary(self, coordinates: Collection[str]) -> tuple[Shape, ...]:
        return ()

    def normals(self, points: np.ndarray) -> np.ndarray:
        outward = points - self.ball.center
        return outward / np.linalg.norm(outward, axis=1, keepdims=True)

    def project(self, points: np.ndarray) -> np.ndarray:
        return self.ball.center + self.ball.radius * self.normals(points)


def unit_sphere(order: int) -> quadrature.Rule:
    """Gauss and Legendre's rule along one axis, and 2 order even angles about it."""
    heights, weights = quadrature.interval(-1.0, 1.0, order)
    angle = np.pi * (np.arange(2 * order) + 0.5) / order
    reach = np.sqrt(1 - heights**2)
    points = np.stack(np.broadcast_arrays(heights, reach * np.cos(angle), reach * np.sin(angle)), axis=-1)
    return points.reshape(-1, 3), np.repeat(weights * np.pi / order, 2 * order)


def directions(unit: np.ndarray) -> np.ndarray:
    """Unit vectors (n, d) that are uniform where the points (n, d - 1) of the unit cube are.

    The first component x of a uniform direction has (1 + x)/2 ~ Beta((d - 1)/2, (d - 1)/2), and the others are a
    uniform direction in one dimension less, times sqrt(1 - x^2); in the plane it is an angle.

    >>> directions(np.array([[0.5, 0.25]])).round(15).tolist()
    [[0.0, 0.0, 1.0]]
    """
    left, components = np.ones(len(unit)), []
    for column in range(unit.shape[1] - 1):
        half = (unit.shape[1] - column) / 2
        share = betaincinv(half, half, unit[:, column])
        components.append(left * (2 * share - 1))
        left = left * 2 * np.sqrt(share * (1 - share))
    angle = 2 * np.pi * unit[:, -1]
    return np.stack([*components, left * np.cos(angle), left * np.sin(angle)], axis=1)
