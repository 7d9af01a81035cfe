"""Shapes where a function is negative, and the zero sets that bound them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import sympy

from pinnkit.domains.box import Box
from pinnkit.domains.level_function import LevelFunction
from pinnkit.domains.level_geometry import LevelGeometry, level_geometry
from pinnkit.domains.registry import SHAPES
from pinnkit.domains.shape import Shape
from pinnkit.domains.trimmed import slice_of
from pinnkit.domains.whole_boundary import WholeBoundary

NARROW = 1e6
"""Up to how many times the rounding a distance to first order is near enough."""
_X, _Y = sympy.symbols("x y", real=True)


@SHAPES.register("level_set")
@dataclass(frozen=True)
class LevelSet(Shape):
    """{p in the box : phi(p) <= 0}, whose boundary is the zero set of phi in the box.

    The faces of the box are no part of its boundary, and count in no distance: it is what can be seen of the set in the
    box. Parts thinner than a cell of the grid on which it is looked for (1/4096, 1/256, 1/48 of the box in one, two,
    three dimensions) are not found.

    Args:
        names: the coordinates; of more than three the boundary has no points.
        function: phi.
        ranges: the box, (lower, upper) of each coordinate.

    Raises:
        ShapeError: phi is negative nowhere or everywhere, not finite, or has no gradient on the boundary.
    """

    example: ClassVar[Mapping[str, Any]] = {
        "names": ("x", "y"),
        "function": LevelFunction(
            "x^2 + y^4 - 0.04",
            _X**2 + _Y**4 - 0.04,
            lambda points: points[:, 0] ** 2 + points[:, 1] ** 4 - 0.04,
            lambda points: np.stack([2 * points[:, 0], 4 * points[:, 1] ** 3], axis=1),
        ),
        "ranges": ((-1.0, 1.0), (-1.0, 1.0)),
    }

    names: tuple[str, ...]
    function: LevelFunction
    ranges: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        _ = self.geometry  # raises where there is none

    @cached_property
    def geometry(self) -> LevelGeometry:
        """Bounds, measure and boundary, found on a grid."""
        return level_geometry(self.function, self.box)

    @cached_property
    def box(self) -> Box:
        return Box({name: (float(a), float(b)) for name, (a, b) in zip(self.names, self.ranges, strict=True)})

    @property
    def bounds(self) -> Mapping[str, tuple[float, float]]:
        return self.geometry.bounds.bounds

    @property
    def dimension(self) -> int:
        return len(self.names)

    @property
    def measure(self) -> float:
        return self.geometry.volume

    @property
    def drawn(self) -> float:
        return self.geometry.bounds.measure

    @property
    def description(self) -> str:
        return f"{_listed(self.names)} where {self.function.text} < 0"

    @property
    def cut(self) -> bool:
        """Whether the shape reaches a face of the box, so that its zero set is no closed curve or surface.

        Of more than three coordinates it has no boundary in any case.
        """
        return self.geometry.surface is not None and any(
            lower <= least or upper >= most
            for (lower, upper), (least, most) in zip(self.bounds.values(), self.ranges, strict=True)
        )

    @property
    def distance_expression(self) -> sympy.Expr:
        return self.function.distance_expression

    def sample(self, unit: np.ndarray) -> np.ndarray:
        return self.geometry.bounds.sample(unit)

    def keeps(self, points: np.ndarray) -> np.ndarray:
        return self.function.value(points) < 0

    def contains(self, points: np.ndarray, slack: float | np.ndarray = 0.0) -> np.ndarray:
        """A negative slack asks for points as far inside, from the zero set alone."""
        widest, rounding = float(np.max(slack)), self.geometry.rounding
        inside = self.function.value(points) <= 0
        if abs(widest) <= NARROW * rounding:  # to first order
            with np.errstate(invalid="ignore"):
                depth = self.function.distances(points)
                inside = inside & ~(depth < -widest) if widest < 0 else inside | (depth >= -widest - rounding)
        else:
            inside = self.distance(points) >= -widest
        return inside & self.box.contains(points, np.maximum(slack, 0.0) + rounding)

    def distance(self, points: np.ndarray) -> np.ndarray:
        """That to the zero set; in more than three dimensions to first order, -phi / |grad phi|."""
        if self.geometry.surface is None:
            widest = float(np.linalg.norm(self.box.upper - self.box.lower))  # the gradient may vanish in the middle
            return np.clip(np.nan_to_num(self.function.distances(points), nan=0.0), -widest, widest)
        away = np.linalg.norm(points - self.geometry.surface.nearest(points), axis=1)
        return np.where(self.function.value(points) <= 0, away, -away)

    def near_edge(self, points: np.ndarray, slack: np.ndarray) -> np.ndarray:
        widest = float(np.max(slack))
        if widest <= NARROW * self.geometry.rounding:
            near = self.function.is_zero(points, widest)
        else:
            near = np.abs(self.distance(points)) <= widest
        return near | _near_faces(self.box, points, slack)

    def boundary(self, coordinates: Collection[str]) -> tuple[Shape, ...]:
        surface = self.geometry.surface
        if surface is None or not set(self.names) <= set(coordinates):
            return ()
        if self.dimension > 1:
            return (ZeroSet(self),)
        (name,) = self.names
        normals = np.sign(self.function.gradient(surface.points))
        pairs = zip(surface.points[:, 0], normals[:, 0], strict=True)
        return tuple(Box({name: (float(at), float(at))}, {name: float(normal)}) for at, normal in pairs)

    def at(self, /, **values: float) -> Shape:
        return slice_of(self, values)


def _near_faces(box: Box, points: np.ndarray, slack: np.ndarray) -> np.ndarray:
    return ((points <= box.lower + slack) | (points >= box.upper - slack)).any(axis=1)


def _listed(names: tuple[str, ...]) -> str:
    return f"({', '.join(names)})" if len(names) > 1 else names[0]


@dataclass(frozen=True)
class ZeroSet(WholeBoundary):
    """{p in the box : phi(p) = 0}, with the normals grad phi / |grad phi|: a curve or a surface."""

    solid: LevelSet

    @property
    def _surface(self) -> Any:
        return self.solid.geometry.surface

    @property
    def measure(self) -> float:
        return self._surface.simplices.measure

    @property
    def description(self) -> str:
        return f"{_listed(self.solid.names)} where {self.solid.function.text} = 0"

    @property
    def corners(self) -> np.ndarray:
        """Of a curve: the unit coordinates where one of its chains ends, and those that cut these into parts."""
        return self._surface.simplices.breaks

    def sample(self, unit: np.ndarray) -> np.ndarray:
        """Uniform by length or area on the segments or triangles of a grid, then moved onto the zero set."""
        self._check_unit(unit)
        return self._surface.onto(self._surface.simplices.sample(unit))

    def keeps(self, points: np.ndarray) -> np.ndarray:
        on = self.solid.function.is_zero(points, self.solid.geometry.rounding)
        return on & self.solid.box.contains(points)

    def distance(self, points: np.ndarray) -> np.ndarray:
        return -np.linalg.norm(points - self.project(points), axis=1)

    def contains(self, points: np.ndarray, slack: float | np.ndarray = 0.0) -> np.ndarray:
        rounding, widest = self.solid.geometry.rounding, float(np.max(slack))
        if abs(widest) <= NARROW * rounding:
            near = self.solid.function.is_zero(points, widest + rounding)
        else:
            near = self.distance(points) >= -widest - rounding
        return near & self.solid.box.contains(points, slack + rounding)

    def near_edge(self, points: np.ndarray, slack: np.ndarray) -> np.ndarray:
        return _near_faces(self.solid.box, points, slack)

    def normals(self, points: np.ndarray) -> np.ndarray:
        gradient = self.solid.function.gradient(points)
        with np.errstate(all="ignore"):
            return gradient / np.linalg.norm(gradient, axis=1, keepdims=True)

    def project(self, points: np.ndarray) -> np.ndarray:
        return self._surface.nearest(points)
