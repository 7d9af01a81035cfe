"""Stagnation of the objective, and its likely cause."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

WATCHED = 1000
"""Optimizer steps over which progress is judged,"""
LITTLE = 0.1
"""and the share by which the objective must fall in them."""

MANY_EVALUATIONS = 3.0
SHORT_STEP = 1e-3
ILL_CONDITIONED = 1e14
"""Of H or of the damped J'J: close to 1 / eps."""


@dataclass
class Stagnation:
    """Compares the objective with that of `WATCHED` steps before, in one stage."""

    step: int = 0
    objective: float = math.inf
    stage: int = -1

    def stagnated(self, step: int, stage: int, objective: float) -> float | None:
        """The share by which the objective has fallen, where it is little; None where it is not, or not yet known."""
        if stage == self.stage and step < self.step + WATCHED:
            return None
        fell = 1.0 - objective / self.objective if stage == self.stage and self.objective > 0.0 else 1.0
        self.step, self.objective, self.stage = step, objective, stage
        return fell if fell < LITTLE else None


def explained(name: str, fell: float, diagnostics: Mapping[str, float]) -> str:
    """What the diagnostics of the last step say about a stall.

    >>> explained("ssbroyden", 0.02, {"step_length": 0.4, "evaluations": 1.0, "condition": 3e15})
    'the objective fell by 2 % only in 1000 steps of ssbroyden: the curvature is known to the limits of rounding \
(condition 3e+15)'
    """
    reasons = []
    if diagnostics.get("evaluations", 1.0) >= MANY_EVALUATIONS:
        reasons.append(
            f"a step takes {diagnostics['evaluations']:.0f} evaluations, as where the loss is at rounding level"
        )
    if diagnostics.get("condition", 1.0) >= ILL_CONDITIONED:
        reasons.append(f"the curvature is known to the limits of rounding (condition {diagnostics['condition']:.0e})")
    if diagnostics.get("step_length", 1.0) <= SHORT_STEP:
        reasons.append(f"its steps are short ({diagnostics['step_length']:.0e})")
    if "learning_rate" in diagnostics:
        reasons.append(f"its learning rate is {diagnostics['learning_rate']:.1e}; a lower one, or ssbroyden, may help")
    if not reasons:
        reasons.append("the optimizer works as it should; the network or the points may be what limits it")
    how = "fell by" if fell >= 0 else "rose by"
    return (
        f"the objective {how} {100 * abs(fell):.0f} % {'only ' if fell >= 0 else ''}in {WATCHED} steps of {name}: "
        + ("; ".join(reasons))
    )
