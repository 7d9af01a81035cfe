"""Results of a run: metrics.json, solution.npz, figures and summary lines."""

from __future__ import annotations

import logging
import textwrap
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from lightning.pytorch.loggers import Logger

from pinnkit.problem.integral_checks import TOLERANCE, doubted
from pinnkit.problem.units import unit_behind
from pinnkit.references.choose import Reference
from pinnkit.reporting.artifacts import RunFolder
from pinnkit.reporting.grid import Grid
from pinnkit.runs import board, environment, evaluation, trackers
from pinnkit.runs.conserved import drift_lines, over_time
from pinnkit.runs.console import COLUMNS, FIXED
from pinnkit.runs.corrections import correct, estimate_lines
from pinnkit.runs.finite import check_finite
from pinnkit.runs.history import history as history_of
from pinnkit.runs.judgement import judged, not_judged
from pinnkit.runs.learned import learned
from pinnkit.runs.report import report
from pinnkit.runs.restarts import guarded, rows_of_answer
from pinnkit.settings import Settings
from pinnkit.training.callbacks import Record
from pinnkit.training.datamodule import CollocationData
from pinnkit.training.exceptions import (
    INTERRUPTED,
    CannotWrite,
    Diverged,
    OutOfMemory,
    RankLost,
    RendezvousError,
    cannot_write,
)
from pinnkit.training.feature_state import base_state
from pinnkit.training.module import PINN
from pinnkit.training.signals import Interrupted
from pinnkit.training.trained import trained
from pinnkit.verdict.changes import Answer
from pinnkit.versions import commit, versions

log = logging.getLogger("pinnkit")

QUADRATURE = 8192
"""Evaluations of the network by which the quadrature is checked after training, for each group of points."""


