"""Balls in three or more coordinates, and the spheres that bound them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import gamma
from typing import Any, ClassVar

import numpy as np
from scipy.special import betaincinv

from pinnkit.domains import quadrature
from pinnkit.domains.registry import SHAPES
from pinnkit.domains.round import Round, RoundBoundary
from pinnkit.domains.shape import Shape, ShapeError
from pinnkit.domains.trimmed import slice_of


@SHAPES.register("ball")
@dataclass(frozen=True)
class Ball(Round):
    """{p : |p - center| <= radius} in d >= 3 coordinates.

    Args:
        names: the coordinates.
        center: a number for each of them.
        radius: above zero.

    Raises:
        ShapeError: fewer coordinates, a center of another length, or a radius that is not positive.
    """

    example: ClassVar[Mapping[str, Any]] = {"names": ("x", "y", "z"), "center": (0.5, -2.0, 1.0), "radius": 3.0}

    def __post_init__(self) -> None:
        if len(self.names) < 3:
            raise ShapeError("", f"a ball has three or more coordinates, and a disk two; here they are {self.listed}")
        super().__post_init__()

    @property
    def measure(self) -> float:
        """pi^(d/2) R^d / Gamma(d/2 + 1)."""
        return float(np.pi ** (self.dimension / 2) * self.radius**self.dimension / gamma(self.dimension / 2 + 1))

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

    def boundary(self, coordinates: Collection[str]) -> tuple[Shape, ...]:
        return (Sphere(self),) if set(self.names) <= set(coordinates) else ()

    def at(self, /, **values: float) -> Shape:
        return slice_of(self, values)


@dataclass(frozen=True)
class Sphere(RoundBoundary):
    """The boundary of a ball."""

    solid: Ball

    @property
    def measure(self) -> float:
        return self.solid.measure * self.solid.dimension / self.solid.radius

    @property
    def description(self) -> str:
        return self.solid.description.replace("in the ball", "on the sphere")

    def sample(self, unit: np.ndarray) -> np.ndarray:
        self._check_unit(unit)
        return self.solid.center + self.solid.radius * directions(unit)

    def quadrature(self, order: int) -> quadrature.Rule:
        if self.dimension != 2:
            return super().quadrature(order)
        across, weights = unit_sphere(order)
        return self.solid.center + self.solid.radius * across, weights * self.solid.radius**2


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
