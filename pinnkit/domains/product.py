"""Products of shapes, such as a disk and an interval of time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import sympy

from pinnkit.domains import quadrature
from pinnkit.domains.distances import intersection, trimmed
from pinnkit.domains.shape import Shape


@dataclass(frozen=True)
class Product(Shape):
    """{p : the coordinates of p that each factor has lie in it}.

    Args:
        factors: shapes without a coordinate in common.
        order: all coordinates, in the order of the columns of points.

    Raises:
        ValueError: the order does not name each coordinate of the factors once.
    """

    factors: tuple[Shape, ...]
    order: tuple[str, ...]

    def __post_init__(self) -> None:
        names = [name for factor in self.factors for name in factor.coordinates]
        if sorted(names) != sorted(self.order):
            raise ValueError(f"the factors have the coordinates {', '.join(names)}, and the order is {self.order}")

    @cached_property
    def bounds(self) -> Mapping[str, tuple[float, float]]:
        ranges = {name: ends for factor in self.factors for name, ends in factor.bounds.items()}
        return {name: ranges[name] for name in self.order}

    @property
    def dimension(self) -> int:
        return sum(factor.dimension for factor in self.factors)

    @property
    def measure(self) -> float:
        return float(np.prod([factor.measure for factor in self.factors]))

    @property
    def drawn(self) -> float:
        return float(np.prod([factor.drawn for factor in self.factors]))

    @property
    def description(self) -> str:
        return ", ".join(factor.description for factor in self.factors)

    @property
    def cut(self) -> bool:
        return any(factor.cut for factor in self.factors)

    def spans(self, coordinate: str) -> bool:
        return any(factor.spans(coordinate) for factor in self.factors if coordinate in factor.coordinates)

    def _columns(self) -> Iterator[tuple[Shape, list[int]]]:
        """Each factor with the places of its coordinates among the columns."""
        for factor in self.factors:
            yield factor, [self.order.index(name) for name in factor.coordinates]

    def sample(self, unit: np.ndarray) -> np.ndarray:
        """The columns of `unit` belong to the factors one after the other."""
        self._check_unit(unit)
        points, used = np.empty((len(unit), len(self.order))), 0
        for factor, columns in self._columns():
            points[:, columns] = factor.sample(unit[:, used : used + factor.dimension])
            used += factor.dimension
        return points

    def quadrature(self, order: int) -> quadrature.Rule:
        """The product of the factors' rules."""
        points, weights = quadrature.tensor([factor.quadrature(order) for factor, _ in self._columns()])
        return points[:, np.argsort([column for _, columns in self._columns() for column in columns])], weights

    def keeps(self, points: np.ndarray) -> np.ndarray:
        return np.all([factor.keeps(points[:, columns]) for factor, columns in self._columns()], axis=0)

    def contains(self, points: np.ndarray, slack: float | np.ndarray = 0.0) -> np.ndarray:
        slack = np.broadcast_to(slack, len(self.order))
        masks = [factor.contains(points[:, columns], slack[columns]) for factor, columns in self._columns()]
        return np.all(masks, axis=0)

    def distance(self, points: np.ndarray) -> np.ndarray:
        depth = np.stack([factor.distance(points[:, columns]) for factor, columns in self._columns()], axis=1)
        outside = np.linalg.norm(np.minimum(depth, 0.0), axis=1)
        return np.where(outside > 0, -outside, depth.min(axis=1))

    def near_edge(self, points: np.ndarray, slack: np.ndarray) -> np.ndarray:
        masks = [factor.near_edge(points[:, columns], slack[columns]) for factor, columns in self._columns()]
        return np.any(masks, axis=0)

    @property
    def widths(self) -> np.ndarray:
        found = np.empty(len(self.order))
        for factor, columns in self._columns():
            found[columns] = factor.widths
        return found

    def axis(self, coordinate: str, count: int) -> np.ndarray:
        (factor,) = (one for one in self.factors if coordinate in one.coordinates)
        return factor.axis(coordinate, count)

    def boundary(self, coordinates: Collection[str]) -> tuple[Product, ...]:
        """Each part of a factor's boundary, times the other factors."""
        return tuple(
            self._with(number, part)
            for number, factor in enumerate(self.factors)
            for part in factor.boundary(coordinates)
        )

    def _with(self, number: int, part: Shape) -> Product:
        return Product((*self.factors[:number], part, *self.factors[number + 1 :]), self.order)

    def normals(self, points: np.ndarray) -> np.ndarray | None:
        for factor, columns in self._columns():
            found = factor.normals(points[:, columns])
            if found is not None:
                normals = np.zeros(points.shape)
                normals[:, columns] = found
                return normals
        return None

    def at(self, /, **values: float) -> Product:
        if unknown := [name for name in values if name not in self.order]:
            raise ValueError(f"{unknown[0]} is not a coordinate; coordinates are {', '.join(self.order)}")
        parts = []
        for factor in self.factors:
            own = {name: value for name, value in values.items() if name in factor.coordinates}
            parts.append(factor.at(**own) if own else factor)
        return Product(tuple(parts), self.order)

    def project(self, points: np.ndarray) -> np.ndarray:
        moved = points.copy()
        for factor, columns in self._columns():
            moved[:, columns] = factor.project(points[:, columns])
        return moved

    @property
    def distance_expression(self) -> sympy.Expr | None:
        """Of a part of a boundary that of the factor with normals; of a solid the intersection of its factors."""
        faces = [factor for factor in self.factors if factor.has_normals]
        found = [factor.distance_expression for factor in faces or self.factors]
        return None if None in found else intersection(*found)

    @property
    def vanishing_expression(self) -> sympy.Expr | None:
        found = [factor.vanishing_expression for factor in self.factors]
        return None if None in found else sympy.Mul(*found)

    @property
    def surface_expression(self) -> sympy.Expr | None:
        """Of a part of a boundary that of the factor with normals, trimmed by the other factors."""
        (face,) = (factor for factor in self.factors if factor.has_normals)
        others = [factor.distance_expression for factor in self.factors if factor is not face]
        surface = face.surface_expression
        return None if None in (surface, *others) else trimmed(surface, intersection(*others))

    @property
    def ends(self) -> np.ndarray:
        line = [factor for factor in self.factors if factor.dimension]
        if self.dimension != 1 or not len(line[0].ends):
            return super().ends
        found = np.empty((len(line[0].ends), len(self.order)))
        for factor, columns in self._columns():
            found[:, columns] = line[0].ends if factor is line[0] else factor.lower
        return found
