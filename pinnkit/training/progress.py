"""The progress line: kept up to date on a terminal, a line now and then in a log."""

from __future__ import annotations

import logging
import math
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TextIO

import lightning
from lightning.pytorch.callbacks import Callback
from tqdm import tqdm

from pinnkit.training.callbacks import Record
from pinnkit.training.module import PINN

log = logging.getLogger(__name__)

SHORTEST, LONGEST = 10.0, 600.0
"""Seconds of training between two lines where there is no terminal: a tenth of the run, within these."""
FIRST = 2.0
"""Seconds of training until the first line; until the time between two is reached, each comes at twice the time of
the one before, so that a log shows soon that a long run has begun."""
BAR = 10, 30
"""Columns of the bar, where there is room for one."""


@dataclass
class StepTime:
    """The time of a step, by the steps of the present stage in this process."""

    stage: int | None = None
    step: int = 0
    time: float = 0.0
    per_step: float | None = field(default=None)

    def update(self, stage: int, step: int, time: float) -> None:
        """Take in the present step and the seconds of training. The first steps of a stage may hold a compilation."""
        if stage != self.stage:
            self.stage, self.step, self.time = stage, step, time
        elif step > self.step:
            self.per_step = (time - self.time) / (step - self.step)


@dataclass(frozen=True)
class State:
    """What is shown of a run.

    Attributes:
        optimizer: the name of the present one.
        error: the largest of its fields' errors.
        of: that field, where there are several.
        error_step: the step at which the error was measured, which may be earlier than the objective's.
    """

    optimizer: str
    step: int
    steps: int | None
    time: float
    max_time: float | None
    per_step: float | None
    objective: float
    error: float | None = None
    of: str | None = None
    points_per_second: float = 0.0
    error_step: int | None = None

    @property
    def share(self) -> float:
        """The share of the run that is done, of its steps or its time, whichever ends first."""
        shares = [self.step / self.steps] if self.steps else []
        shares += [self.time / self.max_time] if self.max_time else []
        return min(max(shares, default=0.0), 1.0)

    @property
    def left(self) -> float | None:
        """Seconds that are left, by its steps or its time, whichever ends first; None where that is not known yet."""
        left = [self.max_time - self.time] if self.max_time else []
        if self.steps and self.per_step is not None:
            left.append((self.steps - self.step) * self.per_step)
        return max(min(left), 0.0) if left else None


def clock(seconds: float | None) -> str:
    """Seconds as hours, minutes and seconds.

    >>> clock(7.2), clock(754), clock(3 * 86400 + 3661), clock(None)
    ('0:07', '12:34', '73:01:01', '?')
    """
    if seconds is None:
        return "?"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def on_terminal(state: State, columns: int) -> str:
    """One line of at most so many columns; where it is narrow the less important parts are left out, the error last.

    >>> print(on_terminal(State("adam", 4300, 10000, 62.0, None, 0.0145, 1.234e-7, 2.1e-4, error_step=4200), 80))
    43%  4300/10000  objective 1.23e-07  error 2.10e-04 at step 4200  1:02 of <2:25
    """
    steps = f"{state.step}/{state.steps}" if state.steps else f"step {state.step}"
    # "<": a run ends before its last step where its objective has gone flat.
    bound = "?" if state.left is None else f"<{clock(state.time + state.left)}"
    parts = {  # in the order in which they stand
        "optimizer": state.optimizer,
        "share": f"{100 * state.share:.0f}%",
        "steps": steps,
        "objective": f"objective {state.objective:.2e}",
        "error": _error(state, " "),
        "speed": f"{state.points_per_second:.1e} points/s" if state.points_per_second else "",
        "time": f"{clock(state.time)} of {bound}",
    }
    parts = {name: part for name, part in parts.items() if part}
    for name in ("speed", "optimizer", "share", "error's step", "steps", "time", "objective"):
        if len("  ".join(parts.values())) <= columns:
            break
        if name == "error's step":
            parts |= {"error": _error(replace(state, error_step=None), " ")} if "error" in parts else {}
        else:
            parts.pop(name, None)
    room = columns - len("  ".join(parts.values())) - 2
    if room >= BAR[0] and "share" in parts:
        width = min(room, BAR[1]) - 2
        done = round(state.share * width)
        parts["share"] += f"  [{'=' * done}{' ' * (width - done)}]"
    return "  ".join(parts.values())[:columns]


def in_a_bar(state: State) -> str:
    """What stands beside tqdm's own bar, which has the steps and the time.

    >>> in_a_bar(State("adam", 43, 100, 6.0, None, 0.1, 1.234e-7, 2.1e-4, "v"))
    'adam, objective 1.23e-07, error of v 2.10e-04'
    """
    return ", ".join(filter(None, [state.optimizer, f"objective {state.objective:.2e}", _error(state, " of ")]))