@dataclass
class Results:
    """The run folder's results; of several processes the first writes them.

    Args:
        began: the clock's time when the run was set up.
    """

    run: RunFolder
    settings: Settings
    overrides: Sequence[str]
    reference: Reference | None
    loggers: Sequence[Logger]
    began: float

    @property
    def first(self) -> bool:
        return environment.first()

    def finish(self, module: PINN, data: CollocationData, record: Record, answers: Sequence[Answer]) -> dict[str, Any]:
        """Evaluate, and write everything; the metrics.

        answers: the fields at a few points during training.

        Raises:
            KeyboardInterrupt, Interrupted: a signal came; metrics.json has it.
            Diverged: what was trained is not finite; metrics.json has the reason.
            CannotWrite: a file cannot be written.
        """
        try:
            return self._finish(module, data, record, answers)
        except Diverged as error:
            self.failed("diverged", error, module)
            raise
        except OSError as error:
            if not cannot_write(error, self.run.path):
                self.failed("failed", error, module)
                raise
            failure = CannotWrite(self.run.path, error)
            log.error(str(failure))
            raise failure from None
        except (KeyboardInterrupt, Interrupted) as error:
            name = error.name if isinstance(error, Interrupted) else "SIGINT"
            reason = f"{INTERRUPTED}{name} after training ({module.stopped})"
            log.warning("%s; resume=%s writes what is missing", reason, self.run.path)
            self._write(self._unmeasured("interrupted", reason, module), module)
            raise

    def _finish(self, module: PINN, data: CollocationData, record: Record, answers: Sequence[Answer]) -> dict[str, Any]:
        corrections = correct(module, self.settings, self.run.last_checkpoint if self.first else None)
        found = evaluation.evaluate(module, self.reference)
        check_finite(found, module)
        if self.first:
            self.run.write_solution(found.arrays())
        if self.first and self.settings.callbacks.figures:
            figures = self._figures(found, module, data, record, corrections.map(module.problem))
            callbacks = self.settings.callbacks
            self.run.write_figures(figures, callbacks.figures_format, callbacks.figures_dpi)
            self._show(module.progress.step, figures)
        rows = rows_of_answer(module, record.rows)
        metrics = {
            "status": "interrupted" if (module.stopped or "").startswith(INTERRUPTED) else "finished",
            "reason": module.stopped,
            **found.errors(),
            "loss": rows[-1]["losses"].get("objective") if rows else None,
            **self._counters(module),
            "learned": learned(module, corrections.learned),
            **corrections.metrics,
            **over_time(module),
            "hard": list(dict.fromkeys(condition.origin for condition in module.problem.hard_conditions)),
            **self._quadrature(module, data),
            **found.extremes(),
            **({"units": dict(module.problem.units)} if module.problem.units else {}),
            **self._facts(module),
        }
        asked = self.settings.trainer.asked_error
        metrics |= judged(module, rows, answers, self.reference, metrics, self.settings.seed, asked)
        self._write(metrics, module)
        for line in in_columns(verdict_lines(metrics)):
            log.info(line, extra={"verdict": metrics["verdict"]})
        for line in in_columns(summary_lines(metrics)):
            log.info(line)
        if self.first:
            log.info("report: %s", self.run.path / "report.html")
        return metrics

    def _quadrature(self, module: PINN, data: CollocationData) -> dict[str, Any]:
        """quadrature: integral -> its relative change by twice the nodes, for the trained fields."""
        changes = module.values.quadrature_changes(
            {name: batch.to(module.device) for name, batch in data.batches().items()}, QUADRATURE
        )
        for one, change in changes.items():
            if change > TOLERANCE:
                log.warning("%s", doubted(module.problem, one, change, "the trained fields"))
        return {"quadrature": {str(one): change for one, change in changes.items()}} if changes else {}

    def failed(self, status: str, error: Exception, module: PINN) -> None:
        """Leave the reason in the log and in metrics.json, so that a sweep's summary has it too."""
        if self.first or isinstance(
            error, RendezvousError | OutOfMemory | RankLost
        ):  # all ranks know the other ways to end
            log.error(str(error))
        self._write(self._unmeasured(status, str(error), module), module)

    def show_now(self, module: PINN, data: CollocationData, record: Record, step: int) -> None:
        """Draw the present state for the loggers."""
        self._show(step, self._figures(evaluation.evaluate(module, self.reference), module, data, record))

    def _unmeasured(self, status: str, reason: str, module: PINN) -> dict[str, Any]:
        """The metrics of a run whose answer was not measured."""
        told = {"status": status, "reason": reason, **not_judged(status)}
        return {**told, **self._counters(module), **self._facts(module)}

    def _write(self, metrics: Mapping[str, Any], module: PINN) -> None:
        """Write metrics.json, report.html from it, and the end of the boards."""
        if self.first:
            self.run.write_metrics(metrics)
            written = self.run.read_metrics()
            report(self.run, module.problem, self.settings, written, self.run)
            board.end(self.loggers, self.settings, module.problem, written)
            trackers.end(self.loggers, written)

    def _counters(self, module: PINN) -> dict[str, Any]:
        progress = module.progress
        return {
            "steps": progress.step,
            "evaluations": progress.evaluations,
            "wall_time_s": time.perf_counter() - self.began,
            "train_time_s": progress.train_time_s,
            "compile_time_s": progress.compile_time_s,
            **guarded(module.state),
        }

    def _facts(self, module: PINN) -> dict[str, Any]:
        settings = self.settings
        gpu = settings.trainer.accelerator == "gpu"
        choice = module.choice or module.computation.former_choice  # a run may end as other terms begin
        return {
            "method": settings.method,
            "parameters": _parameters(module),
            "operators": choice.to_dict() if choice else None,
            "optimizers": [stage.name for stage in module.stages],
            **({"continuation": dict(settings.continuation)} if settings.continuation else {}),
            "reference": self.reference.name if self.reference is not None else None,
            "reference_error": self.reference.claimed_error if self.reference is not None else None,
            "seed": settings.seed,
            "dtype": settings.dtype,
            "device": torch.cuda.get_device_name() if gpu else _cpu(torch.get_num_threads()),
            "versions": versions(),
            "commit": commit(),
            "overrides": list(self.overrides),
        }

    def _figures(
        self,
        found: evaluation.Evaluation,
        module: PINN,
        data: CollocationData,
        record: Record,
        estimates: tuple[Grid, Mapping[str, np.ndarray]] | None = None,
    ) -> dict[str, Any]:
        names = [stage.label for stage in module.stages]
        history = history_of(record.rows, names, found.references)
        return found.draw(module.problem, history, data.sets, estimates)

    def _show(self, step: int, figures: Mapping[str, Any]) -> None:
        for logger in self.loggers:
            for name, figure in figures.items():
                trackers.log_figure(logger, name, figure, step)


