"""Weights by time: later residuals count where the earlier ones are small."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from pinnkit.losses.point_weighting import PointGroup, PointWeighting
from pinnkit.losses.settings import WEIGHTINGS, Memory, Observation

TERMS = ("fixed", "gradient_norm", "ntk", "relobralo")


@WEIGHTINGS.register("causal")
@dataclass(frozen=True)
class Causal(PointWeighting):
    """A factor exp(-e sum_{j < k} L_j) of the equations' squared residuals in slab k of `slabs` equal ones of time, L_j
    the mean of u r^2 in slab j, u the weights of the start; once the least factor exceeds `threshold`, the next e of
    the list holds (Wang, Sankaran, Perdikaris 2024, arXiv 2203.07404)."""

    needs_time: ClassVar[bool] = True
    at_start: ClassVar[bool] = True

    every: int = field(default=50, metadata={"minimum": 1})
    """Optimizer steps between updates; the paper makes one in each step."""
    slabs: int = field(default=32, metadata={"minimum": 2, "maximum": 10_000})
    """Parts into which time is cut."""
    epsilons: tuple[float, ...] = field(default=(0.01, 0.1, 1.0, 10.0, 100.0), metadata={"above": 0.0})
    """The values of e, one after the other."""
    threshold: float = field(default=0.99, metadata={"above": 0.0, "below": 1.0})
    """The least factor above which the next e holds."""
    terms: str = field(default="fixed", metadata={"choices": TERMS})
    """The strategy for the weights of the terms, with its defaults, updated at the same steps."""

    def next_weights(self, seen: Observation) -> Mapping[str, float]:
        return WEIGHTINGS[self.terms]().next_weights(seen)

    def observe(self, memory: Memory, groups: Mapping[str, PointGroup], step: int, steps: int) -> None:
        sums, counts = np.zeros(self.slabs), np.zeros(self.slabs)
        for group in groups.values():
            if group.of_equations and group.sizes is not None:
                slab = self._slab(group)
                sums += np.bincount(slab, group.sizes**2, self.slabs)
                counts += np.bincount(slab, minlength=self.slabs)
        before = np.concatenate([[0.0], np.cumsum(sums / np.maximum(counts, 1.0))[:-1]])
        number = int(memory.get("epsilon", np.zeros(1))[0])
        factors = np.exp(-self.epsilons[number] * before)
        if factors[-1] > self.threshold and number + 1 < len(self.epsilons):
            number += 1
            factors = np.exp(-self.epsilons[number] * before)
        memory |= {"epsilon": np.array([float(number)]), "slabs": factors}

    def factors(self, memory: Memory, groups: Mapping[str, PointGroup]) -> dict[str, np.ndarray]:
        if "slabs" not in memory:
            return {}
        return {name: memory["slabs"][self._slab(group)] for name, group in groups.items() if group.of_equations}

    def summary(self, memory: Memory) -> dict[str, float]:
        if "slabs" not in memory:
            return {}
        return {"causal.epsilon": self.epsilons[int(memory["epsilon"][0])], "causal.least": float(memory["slabs"][-1])}

    def _slab(self, group: PointGroup) -> np.ndarray:
        """The number of each point's slab, (n,)."""
        assert group.times is not None
        return np.clip((group.times * self.slabs).astype(int), 0, self.slabs - 1)
