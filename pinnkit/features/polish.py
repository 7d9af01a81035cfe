"""Newton steps from a trained network, with features for the correction."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from pinnkit.features.choice import Choice
from pinnkit.features.solver import FeatureSolver

log = logging.getLogger(__name__)

LOWER = 0.3
"""The share of the residual on fresh points that a correction must leave at most, or it is not taken."""


@dataclass(frozen=True)
class Polished:
    """What polishing did.

    Attributes:
        accepted: whether the correction is taken.
        residual_before, residual_after: on points that no solve has seen, by the terms' scales (`Judge`).
        choice: of the features of the correction, taken or not.
        seconds: that it took.
    """

    accepted: bool
    residual_before: float
    residual_after: float
    choice: Choice
    seconds: float

    @property
    def text(self) -> str:
        """A line for the log."""
        change = f"the residual on fresh points goes from {self.residual_before:.2e} to {self.residual_after:.2e}"
        done = f"{self.choice} correct the network" if self.accepted else f"{self.choice} do not pay, and are left out"
        return f"polish: {change}: {done} ({self.seconds:.1f} s)"


def polish(solver: FeatureSolver, seconds: float) -> Polished:
    """Correct the trained network of a solver by features; where that does not pay it is left as it was.

    Args:
        seconds: that it may take.
    """
    began = time.perf_counter()
    learned = {name: float(one) for name, one in solver.model.learned.items()}

    def left() -> float:
        return seconds - (time.perf_counter() - began)

    with torch.no_grad():
        choice = solver.solve(left)
        after = solver.judge.norm()
        added = solver.network.added
        changed = {name: float(one) for name, one in solver.model.learned.items()}
        solver.network.remove([module for module, _ in added])
        _set(solver, learned)
        before = solver.judge.norm()  # at the same points
        accepted = math.isfinite(after) and after <= LOWER * before
        if accepted:
            _set(solver, changed)
            for module, group in added:
                solver.network.add(module, group)
    return Polished(accepted, before, after, choice, time.perf_counter() - began)


def _set(solver: FeatureSolver, learned: Mapping[str, float]) -> None:
    """Set what is trained for each learned number."""
    for name, value in learned.items():
        solver.model.learned[name].fill_(value)
