"""Boxes of any dimension, their faces, outward normals and measure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np


@dataclass(frozen=True)
class Box:
    """The product of closed intervals, one for each coordinate: {p : lower_i <= p_i <= upper_i}.

    An interval of length zero fixes its coordinate, so a face of a box is a box too.

    Args:
        bounds: coordinate name -> (lower, upper), in the order of the coordinates.
        normal: the outward unit normal, coordinate name -> component, where this box is a face of another.

    Raises:
        ValueError: a bound is not finite, or lower > upper.

    >>> rod = Box({"x": (-1.0, 1.0), "t": (0.0, 1.0)})
    >>> rod.measure, rod.at(x=1.0).measure, rod.face("x", -1.0).normal["x"]
    (2.0, 1.0, -1.0)
    """

    bounds: Mapping[str, tuple[float, float]]
    normal: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, (lower, upper) in self.bounds.items():
            if not (np.isfinite(lower) and np.isfinite(upper)):
                raise ValueError(f"the range of {name} is [{lower}, {upper}]: both ends must be finite")
            if lower > upper:
                raise ValueError(f"the range of {name} is [{lower}, {upper}]: the lower end comes first")

    @property
    def coordinates(self) -> tuple[str, ...]:
        return tuple(self.bounds)

    @property
    def free(self) -> tuple[str, ...]:
        """The coordinates that vary in this box."""
        return tuple(name for name, (lower, upper) in self.bounds.items() if upper > lower)

    @property
    def measure(self) -> float:
        """Length, area, volume ... over the free coordinates; 1 for a single point."""
        return float(np.prod([self.bounds[name][1] - self.bounds[name][0] for name in self.free]))

    @property
    def lower(self) -> np.ndarray:
        """Lower ends, shape (d,)."""
        return np.array([lower for lower, _ in self.bounds.values()])

    @property
    def upper(self) -> np.ndarray:
        """Upper ends, shape (d,)."""
        return np.array([upper for _, upper in self.bounds.values()])

    def at(self, /, **values: float) -> Box:
        """The part of the box where the named coordinates have the given values.

        Raises:
            ValueError: a name is not a coordinate, or a value lies outside its range.
        """
        bounds = dict(self.bounds)
        for name, value in values.items():
            if name not in bounds:
                raise ValueError(f"{name} is not a coordinate; coordinates are {', '.join(bounds)}")
            lower, upper = bounds[name]
            if not lower <= value <= upper:
                raise ValueError(f"{name} = {value:g} lies outside the domain [{lower:g}, {upper:g}]")
            bounds[name] = (float(value), float(value))
        return Box(bounds, self.normal)

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
        return Box(part.bounds, MappingProxyType(normal))

    def faces(self, coordinates: tuple[str, ...]) -> tuple[Box, ...]:
        """Both faces of each of the named coordinates: 2 k boxes for k names."""
        return tuple(self.face(name, end) for name in coordinates for end in self.bounds[name])

    def points(self, unit: np.ndarray) -> np.ndarray:
        """Map points of the unit cube to the box: p = lower + unit * (upper - lower).

        Args:
            unit: (n, k) in [0, 1], a column for each of the k free coordinates.

        Returns:
            (n, d), a column for each coordinate.
        """
        if unit.ndim != 2 or unit.shape[1] != len(self.free):
            raise ValueError(
                f"unit has shape {unit.shape}: (n, {len(self.free)}) is needed, a column for each free coordinate"
            )
        points = np.tile(self.lower, (len(unit), 1))
        columns = [self.coordinates.index(name) for name in self.free]
        points[:, columns] += unit * (self.upper - self.lower)[columns]
        return np.minimum(points, self.upper)  # the sum may round beyond the end

    def contains(self, points: np.ndarray) -> np.ndarray:
        """Mask (n,) of the points (n, d) that lie in the closed box."""
        return np.all((points >= self.lower) & (points <= self.upper), axis=1)

    def grid(self, counts: Mapping[str, int]) -> dict[str, np.ndarray]:
        """A tensor grid with both ends of every range: coordinate -> array of the grid's shape (indexing "ij")."""
        axes = [np.linspace(*self.bounds[name], counts[name]) for name in self.bounds]
        return dict(zip(self.bounds, np.meshgrid(*axes, indexing="ij"), strict=True))
