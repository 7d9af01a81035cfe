"""Outputs of a network that meet conditions exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

Value = Tensor | float
Parts = Callable[[Tensor], Sequence[tuple[Value, Value]]]
"""Points (n, d) -> the pairs (G, D) of the outputs in question, each (n,) or a number."""


@dataclass(frozen=True)
class HardConstraints:
    """u_j = G_j(p) + D_j(p) N_j(p) for some outputs j of a network N, D_j = 0 where u_j = G_j is prescribed.

    Lagaris, Likas and Fotiadis 1998 (arXiv physics/9705023).

    Args:
        outputs: the indices j.
        parts: gives G_j and D_j at points.
    """

    outputs: tuple[int, ...]
    parts: Parts

    def __call__(self, points: Tensor) -> dict[int, tuple[Value, Value]]:
        """The pair (G_j, D_j) of each of these outputs at points (n, d)."""
        return dict(zip(self.outputs, self.parts(points), strict=True))
