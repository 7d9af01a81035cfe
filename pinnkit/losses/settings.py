"""What can be chosen about the weights of the losses."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Weighting:
    """Weights given by hand: the objective is the sum over terms of weight * mean |residual|^2."""

    weights: dict[str, float] = field(default_factory=dict, metadata={"minimum": 0.0})
    """Term (an equation's or a condition's name) -> weight; it takes the place of the problem file's, also of one that
    differs from point to point."""
