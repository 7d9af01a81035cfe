"""Weights by the traces of the neural tangent kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pinnkit.losses.settings import WEIGHTINGS, Observation, Weighting, balanced


@WEIGHTINGS.register("ntk")
@dataclass(frozen=True)
class NeuralTangentKernel(Weighting):
    """w <- a w + (1 - a) u mean_j k_j / k_i, k_i the mean of |d r / d theta|^2 over the points of term i, which is the
    trace of its block of the neural tangent kernel over their number, u the weight at the start (Wang, Yu, Perdikaris
    2022, arXiv 2007.14527; with the mean as in arXiv 2308.08468)."""

    every: int = field(default=100, metadata={"minimum": 1})
    """Optimizer steps between updates, which take the gradients of residuals at up to 256 points of each group."""
    momentum: float = field(default=0.9, metadata={"minimum": 0.0, "below": 1.0})
    """a of the moving average."""

    def next_weights(self, seen: Observation) -> Mapping[str, float]:
        return balanced(seen.kernel_traces(), seen, self.momentum)
