"""Regions in which points that a redraw moves stay; the points themselves are drawn in points.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pinnkit.domains.shape import Shape
from pinnkit.problem.parts import Condition
from pinnkit.problem.places import allowed_at
from pinnkit.problem.problem import Problem


@dataclass(frozen=True)
class Region:
    """The places of a group of points, and what else holds there.

    `of` (n,) in the methods is the number of the place to which each point (n, d) belongs, as `number` gives it.

    Args:
        allowed: (points (n, d), their place) -> mask (n,); None: all points of the places are.
        logarithmic: the columns that are spread by their logarithm.
    """

    places: Sequence[Shape]
    allowed: Callable[[np.ndarray, Shape], np.ndarray] | None = None
    logarithmic: Sequence[int] = ()

    @classmethod
    def of_group(cls, problem: Problem, condition: Condition | str) -> Region:
        """The region of a condition, or of the equations of a region, "" for the whole domain."""
        logarithmic = [problem.coordinates.index(name) for name in problem.axes.logarithmic]
        if isinstance(condition, str):
            return cls((problem.solid(condition),), None, logarithmic)
        return cls(condition.places, allowed_at(problem, condition), logarithmic)

    def even(self, points: np.ndarray) -> np.ndarray:
        """The points (n, d) with the logarithm of each logarithmic column: in these numbers points move."""
        found = np.array(points, dtype=float)
        found[..., self.logarithmic] = np.log(found[..., self.logarithmic])
        return found

    def uneven(self, numbers: np.ndarray) -> np.ndarray:
        """The points (n, d) of which `even` gives these numbers."""
        found = np.array(numbers, dtype=float)
        found[..., self.logarithmic] = np.exp(found[..., self.logarithmic])
        return found

    def number(self, points: np.ndarray) -> np.ndarray:
        """The place of each point; where several meet, the last."""
        found = np.zeros(len(points), dtype=int)
        for number, place in enumerate(self.places):
            found[place.contains(points)] = number
        return found

    def bounds(self, of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The ends (n, d), (n, d) of the bounding box of each point's place, as `even` has them."""
        lower, upper = ([getattr(one, end) for one in self.places] for end in ("lower", "upper"))
        return self.even(np.stack(lower))[of], self.even(np.stack(upper))[of]

    def cells(self, of: np.ndarray) -> np.ndarray:
        """The size (n, d) of the cell around each of n points that are spread over their places, as `even` has them."""
        dimensions = np.array([place.dimension for place in self.places])[of]
        widths = np.stack([place.widths for place in self.places])[of]
        lower, upper = self.bounds(of)
        widths[:, self.logarithmic] = (upper - lower)[:, self.logarithmic]
        return widths * len(of) ** (-1 / np.maximum(dimensions[:, None], 1))

    def project(self, points: np.ndarray, of: np.ndarray) -> np.ndarray:
        """Points moved off a curved place, back on it."""
        moved = points.copy()
        for number, place in enumerate(self.places):
            here = of == number
            moved[here] = place.project(points[here])
        return moved

    def allows(self, points: np.ndarray, of: np.ndarray) -> np.ndarray:
        """Mask (n,) of the points that lie in their place and are allowed there."""
        mask = np.ones(len(points), dtype=bool)
        for number, place in enumerate(self.places):
            here = of == number
            mask[here] = place.contains(points[here])
            if self.allowed is not None and here.any():
                mask[here] &= self.allowed(points[here], place)
        return mask

    def normals(self, points: np.ndarray, of: np.ndarray) -> np.ndarray | None:
        """The outward normals (n, d); None where a place is no part of a boundary."""
        if not all(place.has_normals for place in self.places):
            return None
        normals = np.empty(points.shape)
        for number, place in enumerate(self.places):
            here = of == number
            normals[here] = place.normals(points[here])
        return normals

    def reach_ends(self, points: np.ndarray) -> None:
        """Move the outermost points (n, d) of each line to its ends.

        A start may have a kink there, where a period or the boundary begins; between points it would stay rounded off.
        """
        for number, place in enumerate(self.places):
            if not len(place.ends):
                continue
            here = np.flatnonzero(place.contains(points))
            for end in place.ends if len(here) else ():
                nearest = here[np.abs(points[here] - end).max(axis=1).argmin()]
                if self.allows(end[None], np.array([number]))[0]:
                    points[nearest] = end
