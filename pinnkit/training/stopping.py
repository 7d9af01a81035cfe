"""Stopping of training: limits, signals, and requests of callbacks."""

from __future__ import annotations

from torch import Tensor

from pinnkit.training.exceptions import INTERRUPTED
from pinnkit.training.state import TrainingState

STEPS_DONE, TIME_OVER = "steps are done", "s of training are over"
"""How the reason ends where a limit of steps or of time has ended training."""


def ended_by_budget(reason: str) -> bool:
    """Whether a limit, or a signal, ended training, and not what it had reached."""
    return reason.endswith((STEPS_DONE, TIME_OVER)) or reason.startswith(INTERRUPTED)


def ended_by_time(reason: str) -> bool:
    """Whether a limit of time ended it."""
    return reason.endswith(TIME_OVER)


class Stopping:
    """Decides when training ends. Several ranks agree on it once in each block of steps.

    Attributes:
        reason: why training has ended; None: it goes on.
    """

    def __init__(self, state: TrainingState) -> None:
        self.state = state
        self.reason: str | None = None
        self._requested: str | None = None

    def request_stop(self, reason: str) -> None:
        """End training before the next optimizer step; with several ranks, before the next block of steps."""
        self._requested = self._requested or reason

    @property
    def requested(self) -> bool:
        """Whether this process was asked to stop, by a signal or a callback."""
        return self._requested is not None

    @property
    def interrupted(self) -> str | None:
        """The signal by which this process was asked to stop."""
        return self._requested if self._requested and self._requested.startswith(INTERRUPTED) else None

    def before_block(self) -> None:
        """Look at the limits, and agree with the other ranks."""
        reason = self.reason or self.state.ranks.first_message(self.stop_reason(), self.state.device)
        self.reason = reason or self._steps()

    def after_step(self) -> None:
        """Look at the limits; several ranks do not ask each other in each step, which would cost a message."""
        if self.state.ranks.count == 1:
            self.reason = self.reason or self.stop_reason()
        self.reason = self.reason or self._steps()

    def after_block(self, objective: Tensor) -> None:
        """Look at the limits on the objective (under the reference weights), which are those of each window of time."""
        if self.state.stage.at is None and self.state.windows is None:  # otherwise another stage, or window, may follow
            self.reason = self.reason or self.reached(objective)

    def stop_reason(self) -> str | None:
        """Why this rank would end training now: its clock, a signal, a callback."""
        limits = self.state.limits
        over = limits.max_time is not None and self.state.clock.seconds() >= limits.max_time
        if over and self.state.progress.step:  # at least one step is made
            return self._requested or f"{limits.max_time:g} {TIME_OVER}"
        return self._requested

    def left(self) -> float:
        """The share of the run that is left, of its steps or its time; 1 where it has no limit."""
        left, limits = 1.0, self.state.limits
        if limits.steps is not None:
            left = min(left, 1.0 - self.state.progress.step / limits.steps)
        if limits.max_time is not None:
            left = min(left, 1.0 - self.state.clock.seconds() / limits.max_time)
        return left

    def _steps(self) -> str | None:
        """Why training ends by its steps, which every rank can tell by itself."""
        steps = self.state.limits.steps
        return f"{steps} {STEPS_DONE}" if steps is not None and self.state.progress.step >= steps else None

    def reached(self, objective: Tensor) -> str | None:
        """The limit on the objective that has been reached."""
        limits = self.state.limits
        if limits.stop_loss is not None and objective <= limits.stop_loss:
            return f"the objective is at most {limits.stop_loss:g}"
        reduction = limits.reduction(len(self.state.model.problem.coordinates))
        if reduction is not None and objective <= reduction * self.state.progress.first_objective:
            return f"the objective has fallen to {reduction:g} of its first value"
        return None
