"""Settings of the weights of the losses: what all strategies share, and their registry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pinnkit.registry import Registry

WEIGHTINGS = Registry("weighting", "pinnkit.losses.weighting", default="fixed")


@dataclass(frozen=True)
class Weighting:
    """Weights of the terms: the objective is the sum over terms of weight * mean |residual|^2.

    Attributes:
        name: the strategy's name, `weighting.name`.
        every: optimizer steps between updates of the weights, which come before the steps every, 2 every ..., whatever
            `trainer.steps_per_batch` is; None: the weights stay as they are.
    """

    name: ClassVar[str]
    every: ClassVar[int | None] = None

    weights: dict[str, float] = field(default_factory=dict, metadata={"minimum": 0.0})
    """Term (an equation's or a condition's name) -> its weight at the start; it takes the place of the problem file's,
    also of one that differs from point to point."""

    def update(
        self, weights: Mapping[str, float], losses: Mapping[str, float], term_gradients: Callable[[], Any]
    ) -> Mapping[str, float]:
        """The weights that follow: a function of its arguments alone, so that every rank finds the same.

        Args:
            weights: term -> its present weight.
            losses: term -> mean |residual|^2, without the weight.
            term_gradients: computes the gradients of these losses, a tensor (terms, parameters); its rows are in the
                order of `weights`.
        """
        return weights
