"""The interface of shapes: all that sampling, conditions, references and figures ask of a domain."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import sympy

from pinnkit.domains import quadrature

MOST_DRAWN = 2**20
"""Points of a larger shape of which one at least must lie in the shape."""


class ShapeError(ValueError):
    """A wrong setting of a shape: its name, and what is wrong."""

    def __init__(self, setting: str, message: str) -> None:
        super().__init__(message)
        self.setting = setting


class Shape(ABC):
    """A closed set of points in named coordinates: a solid, a part of its boundary, a line, a point.

    Points are arrays (n, d) with a column for each of `coordinates`. A part of a boundary is a shape too, of one
    dimension less, and has outward normals.

    Attributes:
        bounds: the bounding box, coordinate -> (lower, upper), in the order of the coordinates.
        example: of a shape that problems choose by its name: arguments of an instance, for messages and for the tests
            of all shapes.
        bare: the argument that a problem may give alone, without its name; "": there is none.
    """

    example: ClassVar[Mapping[str, Any]]
    bare: ClassVar[str] = ""
    if TYPE_CHECKING:  # a field of some shapes, a property of others

        @property
        def bounds(self) -> Mapping[str, tuple[float, float]]: ...

    # ------------------------------------------------------------ what a shape defines

    @property
    @abstractmethod
    def dimension(self) -> int:
        """The number of coordinates of the unit points that are mapped to it: 2 for a disk, 1 for its rim."""

    @property
    @abstractmethod
    def measure(self) -> float:
        """Length, area, volume ... by its dimension; 1 for a single point."""

    @property
    def drawn(self) -> float:
        """The measure of what `sample` covers evenly: more than `measure` where `keeps` leaves some of it out."""
        return self.measure

    @property
    @abstractmethod
    def description(self) -> str:
        """The shape as text, such as "x in [0, 1], t = 0"."""

    @abstractmethod
    def sample(self, unit: np.ndarray) -> np.ndarray:
        """Map points (n, dimension) of the unit cube to points (n, d), so that even points become even ones.

        Of a shape that is cut out of a larger one the points are those of the larger one: `keeps` tells its own.
        """

    def keeps(self, points: np.ndarray) -> np.ndarray:
        """Mask (n,) of the points (n, d), which `sample` gave, that belong to the shape."""
        return np.ones(len(points), dtype=bool)

    @abstractmethod
    def contains(self, points: np.ndarray, slack: float | np.ndarray = 0.0) -> np.ndarray:
        """Mask (n,) of the points (n, d) of the closed shape, up to rounding.

        slack: a number or (d,), by how much a point may lie outside along each coordinate.
        """

    @abstractmethod
    def distance(self, points: np.ndarray) -> np.ndarray:
        """Distance (n,) to the edge: positive inside, zero on it, negative outside; of a shape without an interior in
        its coordinates, minus the distance to it."""

    @abstractmethod
    def near_edge(self, points: np.ndarray, slack: np.ndarray) -> np.ndarray:
        """Mask (n,) of the points (n, d) of the shape that lie within `slack` (d,) of the shape's own edge."""

    @abstractmethod
    def boundary(self, coordinates: Collection[str]) -> tuple[Shape, ...]:
        """The parts of the boundary whose normals lie in the space of the named coordinates."""

    def normals(self, points: np.ndarray) -> np.ndarray | None:
        """The outward unit normals (n, d) at points of a part of a boundary; None for any other shape."""
        return None

    def at(self, /, **values: float) -> Shape:
        """The part where the named coordinates have the given values.

        Raises:
            ValueError: a name is not a coordinate, a value lies outside the shape, or the part cannot be described.
        """
        raise ValueError(f"{', '.join(values)} cannot be fixed in {self.description}")

    def project(self, points: np.ndarray) -> np.ndarray:
        """Points (n, d) moved at right angles onto the line, plane or curved surface that the shape is a part of.

        Raises:
            TypeError: the shape is curved, or oblique, and its class does not define this: no point could be moved.
        """
        if self.dimension < len(self.free):
            surface = f"dimension {self.dimension} and varies in {', '.join(self.free)}"
            raise TypeError(f"{type(self).__name__} has {surface}: it must define project, by which its points move")
        return points

    @property
    def distance_expression(self) -> sympy.Expr | None:
        """A closed form of the distance, in the symbols `distances.coordinate(name)`; None where there is none.

        Of a solid: zero on its boundary, positive inside, with derivative 1 along the inward normal where the boundary
        is smooth. Of a part of a boundary: zero on this part alone, positive in the rest of the domain.
        """
        return None

    @property
    def vanishing_expression(self) -> sympy.Expr | None:
        """Of a solid: zero on its boundary alone and positive inside, as the distance, and smooth at convex corners.

        There R-functions have curvatures that grow without bound, and products none, but no slope either.
        """
        return self.distance_expression

    @property
    def surface_expression(self) -> sympy.Expr | None:
        """Of a part of a boundary: a function that is zero on this part and nowhere else at all."""
        return self.distance_expression

    def remains_expression(self, solid: Shape) -> sympy.Expr | None:
        """Of a solid and one that it may be made of: positive at those points of the boundary of that one which bound
        this solid, negative at others; of other solids, at those which lie in this one."""
        return self.distance_expression

    @property
    def ends(self) -> np.ndarray:
        """The end points (k, d) of a shape of dimension 1; none of any other, nor of a closed curve."""
        return np.empty((0, len(self.coordinates)))

    def quadrature(self, order: int) -> quadrature.Rule:
        """Points (q, d) and weights (q,) by which an integral over the shape is computed.

        order: nodes along each coordinate, where the shape has a rule that is better than quasi-random points.
        """
        columns = [self.coordinates.index(name) for name in self.free]
        if not self.dimension:
            return self.sample(np.empty((1, 0))), np.ones(1)
        if self.dimension == 2 and len(columns) == 2:

            def filled(points: np.ndarray) -> np.ndarray:
                whole = np.tile(self.lower, (len(points), 1))
                whole[:, columns] = points
                return whole

            lower, upper = self.lower[columns], self.upper[columns]
            points, weights = quadrature.plane(lambda one: self.contains(filled(one)), lower, upper, order)
            return filled(points), weights
        if self.dimension == len(self.coordinates) == 1:
            return quadrature.line(self.contains, *self.bounds[self.coordinates[0]], order)
        if self.dimension == 1:
            corners = getattr(self, "corners", np.empty(0))
            return quadrature.curve(self.sample, self.measure, order, quadrature.pieces(corners))

        def kept(unit: np.ndarray) -> np.ndarray:
            points = self.sample(unit)
            return points[self.keeps(points)]

        return quadrature.quasi_random(kept, self.dimension, self.measure)

    def beside(self, points: np.ndarray, moved: np.ndarray, reach: float) -> np.ndarray:
        """Whether the solid lies at points (n, d) and, where these are within `reach` of its edge, at `moved` ones."""
        mask = within_bounds(self, points, reach)
        if not mask.any():
            return mask
        mask[mask] = self.contains(points[mask], reach)
        edge = np.flatnonzero(mask)
        edge = edge[~self.contains(points[edge], -reach)]
        mask[edge] = self.contains(moved[edge])
        return mask

    def spans(self, coordinate: str) -> bool:
        """Whether the shape is an interval of this coordinate times a shape in the others."""
        return False

    # ------------------------------------------------------------ what follows

    def draw(
        self,
        count: int,
        unit: Callable[[int], np.ndarray],
        allowed: Callable[[np.ndarray], np.ndarray] | None = None,
        thin: Callable[[np.ndarray, int], np.ndarray] = lambda points, count: points[:count],
    ) -> np.ndarray:
        """`count` points (count, d) of the shape: those of `sample(unit(m))` that it keeps, with m as large as needed.

        Args:
            unit: m -> points (m, dimension) of the unit cube; the result is a pure function of these.
            allowed: mask (m,) of the points that are wanted; None: all.
            thin: takes `count` of more points; the first ones by default.

        Raises:
            ValueError: fewer than one in 2^20 points is kept.
        """
        drawn = max(count, 1)
        while True:
            points = self.sample(unit(drawn))
            kept = self.keeps(points)
            if allowed is not None:
                kept = kept & allowed(points)
            if not self.dimension or kept.sum() >= count:
                return thin(points if kept.all() else points[kept], count)
            if drawn > MOST_DRAWN * max(kept.sum(), 1) and drawn > MOST_DRAWN:
                raise ValueError(f"{self.description}: only {kept.sum()} of {drawn} points lie in it")
            drawn *= 2

    @property
    def coordinates(self) -> tuple[str, ...]:
        return tuple(self.bounds)

    @property
    def free(self) -> tuple[str, ...]:
        """The coordinates that vary in this shape."""
        return tuple(name for name, (lower, upper) in self.bounds.items() if upper > lower)

    @property
    def fixed(self) -> dict[str, float]:
        """The coordinates that do not vary in this shape, and their values."""
        return {name: lower for name, (lower, upper) in self.bounds.items() if lower == upper}

    @property
    def lower(self) -> np.ndarray:
        """Lower ends of the bounding box, shape (d,)."""
        return np.array([lower for lower, _ in self.bounds.values()])

    @property
    def upper(self) -> np.ndarray:
        """Upper ends of the bounding box, shape (d,)."""
        return np.array([upper for _, upper in self.bounds.values()])

    @property
    def has_normals(self) -> bool:
        """Whether the shape is a part of a boundary."""
        return self.normals(self.lower[None]) is not None

    @property
    def cut(self) -> bool:
        """Whether it ends at the ranges of the coordinates somewhere, and `boundary` has no part there."""
        return False

    @property
    def fills_bounds(self) -> bool:
        """Whether the shape is its bounding box."""
        return all(map(self.spans, self.coordinates))

    @property
    def widths(self) -> np.ndarray:
        """Lengths (d,) such that widths / n^(1/dimension) is the size of the cell that one of n even points has."""
        return self.upper - self.lower

    def axis(self, coordinate: str, count: int) -> np.ndarray:
        """Points (count,) of a coordinate, evenly from one end of its range to the other."""
        return np.linspace(*self.bounds[coordinate], count)

    def grid(self, counts: Mapping[str, int]) -> dict[str, np.ndarray]:
        """A tensor grid over the bounding box: coordinate -> array of the grid's shape (indexing "ij")."""
        axes = [self.axis(name, counts[name]) for name in self.bounds]
        return dict(zip(self.bounds, np.meshgrid(*axes, indexing="ij"), strict=True))

    def _check_unit(self, unit: np.ndarray) -> None:
        if unit.ndim != 2 or unit.shape[1] != self.dimension:
            raise ValueError(
                f"unit has shape {unit.shape}: (n, {self.dimension}) is needed, a column for each free coordinate"
            )


def within_bounds(shape: Shape, points: np.ndarray, slack: float | np.ndarray = 0.0) -> np.ndarray:
    """Mask (n,) of the points (n, d) in the bounding box of a shape made a little wider: all others lie outside."""
    lower, upper = shape.lower, shape.upper
    slack = slack + 1e-9 * (upper - lower)
    return np.all((points >= lower - slack) & (points <= upper + slack), axis=1)
