"""Counters of a training run, which its checkpoints hold."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

LATER = ("fresh_objective", "stage_objective")
"""What checkpoints of former versions lack."""


@dataclass
class Counters:
    """Where a run is, and what the objective has been.

    Attributes:
        step: optimizer steps so far.
        stage, stage_step: the number of the present stage, from 0, and the steps in it.
        stage_began_s: training time at which it began.
        evaluations: of losses and gradient.
        draw: the number of the last draw of points on which a step was made; -1: none.
        train_time_s, compile_time_s: seconds of training, and of compiling.
        step_time_s: seconds of a step, the mean over the last block of steps.
        settling: the step at which the optimizer's steps began to shorten; None: they have not.
        first_objective: of the first evaluation of the present terms; NaN: there was none.
        least_objective: the least on points that had just been drawn.
        fresh_objective: that on the points drawn last; infinity: there is none to compare with.
        stage_objective: at the end of the stage before, on points that are still the present ones; infinity elsewhere.
        sound: the last step whose weights were seen to be good on new points.
        rollbacks: how often training has gone back to an earlier state.
    """

    step: int = 0
    stage: int = 0
    stage_step: int = 0
    stage_began_s: float = 0.0
    evaluations: int = 0
    draw: int = -1
    train_time_s: float = 0.0
    compile_time_s: float = 0.0
    step_time_s: float = 0.0
    settling: int | None = None
    first_objective: float = math.nan
    least_objective: float = math.inf
    fresh_objective: float = math.inf
    stage_objective: float = math.inf
    sound: int = 0
    rollbacks: int = 0

    def begin_objective(self) -> None:
        """Forget what the objective has been, as another one follows."""
        self.first_objective = math.nan
        self.least_objective = self.fresh_objective = self.stage_objective = math.inf

    def state_dict(self) -> dict[str, Any]:
        """Plain data, for a checkpoint."""
        return asdict(self)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the counters of a checkpoint, except `rollbacks`: those of this run count on."""
        for one in fields(self):
            if one.name not in ("rollbacks", *LATER):
                setattr(self, one.name, state[one.name])
        for name in LATER:
            setattr(self, name, state.get(name, math.inf))
