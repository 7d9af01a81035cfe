"""Settings of the weights of the losses: what all strategies share, and their registry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from pinnkit.registry import Registry

WEIGHTINGS = Registry("weighting", "pinnkit.losses.weighting", default="fixed")

Memory = dict[str, np.ndarray]
"""What a strategy keeps between updates, by names of its own: arrays of finite float64, saved in the checkpoint."""


@dataclass(frozen=True)
class Observation:
    """What a strategy may look at before it changes the weights of the terms.

    Attributes:
        step: the number of the next optimizer step.
        seed: of the run.
        weights: term -> its present weight.
        reference: term -> its weight at the start: the problem's, or the one given by hand.
        losses: term -> mean |residual|^2, without the weight.
        term_gradients: computes the gradients of these losses, a tensor (terms, parameters).
        kernel_traces: computes term -> mean over its points of |d residual / d parameters|^2.
        memory: what the strategy kept; it may change it.
    """

    step: int
    seed: int
    weights: Mapping[str, float]
    reference: Mapping[str, float]
    losses: Mapping[str, float]
    term_gradients: Callable[[], Any]
    kernel_traces: Callable[[], Mapping[str, float]]
    memory: Memory = field(default_factory=dict)


@dataclass(frozen=True)
class Weighting:
    """Weights of the terms: the objective is the sum over terms of weight * mean |residual|^2.

    Attributes:
        name: the strategy's name, `weighting.name`.
        every: optimizer steps between updates of the weights, which come before the steps every, 2 every ..., whatever
            `trainer.steps_per_batch` is; None: the weights stay as they are.
    """

    name: ClassVar[str]

    weights: dict[str, float] = field(default_factory=dict, metadata={"minimum": 0.0})
    """Term (an equation's or a condition's name) -> its weight at the start; it takes the place of the problem file's,
    also of one that differs from point to point."""
    scales: bool | None = None
    """Whether outputs have the size of their field, and residuals are divided by that of their equation, found from the
    problem; None: where these are far from 1 (a field by 1000, equations by 10,000) and no term has a weight."""

    @property
    def every(self) -> int | None:
        return None

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

    def next_weights(self, seen: Observation) -> Mapping[str, float]:
        """The weights that follow, for a strategy that needs more than `update` is given."""
        return self.update(seen.weights, seen.losses, seen.term_gradients)


def balanced(sizes: Mapping[str, float], seen: Observation, momentum: float) -> Mapping[str, float]:
    """The weights w <- a w + (1 - a) u mean(s) / (s + 1e-5 mean(s)) of terms with the sizes s, a the momentum.

    u are the weights of the start. The present weights, where the sizes give no mean above zero.
    """
    mean = sum(sizes.values()) / len(sizes)
    if not 0.0 < mean < float("inf"):
        return seen.weights
    wanted = {term: seen.reference[term] * mean / (size + 1e-5 * mean) for term, size in sizes.items()}
    return {term: momentum * weight + (1.0 - momentum) * wanted[term] for term, weight in seen.weights.items()}
