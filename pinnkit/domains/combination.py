"""Solids put together from two others: union, difference and intersection."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import sympy

from pinnkit.domains.distances import intersection, union
from pinnkit.domains.even_points import directions, even_points, unit_of
from pinnkit.domains.seam import has_seam
from pinnkit.domains.shape import Shape, within_bounds
from pinnkit.domains.trimmed import Trimmed, slice_of

UNION, DIFFERENCE, INTERSECTION = "+", "-", "&"
ROUNDING = 1e-12
"""How near to a surface a point counts as on it, relative to the size of the solid."""
STEP = 1e-8
"""How far from a surface its two sides are looked at, relative to the size of the solid: thinner parts are lost."""
FEW, POINTS, MANY = 2**9, 2**14, 2**17
"""Points by which it is found whether anything is left, at first and at last, and the measure without a formula."""


@dataclass(frozen=True)
class Combination(Shape):
    """The closure of what lies in the left or the right solid (+), in the left alone (-), or in both (&).

    Args:
        operation: one of + - &.
        left, right: solids with the same coordinates in the same order.
        label: what to call it in messages, such as "box - hole".

    The distance has the right sign, and is at most the true one in size (the min and max of those of the two).

    Raises:
        ValueError: the solids have other coordinates, or nothing is left.
    """

    operation: str
    left: Shape
    right: Shape
    label: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if self.left.coordinates != self.right.coordinates:
            raise ValueError(f"the solids have the coordinates {self.left.coordinates} and {self.right.coordinates}")
        thin = any(lower >= upper for lower, upper in self.hull.values())
        if thin or not (self._kept(FEW).any() or self._kept(POINTS).any()):
            raise ValueError(f"{self.description} is empty")

    # ------------------------------------------------------------ where it lies

    @cached_property
    def hull(self) -> Mapping[str, tuple[float, float]]:
        """A box that the solid lies in, from those of its parts."""
        pair = (self.left, self.right)
        mine, other = (one.hull if isinstance(one, Combination) else one.bounds for one in pair)
        if self.operation == DIFFERENCE:
            return dict(mine)
        lower, upper = (min, max) if self.operation == UNION else (max, min)
        return {name: (lower(mine[name][0], other[name][0]), upper(mine[name][1], other[name][1])) for name in mine}

    @cached_property
    def bounds(self) -> Mapping[str, tuple[float, float]]:
        """The hull, cut where a part of it ends beyond all of the solid's boundary."""
        points = np.concatenate([one for part in self._parts for one in (part.draw(512, unit_of(part)), part.ends)])
        found = {}
        for column, (name, (lower, upper)) in enumerate(self.hull.items()):
            ends = sorted({end for leaf, _ in self.leaves() for end in leaf.bounds[name]} | {lower, upper})
            slack = 1e-9 * self.size
            least = max(end for end in ends if end <= points[:, column].min() + slack or end <= lower)
            most = min(end for end in ends if end >= points[:, column].max() - slack or end >= upper)
            found[name] = (max(least, lower), min(most, upper))
        return found

    @cached_property
    def size(self) -> float:
        return max(upper - lower for lower, upper in self.hull.values())

    @property
    def rounding(self) -> float:
        return ROUNDING * max(self.size, *(max(map(abs, ends)) for ends in self.hull.values()))

    @property
    def dimension(self) -> int:
        return len(self.coordinates)

    @property
    def coordinates(self) -> tuple[str, ...]:
        return self.left.coordinates

    @property
    def description(self) -> str:
        if self.label:
            return f"({', '.join(self.coordinates)}) in {self.label}"
        word = {UNION: "together with", DIFFERENCE: "without", INTERSECTION: "and"}[self.operation]
        nested = isinstance(self.right, Combination)
        return f"{self.left.description} {word} {f'({self.right.description})' if nested else self.right.description}"

    def spans(self, coordinate: str) -> bool:
        if not (self.left.spans(coordinate) and self.right.spans(coordinate)):
            return False
        (lower, upper), (least, most) = self.left.bounds[coordinate], self.right.bounds[coordinate]
        if self.operation == UNION:
            return (lower, upper) == (least, most)
        return self.operation == INTERSECTION or least <= lower <= upper <= most

    @cached_property
    def measure(self) -> float:
        """Up to two dimensions by the divergence theorem, the d-th part of the integral of p . n along the boundary; in
        more from points."""
        if self.dimension <= 2:
            return float(sum(part.flux for part in self._parts) / self.dimension)
        return self.drawn * float(self._kept(MANY).mean())

    # ------------------------------------------------------------ points

    @cached_property
    def drawn(self) -> float:
        """The measure of what `sample` covers."""
        if self._from == "parts":
            return self.left.drawn + self.right.drawn
        return self._box_measure if self._from == "box" else getattr(self, self._from).drawn

    @property
    def _box_measure(self) -> float:
        return float(np.prod([upper - lower for lower, upper in self.hull.values()]))

    @cached_property
    def _from(self) -> str:
        """Whence samples come, whichever is least: "box", the box around it; "left", "right"; "parts", one of both."""
        sizes = {"box": self._box_measure}
        if self.operation == UNION:
            sizes["parts"] = self.left.drawn + self.right.drawn
        else:
            sizes["left"] = self.left.drawn
        if self.operation == INTERSECTION:
            sizes["right"] = self.right.drawn
        return min(sizes, key=lambda one: sizes[one] * (1 if one == "box" else 1 - 1e-9))

    def sample(self, unit: np.ndarray) -> np.ndarray:
        """Even points of a larger solid; of the union of two, those that it would have twice are moved outside."""
        self._check_unit(unit)
        lower, upper = np.array(list(self.hull.values())).T
        if self._from == "box":
            return lower + unit * (upper - lower)
        if self._from != "parts":
            return getattr(self, self._from).sample(unit)
        share = self.left.drawn / (self.left.drawn + self.right.drawn)
        first = unit[:, 0] < share
        points = np.empty((len(unit), self.dimension))
        for part, here, start, width in ((self.left, first, 0.0, share), (self.right, ~first, share, 1 - share)):
            scaled = unit[here].copy()
            scaled[:, 0] = np.clip((scaled[:, 0] - start) / width, 0.0, 1.0)
            found = part.sample(scaled)
            twice = ~part.keeps(found) if part is self.left else ~part.keeps(found) | self.left.contains(found)
            found[twice] = upper + (upper - lower)
            points[here] = found
        return points

    def keeps(self, points: np.ndarray) -> np.ndarray:
        return self._covers(points, 0.0)

    def _kept(self, count: int) -> np.ndarray:
        """Which of so many candidates lie inside, and not on the edge."""
        return self._covers(self.sample(even_points(count, self.dimension)), -10 * self.rounding)

    def _covers(self, points: np.ndarray, slack: float | np.ndarray) -> np.ndarray:
        """Mask (n,) of the points by the rules of sets; a negative slack leaves out what is near the edge."""

        def covers(part: Shape, points: np.ndarray, slack: float | np.ndarray) -> np.ndarray:
            if isinstance(part, Combination):
                return part._covers(points, slack)
            mask = within_bounds(part, points, np.maximum(slack, 0.0))
            if mask.any():
                mask[mask] = part.contains(points[mask], slack)
            return mask

        mask = covers(self.left, points, slack)
        if self.operation == UNION:
            mask[~mask] = covers(self.right, points[~mask], slack)
        elif self.operation == INTERSECTION:
            mask[mask] = covers(self.right, points[mask], slack)
        else:
            mask[mask] = ~covers(self.right, points[mask], -np.asarray(slack) - 2 * self.rounding)
        return mask

    def contains(self, points: np.ndarray, slack: float | np.ndarray = 0.0) -> np.ndarray:
        """What lies on a surface counts where the solid is beside it: not on a seam of two solids that are cut out."""
        mask = self._covers(points, slack)
        reach = float(np.max(slack)) + 4 * self.rounding
        if np.min(slack) < 0 or reach > STEP * self.size:
            return mask
        doubtful = np.flatnonzero(mask & ~self._covers(points, -2 * reach))
        if len(doubtful):
            beside = np.zeros(len(doubtful), dtype=bool)
            for direction in directions(self.dimension):
                moved = points[doubtful] + STEP * self.size * direction
                beside |= self._covers(moved, -2 * reach if reach < STEP * self.size / 10 else 0.0)
            mask[doubtful] = beside
        return mask

    def beside(self, points: np.ndarray, moved: np.ndarray, reach: float) -> np.ndarray:
        """The same rule for each of the solids that it is made of: what crosses a surface crosses it exactly."""
        mask = self.left.beside(points, moved, reach)
        other = ~mask if self.operation == UNION else mask.copy()
        found = self.right.beside(points[other], moved[other], reach)
        mask[other] = ~found if self.operation == DIFFERENCE else found
        return mask

    def distance(self, points: np.ndarray) -> np.ndarray:
        mine, other = self.left.distance(points), self.right.distance(points)
        if self.operation == UNION:
            return np.maximum(mine, other)
        return np.minimum(mine, -other if self.operation == DIFFERENCE else other)

    @property
    def distance_expression(self) -> sympy.Expr | None:
        """None too where two that are joined touch: the function would be zero between them."""
        mine, other = self.left.distance_expression, self.right.distance_expression
        if (
            mine is None
            or other is None
            or (self.operation == UNION and has_seam(self, (self.left, self.right), STEP * self.size))
        ):
            return None
        if self.operation == UNION:
            return union(mine, other)
        return intersection(mine, -other if self.operation == DIFFERENCE else other)

    @property
    def vanishing_expression(self) -> sympy.Expr | None:
        if self.operation == UNION:
            return self.distance_expression
        mine, other = self.left.vanishing_expression, self.right.distance_expression
        if self.operation == INTERSECTION:
            other = self.right.vanishing_expression
        return None if mine is None or other is None else mine * (-other if self.operation == DIFFERENCE else other)

    def remains_expression(self, solid: Shape) -> sympy.Expr | None:
        """(in the left, out of the right) and so on along the way to each place where the solid stands."""
        found = list(self._remains(solid))
        if not found:
            return self.distance_expression
        return None if None in found else union(*found)

    def _remains(self, solid: Shape) -> Iterator[sympy.Expr | None]:
        for one, other in ((self.left, self.right), (self.right, self.left)):
            ways = one._remains(solid) if isinstance(one, Combination) else [sympy.oo] if one == solid else []
            for way in ways:
                beside = other.distance_expression
                if self.operation == UNION or (self.operation == DIFFERENCE and one is self.left):
                    beside = None if beside is None else -beside
                whole = way == sympy.oo
                yield None if None in (way, beside) else beside if whole else intersection(way, beside)

    def near_edge(self, points: np.ndarray, slack: np.ndarray) -> np.ndarray:
        return np.abs(self.distance(points)) <= np.max(slack)

    # ------------------------------------------------------------ its boundary

    def leaves(self, side: int = 1) -> Iterator[tuple[Shape, int]]:
        """The solids that are no combination, each with the direction of its normals: -1 where it is cut out."""
        for one in (self.left, self.right):
            turned = -side if self.operation == DIFFERENCE and one is self.right else side
            if isinstance(one, Combination):
                yield from one.leaves(turned)
            else:
                yield one, turned

    @cached_property
    def _parts(self) -> tuple[Trimmed, ...]:
        found: list[Trimmed] = []
        seen: list[Shape] = []
        for leaf, side in self.leaves():
            for base in leaf.boundary(self.coordinates):
                part = Trimmed(base, self, side, STEP * self.size, without=tuple(seen), of=leaf)
                if not part.is_empty:
                    found.append(part)
                    seen.append(base)
        return tuple(found)

    def boundary(self, coordinates: Collection[str]) -> tuple[Shape, ...]:
        return self._parts if set(self.coordinates) <= set(coordinates) else ()

    def at(self, /, **values: float) -> Shape:
        return slice_of(self, values)
