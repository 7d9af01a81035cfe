"""One trial of a sweep: a training run in a process of its own, monitored by its history.jsonl."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pinnkit.cli.entry import FINISHED
from pinnkit.cli.parent_watchdog import GRACE, WATCHDOG
from pinnkit.cli.quoting import quoted
from pinnkit.reporting.artifacts import RunFolder, RunFolderError
from pinnkit.reporting.history_file import error_or_objective, least_error, read_measurements, without_repeats
from pinnkit.training.settings import DEFAULT_STEPS, Trainer

POLL = 0.5
"""Seconds between two readings of a run's history."""
RUNGS = 20
"""Into how many parts the budget of a run is divided; where each begins, it is compared with the other runs."""


@dataclass(frozen=True)
class Budget:
    """The limits of a run. Runs are compared where they have spent the same share of it: steps of different optimizers
    or widths take different times, and errors are not measured at the same steps in all of them."""

    steps: float
    seconds: float

    @classmethod
    def of(cls, trainer: Trainer) -> Budget:
        default = DEFAULT_STEPS if trainer.max_time is None else math.inf
        return cls(trainer.max_steps or default, trainer.max_time or math.inf)

    def rungs(self, rows: Iterable[Mapping[str, Any]]) -> dict[int, float]:
        """The best value until each part of the budget began, by the number of the part.

        >>> rows = [{"step": s, "time_s": 0.0, "errors": {"u": e}} for s, e in ((10, 0.5), (105, 0.2), (260, 0.3))]
        >>> Budget(2000, math.inf).rungs(rows)
        {0: 0.5, 1: 0.2, 2: 0.2}
        """
        found: dict[int, float] = {}
        last, least = -1, math.inf
        for row in rows:
            rung = int(RUNGS * max(row["step"] / self.steps, row["time_s"] / self.seconds))
            if found:
                found.update(dict.fromkeys(range(last + 1, rung), least))  # passed without a measurement
            least = min(least, error_or_objective(row))
            found.setdefault(rung, least)
            last = max(last, rung)
        return found


@dataclass(frozen=True)
class ReservedTrial:
    """A trial that a worker has taken, and that no other can take while a process holds its lock."""

    trial: Any
    """Optuna's: it takes the values and says whether to go on."""
    folder: RunFolder
    overrides: tuple[str, ...]
    """Its place in the space."""
    lock: int
    """A file descriptor. The training process keeps it open too, so that it is never joined by a second one."""
    reported: int
    """The last rung of which a value is known, from before the sweep was killed; -1 for none."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended: complete, pruned, failed, or open where the sweep was stopped; its best value; why."""

    state: str
    value: float = math.inf
    reason: str = ""


def run(
    program: Sequence[str], arguments: Sequence[str], claim: ReservedTrial, budget: Budget, stop: threading.Event
) -> Outcome:
    """Train in a process of its own until it ends, or until Optuna's pruner or the sweep (`stop`) ends it.

    Where the run folder holds a checkpoint the run goes on from there.

    Args:
        program: what Python runs, a script or -m and a module.
    """
    folder, trial = claim.folder, claim.trial
    if folder.resumable:
        arguments = [*arguments, f"resume={quoted(folder.path)}"]
    else:  # what a run leaves that was killed before its first checkpoint is not this run's
        folder.history.unlink(missing_ok=True)
        arguments = [*arguments, f"hydra.run.dir={quoted(folder.path)}", "overwrite=true"]
    folder.metrics.unlink(missing_ok=True)
    errors_file = folder.path / "stderr.txt"
    line = [sys.executable, WATCHDOG, *program, *arguments]
    with errors_file.open("wb") as errors:
        process = subprocess.Popen(
            line,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            pass_fds=(claim.lock,),
            start_new_session=True,  # Ctrl-C is the sweep's: it hands it on
        )
    try:
        asked, last = _monitored(process, claim, budget, stop)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        assert process.stdin is not None
        process.stdin.close()
    rows = without_repeats(read_measurements(folder.history))
    least = least_error(rows)
    last = _reported(trial, budget.rungs(rows), last)  # the runs after this one are compared with all of it
    if process.returncode == FINISHED:
        if math.isfinite(least):
            return Outcome("complete", least)
        return Outcome("failed", reason="no finite error or objective was measured")
    if asked == "stop":
        return Outcome("open")
    if asked == "prune":
        # Optuna takes the last value that was reported for the value of a pruned trial.
        trial.report(least, last + 1)
        return Outcome("pruned", least, "its error was above the median of the others")
    return Outcome("failed", reason=_reason(folder, process.returncode, errors_file))


def _monitored(
    process: subprocess.Popen, claim: ReservedTrial, budget: Budget, stop: threading.Event
) -> tuple[str, int]:
    """Follow a run to its end; why it was asked to end (stop, prune, or an empty text), and the last rung reported."""
    asked, deadline, last = "", math.inf, claim.reported
    while True:
        try:
            process.wait(POLL)
            return asked, last
        except subprocess.TimeoutExpired:
            pass
        if time.monotonic() > deadline:
            process.kill()
        elif not asked:
            rows = without_repeats(read_measurements(claim.folder.history))
            former, last = last, _reported(claim.trial, budget.rungs(rows), last)
            asked = "stop" if stop.is_set() else "prune" if last > former and claim.trial.should_prune() else ""
            if asked:
                process.terminate()
                deadline = time.monotonic() + GRACE


def _reported(trial: Any, rungs: Mapping[int, float], last: int) -> int:
    """Report to Optuna the values after the last that it knows; the last now."""
    for rung in rungs:
        if rung > last:
            trial.report(rungs[rung], rung)
            last = rung
    return last


def _reason(folder: RunFolder, code: int, errors_file: Path) -> str:
    """Why a run failed: by its metrics.json, else its exit code and its last message."""
    try:
        metrics = folder.read_metrics()
        return f"{metrics['status']}: {metrics.get('reason')}"
    except RunFolderError:
        lines = errors_file.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        ours = [place for place, line in enumerate(lines) if line.startswith("pinnkit: ")]
        last = "\n".join(lines[ours[-1] :]) if ours else "".join(lines[-1:])
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return f"{how}: {last}" if last else how


def share_cores(workers: int) -> None:
    """Runs beside each other share the cores: threads that have to wait for a core slow each other down."""
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))