def _error(state: State, of: str) -> str:
    """The error, its field, and its step where that is not the objective's; nothing where no error is known."""
    if state.error is None:
        return ""
    at = f" at step {state.error_step}" if state.error_step not in (None, state.step) else ""
    return f"error{f'{of}{state.of}' if state.of else ''} {state.error:.2e}{at}"


def log_line(state: State) -> str:
    """One line for a log.

    >>> print(log_line(State("ssbroyden", 4300, 10000, 62.0, None, 0.0145, 1.234e-7, 2.1e-4, "v")))
    step 4300 of 10000 (ssbroyden): objective 1.23e-07, error of v 2.10e-04; 1:02 of training, at most 1:23 left
    """
    steps = f" of {state.steps}" if state.steps else ""
    measures = ", ".join(filter(None, [f"objective {state.objective:.2e}", _error(state, " of ")]))
    times = f"{clock(state.time)} of training, at most {clock(state.left)} left"
    return f"step {state.step}{steps} ({state.optimizer}): {measures}; {times}"


def in_notebook() -> bool:
    """Whether this is a notebook's kernel, whose standard error is no terminal but shows a bar of widgets."""
    ipython = sys.modules.get("IPython")
    return hasattr(ipython.get_ipython() if ipython else None, "kernel")


class Progress(Callback):
    """Shows step, objective, error and the time left: a line on a terminal, tqdm's bar in a notebook, else a log.

    Args:
        record: from which objective and errors are read.
        stream: where the line is written; None: standard error.
        bar: False: lines of a log, wherever this is.
    """

    def __init__(self, record: Record, stream: TextIO | None = None, bar: bool = True) -> None:
        self.record, self.stream, self.bar = record, stream or sys.stderr, bar
        self._step_time = StepTime()
        self._bar: tqdm | None = None
        self._widget: tqdm | None = None
        self._began = self._last_line = -math.inf
        """Seconds of training at the start, and at the last line."""

    def on_train_start(self, trainer: lightning.Trainer, module: PINN) -> None:  # type: ignore[override]
        self._began = self._last_line = module.progress.train_time_s
        if self.bar and self.stream.isatty():
            self._bar = tqdm(file=self.stream, bar_format="{desc}", dynamic_ncols=True, mininterval=0.2)
        elif self.bar and in_notebook():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # without ipywidgets it draws its bar of characters
                from tqdm.auto import tqdm as notebook_bar
            steps, done = module.limits.steps, module.progress.step
            self._widget = notebook_bar(total=steps, initial=done, unit="step", mininterval=0.2)

    def on_train_batch_end(self, trainer: lightning.Trainer, module: PINN, *_: Any) -> None:  # type: ignore[override]
        if not self.record.rows:
            return
        state = self._state(module, self.record.rows[-1])
        if self._bar is not None:
            self._bar.set_description_str(on_terminal(state, (self._bar.ncols or 80) - 1), refresh=False)
            self._bar.update(max(state.step - self._bar.n, 0))
            return
        if self._widget is not None:
            self._widget.set_postfix_str(in_a_bar(state), refresh=False)
            self._widget.update(max(state.step - self._widget.n, 0))
            return
        expected = 0.0 if state.left is None else (state.time + state.left) / 10
        until_next = min(max(expected, SHORTEST), LONGEST, max(self._last_line - self._began, FIRST))
        if state.time - self._last_line >= until_next:
            self._last_line = state.time
            log.info(log_line(state))

    def on_train_end(self, trainer: lightning.Trainer, module: PINN) -> None:  # type: ignore[override]
        self._close()

    def on_exception(self, trainer: lightning.Trainer, module: PINN, exception: BaseException) -> None:  # type: ignore[override]
        self._close()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.refresh()
            self._bar.close()
            self._bar = None
        if self._widget is not None:
            self._widget.refresh()
            self._widget.close()
            self._widget = None

    def _state(self, module: PINN, row: Mapping[str, Any]) -> State:
        self._step_time.update(row["phase"], row["step"], row["time_s"])
        errors = self.record.errors
        worst = max(errors, key=errors.__getitem__, default=None)
        return State(
            optimizer=module.stages[row["phase"]].name,
            step=row["step"],
            steps=module.limits.steps,
            time=row["time_s"],
            max_time=module.limits.max_time,
            per_step=self._step_time.per_step,
            objective=row["losses"].get("objective", math.nan),
            error=errors.get(worst) if worst is not None else None,
            of=worst if len(errors) > 1 else None,
            points_per_second=self.record.points_per_second,
            error_step=self.record.errors_step,
        )
