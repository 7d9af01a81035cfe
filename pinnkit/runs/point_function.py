"""Functions of a problem's coordinates that follow from a solution."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pinnkit.runs.given_points import checked_points
from pinnkit.runs.threads import single_thread_if_small

if TYPE_CHECKING:
    from pinnkit.runs.solution import Solution

Points = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class PointFunction:
    """A function of the problem's coordinates, which it takes by their names, as the solution itself does.

    Attributes:
        name: what it gives: an expression, or an equation whose residual it is.
    """

    name: str
    solution: Solution = field(repr=False)
    evaluate: Callable[[Points], Any] = field(repr=False)

    def __call__(self, **coordinates: Any) -> Any:
        """The values, in the shape to which the coordinates broadcast."""
        points = checked_points(self.solution.problem, coordinates)
        with single_thread_if_small(self.solution.problem, self.solution.settings):
            return self.evaluate(points)
