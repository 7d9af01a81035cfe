"""Newton steps of a deflated problem, by which the coefficients of features leave solutions that are known."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from pinnkit.problem.groups import is_equations
from pinnkit.sampling.point_set import PointSet

Known = Callable[[Tensor], Tensor]
"""A known solution: points (n, d) -> fields (n, fields)."""
DIFFERENCE = 1e-4
"""The share of a step over which the slope of the factor is taken."""
LONGEST = 10.0
"""The length of a step at most, in multiples of Newton's."""
SAME, TINY = 1e-2, 1e-6
"""The distance from a known solution, as a share of its size and besides, below which it is the same."""
NEAR = 0.1
"""A length that differs from 1 by less is Newton's own step: the known solutions are far."""


class FarFromKnown:
    """M = product over k of (1 / |u - u_k|^2 + 1) at points, |u - u_k|^2 the mean over these of the sum over fields.

    Args:
        network: the fields at points.
        known: the solutions u_k.
        points: (n, d).
    """

    def __init__(self, network: Known, known: Sequence[Known], points: Tensor) -> None:
        self._network, self._points = network, points
        with torch.no_grad():
            self._values = torch.stack([one(points) for one in known])
        self._sizes = self._values.square().sum(dim=2).mean(dim=1)

    @classmethod
    def at(cls, network: Known, known: Sequence[Known], batches: Mapping[str, PointSet]) -> FarFromKnown | None:
        """The same at the equations' points; None: no solution is known."""
        points = [batch.coordinates for name, batch in batches.items() if is_equations(name)]
        return cls(network, known, torch.cat(points)) if known else None

    def _squares(self) -> Tensor:
        """|u - u_k|^2 at the present state, (known,)."""
        with torch.no_grad():
            return (self._network(self._points) - self._values).square().sum(dim=2).mean(dim=1)

    def logarithm(self) -> float:
        """log M at the present state."""
        return float((1 / self._squares() + 1).log().sum())

    def found_again(self) -> bool:
        """Whether the present state is a known solution."""
        return bool((self._squares() < SAME**2 * self._sizes + TINY**2).any())

    def length(self, write: Callable[[Tensor], None], before: Tensor, change: Tensor) -> float:
        """The length of a step of Newton's method on M r, in multiples of that on r: 1 / (1 - d log M / ds).

        s goes along the step of r (Farrell, Birkisson and Funke 2015, arXiv 1410.5620, section 3): where it leads to a
        known solution M grows along it, and the length is negative.

        Args:
            write: sets the state.
            before, change: the state, and the step of r.
        """
        at = []
        for share in (-DIFFERENCE, DIFFERENCE):
            write(before + share * change)
            at.append(self.logarithm())
        write(before)
        slope = (at[1] - at[0]) / (2 * DIFFERENCE)
        length = 1 / (1 - slope) if slope != 1 and math.isfinite(slope) else LONGEST
        return max(-LONGEST, min(LONGEST, length))
