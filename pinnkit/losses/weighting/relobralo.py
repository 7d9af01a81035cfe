"""Weights by the relative fall of each loss, with random lookback."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from pinnkit.losses.settings import WEIGHTINGS, Observation, Weighting
from pinnkit.sampling.generators import generator


@WEIGHTINGS.register("relobralo")
@dataclass(frozen=True)
class Relobralo(Weighting):
    """w = u l with l <- a (b l + (1 - b) B(0)) + (1 - a) B(before), and for m terms B(s) = m softmax(L / (T L(s))): a
    term has weight where its loss L fell less than the others' since the start or since the update before; u is the
    weight at the start (ReLoBRaLo; Bischof, Kraus 2021, arXiv 2110.09813)."""

    every: int = field(default=50, metadata={"minimum": 1})
    """Optimizer steps between updates; the paper makes one in each step, with a = b = 0.999."""
    momentum: float = field(default=0.9, metadata={"minimum": 0.0, "maximum": 1.0})
    """a of the moving average."""
    memory_share: float = field(default=0.99, metadata={"minimum": 0.0, "maximum": 1.0})
    """The mean of b, which is 0 or 1 at random: 0 looks back to the start."""
    temperature: float = field(default=0.1, metadata={"above": 0.0})
    """T: large ones make the weights equal."""

    def next_weights(self, seen: Observation) -> Mapping[str, float]:
        losses = np.array([seen.losses[term] for term in seen.weights])
        memory = seen.memory
        if len(memory.get("losses", ())) != len(losses):  # it begins, or other terms are trained
            memory |= {"start": losses, "losses": losses, "factors": np.ones(len(losses))}
            return seen.weights
        kept = float(generator(seen.seed, "weights", seen.step).random() < self.memory_share)
        history = kept * memory["factors"] + (1.0 - kept) * self._relative(losses, memory["start"])
        factors = self.momentum * history + (1.0 - self.momentum) * self._relative(losses, memory["losses"])
        memory |= {"losses": losses, "factors": factors}
        return {term: seen.reference[term] * float(one) for term, one in zip(seen.weights, factors, strict=True)}

    def _relative(self, losses: np.ndarray, before: np.ndarray) -> np.ndarray:
        """m softmax(L / (T L(before)))."""
        ratios = np.minimum(losses / np.maximum(before, 1e-100), 1e6) / self.temperature
        parts = np.exp(ratios - ratios.max())
        return len(losses) * parts / parts.sum()
