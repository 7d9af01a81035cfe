"""Callbacks: the record of losses and errors, signals, figures."""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback

from pinnkit.training.exceptions import INTERRUPTED
from pinnkit.training.module import PINN
from pinnkit.training.signals import handled_signals

ROWS = 4000
"""Entries of the record at most."""

Measure = Callable[[], Mapping[str, float]]
Report = Callable[[Mapping[str, Any]], None]


class Record(Callback):
    """Keeps losses and errors, one entry a block of steps, and hands them to the loggers.

    Args:
        measure: the relative L2 error of each field that has a reference.
        every: optimizer steps between measurements.
        report: receives step, time, objective and errors of each measurement.
    """

    def __init__(self, measure: Measure, every: int, stop_error: float | None, report: Report | None = None) -> None:
        self.measure, self.every, self.stop_error, self.report = measure, every, stop_error, report
        self.rows: list[dict[str, Any]] = []
        self.errors: dict[str, float] = {}
        self.errors_step: int | None = None
        """The step at which `errors` were measured."""
        self.points_per_second = 0.0
        self._next = 0

    def on_train_batch_end(self, trainer: lightning.Trainer, module: PINN, *_: Any) -> None:  # type: ignore[override]
        progress = module.progress
        if self.rows and self.rows[-1]["step"] == progress.step:
            return  # a limit was reached before the first step: nothing is new
        row: dict[str, Any] = {
            "step": progress.step,
            "time_s": progress.train_time_s,
            "phase": progress.stage,
            "losses": {term: float(loss) for term, loss in module.losses_now.items()},
            "errors": {},
            "learned": {name: float(module.parameter_values()[name].detach()) for name in module.learned},
        }
        if progress.step >= self._next or module.stopped:
            row["errors"] = self.errors = dict(self.measure())
            self.errors_step = progress.step
            if self.report is not None:
                objective = row["losses"].get("objective", math.nan)
                kept = {key: row[key] for key in ("step", "time_s", "errors")}
                if module.state.losses_at is not None:
                    kept["parameters"] = dict(module.state.losses_at.values)
                if module.state.weights.every is not None:
                    kept["weights"] = {**module.state.weights.values(), **module.state.weights.summary()}
                self.report({**kept, "objective": objective})
            self._next = progress.step // self.every * self.every + self.every
            if self.stop_error is not None and self.errors and max(self.errors.values()) <= self.stop_error:
                module.stop(f"the error is at most {self.stop_error:g}")
        rate = self._rate(trainer, module, row)
        self.rows.append(row)
        if len(self.rows) > ROWS:  # older entries become sparser, so that a long run needs no more memory than a short
            self.rows = _sparser(self.rows)
        values = {f"loss/{term}": loss for term, loss in row["losses"].items()}
        values |= {f"weight/{term}": weight for term, weight in module.state.weights.values().items()}
        values |= {f"point_weight/{name}": value for name, value in module.state.weights.summary().items()}
        values |= {f"error/{field}": error for field, error in row["errors"].items()}
        values |= {f"optimizer/{name}": value for name, value in module.state.diagnostics.items()}
        values |= {f"learned/{name}": value for name, value in row["learned"].items()}
        if module.state.weighted_objective is not None:  # `loss/objective` has the weights of the start
            values["loss/weighted_objective"] = float(module.state.weighted_objective)
        values |= {"optimizer/phase": float(row["phase"]), "speed/points_per_second": rate}
        # TensorBoard draws 1e-9 as 0 on its linear axes: losses and errors are given by their magnitude too.
        small = {name: value for name, value in values.items() if name.startswith(("loss/", "error/")) and value > 0}
        values |= {f"log10_{name}": math.log10(value) for name, value in small.items()}
        for logger in trainer.loggers:
            logger.log_metrics(values, step=row["step"])

    def _rate(self, trainer: lightning.Trainer, module: PINN, row: Mapping[str, Any]) -> float:
        """Collocation points per second of training since the last entry: steps * points / time; 0 of a solve."""
        before = self.rows[-1] if self.rows else {"step": 0, "time_s": 0.0}
        sizes: list[int] = [len(part) for part in trainer.datamodule.sets.values()]  # type: ignore[attr-defined]
        points = 0 if module.solves else sum(sizes)
        elapsed = row["time_s"] - before["time_s"]
        self.points_per_second = (row["step"] - before["step"]) * points / elapsed if elapsed > 0 else 0.0
        return self.points_per_second

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows, "next": self._next}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.rows, self._next = list(state["rows"]), state["next"]


def _sparser(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every other of the rows with errors, and every other of those without; the first and the last stay."""
    measured = [row for row in rows[1:-1] if row["errors"]]
    others = [row for row in rows[1:-1] if not row["errors"]]
    dropped = {id(row) for row in (*measured[1::2], *others[1::2])}
    return [row for row in rows if id(row) not in dropped]


class SignalHandler(Callback):
    """A signal ends training before the next step, so that a checkpoint is written; a second one ends it at once.

    It is made before Lightning begins: the handlers of that time handle a second signal, and all after training.
    (When training ends Lightning restores its own handlers before it calls the callbacks.)
    """

    def __init__(self) -> None:
        self._former = {number: signal.getsignal(number) or signal.SIG_DFL for number in handled_signals()}
        self._installed = False

    def on_train_start(self, trainer: lightning.Trainer, module: PINN) -> None:  # type: ignore[override]
        if threading.current_thread() is not threading.main_thread():
            return  # Python gives signals to the main thread alone, whose handlers are those of the caller

        def stop(number: int, frame: Any) -> None:
            module.stop(f"{INTERRUPTED}{signal.Signals(number).name}")
            signal.signal(number, self._former[signal.Signals(number)])

        self._installed = True
        for number in self._former:
            signal.signal(number, stop)

    def teardown(self, trainer: lightning.Trainer, module: PINN, stage: str) -> None:  # type: ignore[override]
        self._restore()

    def on_exception(self, trainer: lightning.Trainer, module: PINN, exception: BaseException) -> None:  # type: ignore[override]
        self._restore()  # Lightning calls no teardown then

    def _restore(self) -> None:
        for number, handler in self._former.items() if self._installed else ():
            signal.signal(number, handler)
        self._installed = False


class FigureLogger(Callback):
    """Hands figures to the loggers when training begins and while it goes on.

    Args:
        show: draws and logs the figures of the current state at a step.
        every: optimizer steps between figures.
    """

    def __init__(self, show: Callable[[int], None], every: int) -> None:
        self.show, self.every = show, every
        self._next = every

    def on_train_start(self, trainer: lightning.Trainer, module: PINN) -> None:  # type: ignore[override]
        if module.progress.step == 0:
            self.show(0)

    def on_train_batch_end(self, trainer: lightning.Trainer, module: PINN, *_: Any) -> None:  # type: ignore[override]
        step = module.progress.step
        if step >= self._next:
            self._next = step // self.every * self.every + self.every
            self.show(step)
