"""Newton steps from a trained network, with features for the correction."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnkit.features.choice import Choice
from pinnkit.features.error import LEFT, MORE, RESOLVED, WORSE
from pinnkit.features.independent import independent, points_inside, residual_of_zero
from pinnkit.features.parts import of_first_number
from pinnkit.features.solver import FeatureSolver

log = logging.getLogger(__name__)

LOWER = 0.7
"""The share of the residual on fresh points that a correction must leave at most, or it is not taken."""
CLOSER = 0.5
"""The share of the distance to a third answer that it must leave at most, where the residual does not tell enough."""


@dataclass(frozen=True)
class Polished:
    """What polishing did.

    Attributes:
        accepted: whether the correction is taken.
        doubt: why a correction that lowers the residual is not taken; "": none is known.
        residual_before, residual_after: on points that no solve has seen, by the terms' scales (`Judge`).
        choice: of the features of the correction, taken or not.
        seconds: that it took.
    """

    accepted: bool
    residual_before: float
    residual_after: float
    choice: Choice
    seconds: float
    doubt: str = ""

    @property
    def text(self) -> str:
        """A line for the log."""
        change = f"the residual on fresh points goes from {self.residual_before:.2e} to {self.residual_after:.2e}"
        done = (
            f"{self.choice} correct the network"
            if self.accepted
            else f"{self.choice} {self.doubt or 'do not pay'}, and are left out"
        )
        return f"polish: {change}: {done} ({self.seconds:.1f} s)"


def polish(solver: FeatureSolver, seconds: float) -> Polished:
    """Correct the trained network of a solver by features; where that does not pay it is left as it was.

    A smaller residual alone is no smaller error: errors of different shapes show in it by different amounts. So one
    that does not fall by as much as an estimate asks for, or is still that of a poor answer, is taken only where the
    corrected fields are closer to those by independent features than the trained ones are.

    Args:
        seconds: that it may take.
    """
    began = time.perf_counter()
    learned = {name: float(one) for name, one in solver.model.learned.items()}

    def left() -> float:
        return of_first_number(seconds - (time.perf_counter() - began), solver.ranks, solver.like)

    with torch.no_grad():
        choice = solver.solve(left)
        after, left_over = solver.judge.norm(), solver.fresh_residual(solver.trial_unknowns)
        added = solver.network.added
        points = points_inside(solver)[0]
        corrected = solver.network(points)
        changed = {name: float(one) for name, one in solver.model.learned.items()}
        solver.network.remove([module for module, _ in added])
        _set(solver, learned)
        before = solver.judge.norm()  # at the same points
        trained = solver.network(points)
        accepted, doubt = math.isfinite(after) and after <= LOWER * before, ""
        if accepted:
            _set(solver, changed)
            for module, group in added:
                solver.network.add(module, group)
            if after > before / RESOLVED or left_over > LEFT * residual_of_zero(solver):
                doubt = _doubt(solver, choice, after, points, trained, corrected)
        if doubt:
            accepted = False
            solver.network.remove([module for module, _ in added])
            _set(solver, learned)
    if not accepted:
        solver.slabs = []
    return Polished(accepted, before, after, choice, time.perf_counter() - began, doubt)


def _doubt(
    solver: FeatureSolver, choice: Choice, after: float, points: Tensor, trained: Tensor, corrected: Tensor
) -> str:
    """Why independent features do not confirm a correction; "": they do."""
    third = independent(solver, choice.more(MORE), 1, points, own=True)
    if not third.judged <= WORSE * after:
        return "lower the residual by chance: independent ones do not"
    sizes = third.values.square().mean(dim=0).sqrt().clamp_min(1e-300)
    left, first = (float(((one - third.values) / sizes).square().mean().sqrt()) for one in (corrected, trained))
    if not left <= CLOSER * first:
        return (
            f"bring no answer that independent ones confirm (it differs by {left:.1e}, the trained one by {first:.1e})"
        )
    return ""


def _set(solver: FeatureSolver, learned: Mapping[str, float]) -> None:
    """Set what is trained for each learned number."""
    for name, value in learned.items():
        solver.model.learned[name].fill_(value)
