"""Features that solve a problem by themselves: in one set that grows, or in slabs of time."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch

from pinnkit.features.trials import FRESH, Choice, Level, Trials
from pinnkit.features.slab import initial_value_problem
from pinnkit.features.windows import Windows

__all__ = ["FRESH", "Choice", "FeatureSolver", "Level"]

log = logging.getLogger(__name__)

GROWTH = 1.6
"""Factor on the number of features from level to level."""
FELL = 3.0
"""The factor by which a level must lower the residual on fresh points, or it is the last."""
STUCK = 1e-4
"""The share of the first residual above which trials count as failed: slabs of time are the next thing."""


class FeatureSolver(Trials):
    """Solves a problem by random features, as levels that end by themselves.

    Attributes:
        reason: why it ended.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.reason = ""

    def levels(self, seconds_left: Callable[[], float]) -> Iterator[Level]:
        """Solve with more and more features; each level's are attached to the network."""
        why_not = initial_value_problem(self.problem)
        if self.settings.windows is not None and self.settings.windows > 1:
            yield from self._windows(seconds_left)
            return
        choice, residual = self.search()
        log.info("features: %s are the best of the trials (residual %.2e)", choice, residual)
        if self.settings.windows is None and not self.linear and not why_not and residual > STUCK * self.size:
            log.info(
                "features: one set for all times leaves %.1e of the first residual: slabs of time", residual / self.size
            )
            yield from self._windows(seconds_left)
            return
        best: tuple[float, Choice] = (math.inf, choice)
        fields = self.fields
        if self.settings.count is not None:
            choice = Choice(choice.kind, choice.ranges, self.settings.count)
        while True:
            began = time.perf_counter()
            residual = self.solve(choice, warm=True)
            if residual >= best[0] / FELL and best[0] < math.inf:  # the larger range did not pay
                again = Choice(choice.kind, best[1].ranges, choice.count)
                other = self.solve(again, warm=True)
                residual, choice = min((residual, choice), (other, again), key=lambda one: one[0])
            taken = time.perf_counter() - began
            unknowns = choice.count * fields
            fell = best[0] / residual if residual > 0 else math.inf
            best = min(best, (residual, choice), key=lambda one: one[0])
            yield Level(choice.count, unknowns, residual, f"{choice}: residual {residual:.2e} in {taken:.1f} s")
            if self.settings.count is not None:
                self.reason = f"features.count is {self.settings.count}"
                return
            if residual <= self.exact:
                self.reason = "the residual is that of rounding"
                return
            if fell < FELL:
                self.reason = "more features do not lower the residual on fresh points"
                break
            larger = math.ceil(GROWTH * choice.count)
            if larger * fields > self.settings.max_unknowns:
                self.reason = f"features.max_unknowns is {self.settings.max_unknowns}"
                break
            if seconds_left() < taken * GROWTH**3:
                self.reason = "the time left is too short for more features"
                break
            factor = GROWTH ** (1 / len(self.problem.coordinates))
            choice = Choice(choice.kind, tuple(factor * one for one in choice.ranges), larger)
        if best[1] != choice:
            self.solve(best[1], warm=True)

    def _windows(self, seconds_left: Callable[[], float]) -> Iterator[Level]:
        """Solve slab by slab."""
        self.clear()
        windows = Windows(self.model, self.groups, self.settings, self.seed, self.ranks, self.like)
        yield from windows.levels(seconds_left)
        self.reason = windows.reason
