"""Weights of single points by the residuals there, accumulated over the steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from pinnkit.losses.point_weighting import Attention
from pinnkit.losses.settings import WEIGHTINGS


@WEIGHTINGS.register("residual_attention")
@dataclass(frozen=True)
class ResidualAttention(Attention):
    """A factor l^2 of each squared residual, l <- c l + e |r| / max |r| in each step, max over the points of the group:
    l is at most e / (1 - c) (RBA; Anagnostopoulos, Toscano, Stergiopulos, Karniadakis 2024, arXiv 2307.00379).

    An update stands for all steps since the last one: l <- c^k l + e (1 - c^k) / (1 - c) |r| / max |r|."""

    every: int = field(default=50, metadata={"minimum": 1})
    """k, optimizer steps between updates."""
    decay: float = field(default=0.999, metadata={"minimum": 0.0, "below": 1.0})
    """c of one step."""
    rate: float = field(default=0.01, metadata={"above": 0.0})
    """e of one step."""

    def attend(
        self, attention: Mapping[str, np.ndarray], sizes: Mapping[str, np.ndarray], step: int, steps: int
    ) -> dict[str, np.ndarray]:
        kept = self.decay**steps
        gained = self.rate * (1.0 - kept) / (1.0 - self.decay)
        return {name: kept * here + gained * self.relative(sizes[name], step) for name, here in attention.items()}

    def relative(self, sizes: np.ndarray, step: int) -> np.ndarray:
        """What each point gains, (n,) from 0 to 1."""
        return sizes / max(sizes.max(), np.finfo(float).tiny)

    def factor(self, attention: np.ndarray) -> np.ndarray:
        return attention**2
