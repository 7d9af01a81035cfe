"""Sequence of the stages of a run: when each ends, and what the next takes over."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import Any, cast

from torch import Tensor

from pinnkit.training.computation import Computation
from pinnkit.training.stages import same_objective, same_terms
from pinnkit.training.state import TrainingState
from pinnkit.training.stopping import Stopping
from pinnkit.training.term_values import TermValues
from pinnkit.training.window_budget import OVER

log = logging.getLogger(__name__)


class StageSequence:
    """Ends stages, and begins the ones that follow.

    Args:
        values: residuals of all terms, by which a window of time is judged at its end.
    """

    def __init__(self, state: TrainingState, stopping: Stopping, computation: Computation, values: TermValues) -> None:
        self.state, self.stopping, self.computation, self.values = state, stopping, computation, values

    @property
    def last(self) -> bool:
        """Whether the present stage is the last one; behind the last of a window another window may follow."""
        return self.state.windows is None and self._last_of_window

    @property
    def _last_of_window(self) -> bool:
        return self.state.progress.stage + 1 == len(self.state.stages)

    def ends_amid_block(self, reason: str) -> bool:
        """Whether the present stage ends at once: it is the last one, or another follows on the same points."""
        if self.last:
            return True
        stages, number = self.state.stages, self.state.progress.stage
        goes_on = not self._last_of_window and not (self.state.windows is not None and reason.startswith(OVER))
        return goes_on and same_objective(stages[number], stages[number + 1])

    def over_before_block(self) -> str | None:
        """Why the present stage is over by its time on some rank; several agree on it once in each block of steps."""
        if not (self.state.stage.timed or self.state.windows) or self.state.ranks.count == 1:
            return None
        return self.state.ranks.first_message(self._time_over(), self.state.device)

    def over_after_step(self, optimizer: Any) -> str | None:
        """Why the present stage is over after a step of it."""
        reason = self.state.stage.ended(self.state.progress.stage_step, optimizer)
        if self.state.windows is not None:
            reason = self.state.windows.budget.steps_over(self.state) or reason
        return reason or (self._time_over() if self.state.ranks.count == 1 else None)

    def over_after_block(self, objective: Tensor) -> str | None:
        """Why the present stage is over by its objective (under the reference weights)."""
        windows = self.state.windows
        over = None if windows is None else windows.converged(self.state, objective)
        over = over or self.state.stage.reached(cast(Any, objective))
        return over or (self.stopping.reached(objective) if self.state.stage.at is not None else None)

    def _time_over(self) -> str | None:
        stage, windows = self.state.stage, self.state.windows
        if windows is not None and (over := windows.budget.time_over(self.state)):
            return over
        if not stage.timed or not self.state.progress.stage_step:  # at least one step is made
            return None
        return stage.time_over(self.state.stage_seconds, self.state.clock.seconds())

    def end(self, optimizers: Sequence[Any], reason: str) -> None:
        """End the present stage: the next one follows, or training stops."""
        progress, former = self.state.progress, self.state.stage
        if self.state.windows is not None and (self._last_of_window or reason.startswith(OVER)):
            self._end_window(optimizers, reason)
            return
        if self.last:
            self.stopping.reason = self.stopping.reason or f"{former.name} ended: {reason}"
            return
        before, following = optimizers[progress.stage], optimizers[progress.stage + 1]
        progress.stage += 1
        progress.stage_step, progress.stage_began_s = 0, self.state.clock.seconds()
        stage = self.state.stage
        comparable = same_objective(former, stage) and "objective" in self.state.losses
        progress.stage_objective = float(self.state.losses["objective"]) if comparable else math.inf
        if not same_objective(former, stage):
            progress.draw = -1
        if not same_terms(former, stage):  # the objective is another one
            progress.begin_objective()
            self.computation.leave()
            self.state.weights.forget()
        elif stage.level != former.level:  # it is one of other parameters
            self.computation.leave()
            self.state.weights.forget()
        elif hasattr(following, "warm_start"):
            following.warm_start(before.optimizer)
        if stage.at != former.at:  # the objective is another one, of the same terms
            progress.begin_objective()
            self.computation.change_constants(self.state.parameters.put(stage.at))
        own = " at the problem's own values" if former.at is not None and stage.at is None else ""
        log.info("%s ended: %s; %s follows%s", former.label, reason, stage.label, own)

    def _end_window(self, optimizers: Sequence[Any], reason: str) -> None:
        """End the present window of time: the next one begins with new optimizers, or training stops."""
        windows, former, progress = self.state.windows, self.state.stage, self.state.progress
        assert windows is not None
        if over := windows.close(self.state, self.values, reason):
            self.stopping.reason = self.stopping.reason or over
            return
        progress.stage = progress.stage_step = 0
        progress.stage_began_s, progress.draw, progress.settling = self.state.clock.seconds(), -1, None
        progress.begin_objective()
        progress.sound = progress.step
        for stage, optimizer in zip(self.state.stages, optimizers, strict=True):
            parameters = [one for group in optimizer.optimizer.param_groups for one in group["params"]]
            optimizer.optimizer.load_state_dict(stage.settings.build(parameters).state_dict())
        self.state.weights.forget()
        if same_terms(former, self.state.stage):
            self.computation.change_constants(other_constraints=False)
        else:
            self.computation.leave()

    def finish(self, reason: str) -> None:
        """Look at the window of time in which training has ended."""
        if self.state.windows is not None and self.state.progress.step:
            self.state.windows.finish(self.state, self.values, reason)

    def update_step_decay(self) -> None:
        """Begin to shorten the steps of an optimizer that wants it, where little of its stage is left on some rank."""
        state, stage, progress = self.state, self.state.stage, self.state.progress
        if not stage.fresh_points or not state.ranks.any(self._left() < cast(Any, stage.settings).settle, state.device):
            progress.settling = None
        elif progress.settling is None:
            progress.settling = progress.step
            log.info("step %d: the steps of %s shorten from here to the end", progress.step, stage.name)

    def _left(self) -> float:
        """The share of the present stage, or of the run, that is left: of its steps or its time."""
        stage = self.state.stage
        left = stage.left(self.state.progress.stage_step, self.state.stage_seconds if stage.max_time else 0.0)
        windows = self.state.windows
        return min(left, self.stopping.left(), 1.0 if windows is None else windows.budget.left(self.state))
