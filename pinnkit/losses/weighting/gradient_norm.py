"""Weights that make the gradients of all terms equally large."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pinnkit.losses.settings import WEIGHTINGS, Observation, Weighting, balanced


@WEIGHTINGS.register("gradient_norm")
@dataclass(frozen=True)
class GradientNorm(Weighting):
    """w <- a w + (1 - a) u mean_j |grad L_j| / |grad L_i|, u the weight at the start (Wang, Teng, Perdikaris 2021,
    arXiv 2001.04536; with norms and the mean as in Wang, Sankaran, Wang, Perdikaris 2023, arXiv 2308.08468)."""

    every: int = field(default=100, metadata={"minimum": 1})
    """Optimizer steps between updates; each takes an evaluation for every term."""
    momentum: float = field(default=0.9, metadata={"minimum": 0.0, "below": 1.0})
    """a of the moving average."""

    def next_weights(self, seen: Observation) -> Mapping[str, float]:
        norms = seen.term_gradients().norm(dim=1).tolist()
        return balanced(dict(zip(seen.weights, norms, strict=True)), seen, self.momentum)