def _parameters(module: PINN) -> int:
    """How many numbers were trained, or solved for."""
    count = max((stage.level for stage in module.stages), default=0) + 1
    all_of_them = {id(one) for level in range(count) for one in trained(module, level)}
    sizes = {name: one.numel() for name, one in module.named_parameters() if id(one) in all_of_them}
    kept = sizes if module.solves else base_state(sizes)  # a polish leaves the network as it was trained
    return sum(kept.values())


def _cpu(threads: int) -> str:
    return f"cpu, {threads} thread{'s' * (threads > 1)}"


def in_columns(lines: Iterable[str]) -> list[str]:
    """Lines that fit the columns of a summary; a number stays beside its per cent sign, and a path is one word.

    >>> in_columns(["the condition e of a problem whose answer stands in this line is violated by 100 % of its terms"])
    ['the condition e of a problem whose answer stands in this line is violated by', '  100 % of its terms']
    """
    wrapper = textwrap.TextWrapper(COLUMNS, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    return [part.replace(FIXED, " ") for line in lines for part in wrapper.wrap(line.replace(" %", f"{FIXED}%"))]


def verdict_lines(metrics: Mapping[str, Any]) -> list[str]:
    """The verdict in words; none of a run that has not been judged."""
    return [f"{metrics['verdict']}: {metrics['verdict_text']}"] if "verdict" in metrics else []


def summary_lines(metrics: Mapping[str, Any]) -> list[str]:
    """The figures that matter, a line each."""

    def unit(name: str) -> str:
        return unit_behind(metrics.get("units", {}), name)

    lines = [f"{metrics['status']}: {metrics['steps']} steps in {metrics['train_time_s']:.1f} s of training"]
    for field, error in metrics["relative_l2"].items():
        note = _without(metrics.get("reference_left_out", {}).get(field, 0), "it is not finite")
        lines.append(f"relative L2 error of {field}: {error:.3e} (against: {metrics['reference']}{note})")
    guesses = (metrics.get("estimated_error") or {}).values()
    if not metrics["relative_l2"] and all(one is None for one in guesses):
        lines.append("no reference: the error is not known; give exact:, reference: or manufactured=")
    lines += [*estimate_lines(metrics), *drift_lines(metrics)]
    for equation, size in metrics["residual_rms"].items():
        note = _without(metrics.get("residual_left_out", {}).get(equation, 0), "the equation is singular")
        lines.append(f"RMS residual of {equation}: {size:.3e}{f' ({note[2:]})' if note else ''}")
    for name, found in metrics["learned"].items():
        truth = f", exact {found['exact']:.6g}" if "exact" in found else ""
        own = found.get("estimated_error")
        guess = "" if own is None else f", estimated error {own:.1e}"
        lines.append(f"learned {name} = {found['value']:.6g}{unit(name)}{truth}{guess}")
    lines += [
        f"minimum of {field} on the evaluation grid: {least:.4g}{unit(field)}; "
        f"maximum: {metrics['maximum'][field]:.4g}{unit(field)}"
        for field, least in metrics["minimum"].items()
    ]
    return lines


def _without(count: int, what: str) -> str:
    return f", without {count} point{'s' * (count > 1)} where {what}" if count else ""
