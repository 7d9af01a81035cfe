"""Weights in inverse proportion to the losses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pinnkit.losses.settings import WEIGHTINGS, Weighting


@WEIGHTINGS.register("inverse_loss")
@dataclass(frozen=True)
class InverseLoss(Weighting):
    """w = w0 / loss, scaled so that the weights keep their sum."""

    every: int = field(default=100, metadata={"minimum": 1})
    """Optimizer steps between updates."""

    def update(
        self, weights: Mapping[str, float], losses: Mapping[str, float], term_gradients: Callable[[], Any]
    ) -> Mapping[str, float]:
        found = {term: 1 / max(losses[term], 1e-30) for term in weights}
        return {term: value * sum(weights.values()) / sum(found.values()) for term, value in found.items()}
