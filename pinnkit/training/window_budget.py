"""The share of a run's steps and time that one window of time may take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch

from pinnkit.training.clock import Clock
from pinnkit.training.counters import Counters
from pinnkit.training.distributed import Ranks
from pinnkit.training.settings import Trainer

OVER = "the window"
"""The beginning of the reasons for which a window ends, and not a stage of it alone."""


class Course(Protocol):
    """How far a run is, and when it ends."""

    limits: Trainer
    progress: Counters
    clock: Clock
    ranks: Ranks

    @property
    def device(self) -> torch.device: ...


@dataclass(frozen=True)
class WindowBudget:
    """A share of what was left of the run when the window began.

    Attributes:
        began_step, began_s: steps and seconds of training before the window.
        share: of what was left.
        own: whether the window ends with it; else the run's own limits end it.
    """

    began_step: int
    began_s: float
    share: float
    own: bool

    def steps(self, limits: Trainer) -> int | None:
        """Optimizer steps; None: no limit."""
        return None if limits.steps is None else max(round((limits.steps - self.began_step) * self.share), 1)

    def seconds(self, limits: Trainer) -> float | None:
        """Seconds of training; None: no limit."""
        return None if limits.max_time is None else (limits.max_time - self.began_s) * self.share

    def left(self, course: Course) -> float:
        """The share of it that is left; 1 where there is no limit."""
        steps, seconds, left = self.steps(course.limits), self.seconds(course.limits), 1.0
        if steps is not None:
            left = min(left, 1.0 - (course.progress.step - self.began_step) / steps)
        if seconds is not None and seconds > 0.0:
            left = min(left, 1.0 - (course.clock.seconds() - self.began_s) / seconds)
        return left

    def steps_over(self, course: Course) -> str | None:
        """Why the window is over by its steps, as each rank can tell by itself."""
        steps = self.steps(course.limits)
        over = self.own and steps is not None and course.progress.step - self.began_step >= steps
        return f"{OVER}'s {steps} steps are done" if over else None

    def time_over(self, course: Course) -> str | None:
        """Why it is over by its time, on this rank; at least one step is made."""
        seconds = self.seconds(course.limits)
        if seconds is None or not self.own or course.progress.step == self.began_step:
            return None
        over = course.clock.seconds() - self.began_s >= seconds
        return f"{OVER}'s {seconds:.3g} s of training are over" if over else None

    def run_over(self, course: Course) -> bool:
        """Whether a limit of the run leaves no further window."""
        limits = course.limits
        if limits.steps is not None and course.progress.step >= limits.steps:
            return True
        return limits.max_time is not None and course.clock.seconds() >= limits.max_time
