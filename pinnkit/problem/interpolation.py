"""Functions through the values of a table, with their derivatives: splines on grids, polyharmonic ones between points.

SciPy is slow to import, and few problems have tables: it is loaded where one is built.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Protocol

import numpy as np

DEGREES = {"linear": 1, "cubic": 3, "quintic": 5}
"""Smoothness -> the degree of the polynomials between the points of a grid."""
MOST_SCATTERED = 3000
"""Scattered points at most: their system is dense."""
CHUNK = 4_000_000
"""Distances computed at once."""


class Interpolant(Protocol):
    """A function of d coordinates.

    Attributes:
        highest: the highest order of a derivative.
        description: what it is, as text.
    """

    @property
    def highest(self) -> int: ...

    @property
    def description(self) -> str: ...

    def __call__(self, points: np.ndarray, orders: Sequence[int]) -> np.ndarray:
        """The derivative of these orders (d,) at points (n, d), (n,)."""


class GridSpline:
    """The tensor product of splines of degree k through values on a grid (de Boor 1978), not-a-knot at the ends.

    Its derivatives of order k - 1 at most are continuous, and those are given.

    Args:
        axes: the grid's coordinates, each (k_i,) and increasing.
        values: (k_1, ..., k_d).
    """

    def __init__(self, axes: Sequence[np.ndarray], values: np.ndarray, smooth: str) -> None:
        self.axes, self.values, self.degree = list(axes), values, DEGREES[smooth]
        self.highest = self.degree - 1

    @property
    def description(self) -> str:
        sizes = " x ".join(str(len(axis)) for axis in self.axes)
        return f"a spline of degree {self.degree} through {sizes} values"

    @cached_property
    def _spline(self):
        from scipy.interpolate import NdBSpline, make_interp_spline

        coefficients, knots = self.values, []
        for number, axis in enumerate(self.axes):
            along = make_interp_spline(axis, np.moveaxis(coefficients, number, 0), self.degree)
            knots.append(along.t)
            coefficients = np.moveaxis(along.c, 0, number)
        return NdBSpline(tuple(knots), np.ascontiguousarray(coefficients), self.degree)

    def __call__(self, points: np.ndarray, orders: Sequence[int]) -> np.ndarray:
        inside = [np.clip(points[:, number], axis[0], axis[-1]) for number, axis in enumerate(self.axes)]
        return self._spline(np.stack(inside, axis=1), nu=tuple(orders))


class PointSpline:
    """A polyharmonic spline through scattered values: sum_j w_j |p - p_j|^k and a polynomial of degree (k - 1)/2.

    The weights are orthogonal to these polynomials, which it reproduces (Duchon 1977; Wendland 2005, chapter 8). Its
    derivatives of the first and second order are given.

    Args:
        points: (n, d), all different; each coordinate is scaled to its range.
        values: (n,).
    """

    highest = 2

    def __init__(self, points: np.ndarray, values: np.ndarray, smooth: str) -> None:
        self.power = DEGREES[smooth]
        self.low = points.min(axis=0)
        self.size = np.where(np.ptp(points, axis=0) > 0, np.ptp(points, axis=0), 1.0)
        self.centres, self.values = (points - self.low) / self.size, values
        self.exponents = _exponents(points.shape[1], (self.power - 1) // 2)

    @property
    def description(self) -> str:
        return f"a polyharmonic spline, r^{self.power}, through {len(self.centres)} scattered values"

    @cached_property
    def _weights(self) -> np.ndarray:
        distances = np.linalg.norm(self.centres[:, None] - self.centres[None], axis=2)
        tail = self._monomials(self.centres, (0,) * self.centres.shape[1])
        corner = np.zeros((tail.shape[1], tail.shape[1]))
        system = np.block([[distances**self.power, tail], [tail.T, corner]])
        return np.linalg.solve(system, np.concatenate([self.values, np.zeros(tail.shape[1])]))

    def __call__(self, points: np.ndarray, orders: Sequence[int]) -> np.ndarray:
        places = (points - self.low) / self.size
        rows = max(1, CHUNK // len(self.centres))
        found = [self._at(places[start : start + rows], orders) for start in range(0, len(places), rows)]
        return np.concatenate(found or [np.empty(0)]) / math.prod(self.size**orders)

    def _at(self, places: np.ndarray, orders: Sequence[int]) -> np.ndarray:
        weights = self._weights
        along = [axis for axis, order in enumerate(orders) for _ in range(order)]
        apart = places[:, None] - self.centres[None]
        distance, k = np.linalg.norm(apart, axis=2), self.power
        if not along:
            kernel = distance**k
        elif len(along) == 1:
            kernel = k * distance ** (k - 2) * apart[:, :, along[0]]
        else:
            first, second = (apart[:, :, axis] for axis in along)
            steep = distance ** (k - 4) if k > 4 else 1 / np.where(distance > 0, distance, 1.0)
            kernel = k * (k - 2) * steep * first * second
            if along[0] == along[1]:
                kernel += k * distance ** (k - 2)
        return kernel @ weights[: len(self.centres)] + self._monomials(places, orders) @ weights[len(self.centres) :]

    def _monomials(self, places: np.ndarray, orders: Sequence[int]) -> np.ndarray:
        """The derivatives of the polynomials' monomials at places (n, d), (n, m)."""
        columns = []
        for exponents in self.exponents:
            column = np.ones(len(places))
            for axis, (power, order) in enumerate(zip(exponents, orders, strict=True)):
                factor = math.perm(power, order) if order <= power else 0
                column = column * factor * places[:, axis] ** max(power - order, 0)
            columns.append(column)
        return np.stack(columns, axis=1)


class Triangles:
    """The linear interpolant on the triangles (simplices) between scattered points; NaN outside their hull."""

    highest = 0

    def __init__(self, points: np.ndarray, values: np.ndarray) -> None:
        self.points, self.values = points, values

    @property
    def description(self) -> str:
        return f"linear between {len(self.points)} scattered values"

    @cached_property
    def _interpolant(self):
        from scipy.interpolate import LinearNDInterpolator

        return LinearNDInterpolator(self.points, self.values, rescale=True)

    def __call__(self, points: np.ndarray, orders: Sequence[int]) -> np.ndarray:
        return self._interpolant(points)


def _exponents(dimension: int, degree: int) -> list[tuple[int, ...]]:
    """The exponents of all monomials of that degree at most."""
    every = np.stack(np.meshgrid(*[np.arange(degree + 1)] * dimension, indexing="ij"), axis=-1).reshape(-1, dimension)
    return [tuple(map(int, one)) for one in every if one.sum() <= degree]
