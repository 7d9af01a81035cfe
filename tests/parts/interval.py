"""Intervals of a line."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from pinnkit.domains.box import Box
from pinnkit.domains.registry import SHAPES
from pinnkit.domains.shape import Shape, ShapeError


@SHAPES.register("interval")
@dataclass(frozen=True)
class Interval(Shape):
    """{x : |x - middle| <= length / 2} in one coordinate."""

    example: ClassVar[Mapping[str, Any]] = {"names": ("x",), "middle": 1.5, "length": 2.0}

    names: tuple[str, ...]
    middle: float
    length: float

    def __post_init__(self) -> None:
        if len(self.names) != 1:
            raise ShapeError("", f"an interval has one space coordinate, not {', '.join(self.names)}")
        if not self.length > 0:
            raise ShapeError("length", f"is {self.length:g}: a number above zero is needed")

    @property
    def bounds(self) -> Mapping[str, tuple[float, float]]:
        return {self.names[0]: (self.middle - self.length / 2, self.middle + self.length / 2)}

    @property
    def dimension(self) -> int:
        return 1

    @property
    def measure(self) -> float:
        return self.length

    @property
    def description(self) -> str:
        return f"{self.names[0]} within {self.length / 2:.6g} of {self.middle:.6g}"

    def sample(self, unit: np.ndarray) -> np.ndarray:
        return self.lower + self.length * unit

    def contains(self, points: np.ndarray, slack: float | np.ndarray = 0.0) -> np.ndarray:
        return self.distance(points) >= -np.max(slack) - 1e-13 * self.length

    def distance(self, points: np.ndarray) -> np.ndarray:
        return self.length / 2 - np.abs(points[:, 0] - self.middle)

    def near_edge(self, points: np.ndarray, slack: np.ndarray) -> np.ndarray:
        return np.abs(self.distance(points)) <= np.max(slack)

    def boundary(self, coordinates: Collection[str]) -> tuple[Shape, ...]:
        (name,) = self.names
        if name not in coordinates:
            return ()
        pairs = zip(self.bounds[name], (-1.0, 1.0), strict=True)
        return tuple(Box({name: (end, end)}, {name: normal}) for end, normal in pairs)
