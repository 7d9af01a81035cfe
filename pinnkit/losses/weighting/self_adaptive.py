"""Weights of single points that are learned by ascent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from pinnkit.losses.point_weighting import Attention
from pinnkit.losses.settings import WEIGHTINGS


@WEIGHTINGS.register("self_adaptive")
@dataclass(frozen=True)
class SelfAdaptive(Attention):
    """A factor l^p of each squared residual, l <- min(l + a p l^(p - 1) r^2 / S, b): a step of ascent in l, where the
    parameters descend; S, the mean over the groups of mean r^2, makes it free of units (SA-PINN; McClenny,
    Braga-Neto 2023, arXiv 2009.04544, whose mask is l^p)."""

    every: int = field(default=50, metadata={"minimum": 1})
    """Optimizer steps between updates; the paper makes one in each step."""
    rate: float = field(default=0.02, metadata={"above": 0.0})
    """a, the rate of the ascent in an update."""
    power: float = field(default=2.0, metadata={"minimum": 1.0, "maximum": 8.0})
    """p of the mask."""
    largest: float = field(default=10.0, metadata={"minimum": 1.0, "maximum": 1000.0})
    """b, which l does not exceed."""

    def attend(
        self, attention: Mapping[str, np.ndarray], sizes: Mapping[str, np.ndarray], step: int, steps: int
    ) -> dict[str, np.ndarray]:
        scale = sum(float(np.mean(one**2)) for one in sizes.values()) / max(len(sizes), 1)
        if not scale > 0.0:
            return dict(attention)
        gains = {name: self.power * here ** (self.power - 1.0) for name, here in attention.items()}
        return {
            name: np.minimum(here + self.rate * gains[name] * sizes[name] ** 2 / scale, self.largest)
            for name, here in attention.items()
        }

    def factor(self, attention: np.ndarray) -> np.ndarray:
        return attention**self.power
