"""Boxes of any dimension, their faces, outward normals and measure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import sympy

from pinnkit.domains import quadrature
from pinnkit.domains.distances import between, coordinate, intersection, number, trimmed
from pinnkit.domains.shape import Shape

MOST_TENSOR = 3
"""Coordinates of a box that has a product of rules."""


@dataclass(frozen=True)
class Box(Shape):
    """The product of closed intervals, one for each coordinate: {p : lower_i <= p_i <= upper_i}.

    An interval of length zero fixes its coordinate, so a face of a box is a box too.

    Args:
        bounds: coordinate name -> (lower, upper), in the order of the coordinates.
        normal: the outward unit normal, coordinate name -> component, where this box is a face of another.
        logarithmic: the coordinates above zero whose even points are even in the logarithm.

    Raises:
        ValueError: a bound is not finite, or lower > upper, or a logarithmic one is not above zero.

    >>> rod = Box({"x": (-1.0, 1.0), "t": (0.0, 1.0)})
    >>> rod.measure, rod.at(x=1.0).measure, rod.face("x", -1.0).normal["x"]
    (2.0, 1.0, -1.0)
    """

    bounds: Mapping[str, tuple[float, float]]
    normal: Mapping[str, float] = field(default_factory=dict)
    logarithmic: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for name, (lower, upper) in self.bounds.items():
            if not (np.isfinite(lower) and np.isfinite(upper)):
                raise ValueError(f"the range of {name} is [{lower}, {upper}]: both ends must be finite")
            if lower > upper:
                raise ValueError(f"the range of {name} is [{lower}, {upper}]: the lower end comes first")
            if name in self.logarithmic and lower <= 0:
                raise ValueError(f"the range of {name} is [{lower}, {upper}]: a logarithm needs numbers above zero")

    @property
    def dimension(self) -> int:
        return len(self.free)

    @property
    def measure(self) -> float:
        return float(np.prod([self.bounds[name][1] - self.bounds[name][0] for name in self.free]))

    @property
    def description(self) -> str:
        return ", ".join(
            f"{name} = {lower:.6g}" if lower == upper else f"{name} in [{lower:.6g}, {upper:.6g}]"
            for name, (lower, upper) in self.bounds.items()
        )

    def place(self, point: np.ndarray) -> str:
        """The coordinates of a point (d,) as text."""
        return ", ".join(f"{name} = {value:.4g}" for name, value in zip(self.bounds, point, strict=True))

    def spans(self, coordinate: str) -> bool:
        return True

    def at(self, /, **values: float) -> Box:
        bounds = dict(self.bounds)
        for name, value in values.items():
            if name not in bounds:
                raise ValueError(f"{name} is not a coordinate; coordinates are {', '.join(bounds)}")
            lower, upper = bounds[name]
            if not lower <= value <= upper:
                raise ValueError(f"{name} = {value:g} lies outside the domain [{lower:g}, {upper:g}]")
            bounds[name] = (float(value), float(value))
        return Box(bounds, self.normal, self.logarithmic)

    def only(self, names: Collection[str]) -> Box:
        """The box in these of its coordinates alone."""
        kept = {name: ends for name, ends in self.bounds.items() if name in names}
        return Box(kept, logarithmic=self.logarithmic & frozenset(names))

    def face(self, coordinate: str, value: float) -> Box:
        """The face at one end of a coordinate's range, with its outward normal (-1 or +1 along it).

        Raises:
            ValueError: the value is not an end of the range.
        """
        part = self.at(**{coordinate: value})
        lower, upper = self.bounds[coordinate]
        if value not in (lower, upper):
            raise ValueError(f"{coordinate} = {value:g} is not a face: the faces are at {lower:g} and {upper:g}")
        sign = 1.0 if value == upper else -1.0
        normal = {name: (sign if name == coordinate else 0.0) for name in self.bounds}
        return Box(part.bounds, MappingProxyType(normal), self.logarithmic)

    def boundary(self, coordinates: Collection[str]) -> tuple[Box, ...]:
        """Both faces of each of the named coordinates that vary: 2 k boxes for k of them."""
        return tuple(self.face(name, end) for name in self.free if name in coordinates for end in self.bounds[name])

    def normals(self, points: np.ndarray) -> np.ndarray | None:
        if not self.normal:
            return None
        return np.tile([self.normal[name] for name in self.bounds], (len(points), 1))

    def sample(self, unit: np.ndarray) -> np.ndarray:
        """p = lower + unit * (upper - lower), or lower * (upper/lower)^unit of a logarithmic coordinate.

        `unit` has a column for each free coordinate.
        """
        self._check_unit(unit)
        points = np.tile(self.lower, (len(unit), 1))
        columns = [self.coordinates.index(name) for name in self.free]
        points[:, columns] += unit * (self.upper - self.lower)[columns]
        for column, name in enumerate(self.free):
            if name in self.logarithmic:
                lower, upper = self.bounds[name]
                points[:, columns[column]] = lower * (upper / lower) ** unit[:, column]
        return np.clip(points, self.lower, self.upper)  # the sum may round beyond the end

    def axis(self, coordinate: str, count: int) -> np.ndarray:
        if coordinate not in self.logarithmic:
            return super().axis(coordinate, count)
        return np.clip(np.geomspace(*self.bounds[coordinate], count), *self.bounds[coordinate])

    def contains(self, points: np.ndarray, slack: float | np.ndarray = 0.0) -> np.ndarray:
        return np.all((points >= self.lower - slack) & (points <= self.upper + slack), axis=1)

    def distance(self, points: np.ndarray) -> np.ndarray:
        depth = np.minimum(points - self.lower, self.upper - points)
        outside = np.linalg.norm(np.minimum(depth, 0.0), axis=1)
        return np.where(outside > 0, -outside, depth.min(axis=1))

    def near_edge(self, points: np.ndarray, slack: np.ndarray) -> np.ndarray:
        near = (points <= self.lower + slack) | (points >= self.upper - slack)
        return near[:, [self.coordinates.index(name) for name in self.free]].any(axis=1)

    def project(self, points: np.ndarray) -> np.ndarray:
        return np.where(self.lower == self.upper, self.lower, points)

    def quadrature(self, order: int) -> quadrature.Rule:
        """Gauss and Legendre's rule along up to three coordinates, quasi-random points in more."""
        if self.dimension > MOST_TENSOR:
            return super().quadrature(order)
        return quadrature.tensor(
            [
                quadrature.interval(lower, upper, order) if upper > lower else (np.full((1, 1), lower), np.ones(1))
                for lower, upper in self.bounds.values()
            ]
        )

    @property
    def distance_expression(self) -> sympy.Expr | None:
        """Of a face the distance to its plane; of a solid the intersection of its intervals."""
        if self.normal:
            (name,) = (name for name, component in self.normal.items() if component)
            return number(self.normal[name]) * (number(self.bounds[name][0]) - coordinate(name))
        if self.fixed:
            return None
        return intersection(*(between(name, *ends) for name, ends in self.bounds.items()))

    @property
    def vanishing_expression(self) -> sympy.Expr | None:
        if self.fixed:
            return None
        return sympy.Mul(*(between(name, *ends) for name, ends in self.bounds.items()))

    @property
    def surface_expression(self) -> sympy.Expr | None:
        """Of a face the distance to its plane, trimmed by the intervals of the other coordinates."""
        plane = self.distance_expression
        if not self.normal or not self.free:
            return plane
        return trimmed(plane, intersection(*(between(name, *self.bounds[name]) for name in self.free)))

    @property
    def ends(self) -> np.ndarray:
        return np.array([self.lower, self.upper]) if self.dimension == 1 else super().ends
