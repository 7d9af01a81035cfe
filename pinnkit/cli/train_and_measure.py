"""Training of a checked problem, and measuring of a trained network: the parts of the commands that load torch."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pinnkit.cli.entry import DIVERGED, FINISHED, INTERRUPTED, WRONG
from pinnkit.cli.launch import LOST
from pinnkit.cli.requeue import requeue
from pinnkit.losses.view import ResidualError
from pinnkit.optimizers.sample_space import JacobianTooLargeError
from pinnkit.problem.problem import Problem
from pinnkit.references.choose import choose
from pinnkit.reporting.artifacts import RunFolder
from pinnkit.runs import environment, evaluation
from pinnkit.runs.animation import animate_fields
from pinnkit.runs.configuration import with_settings
from pinnkit.runs.conserved import conserved
from pinnkit.runs.corrections import Corrections, estimate_error
from pinnkit.runs.export import export
from pinnkit.runs.export_metadata import export_metadata
from pinnkit.runs.history import history as history_of
from pinnkit.runs.judgement import judged
from pinnkit.runs.learned import learned
from pinnkit.runs.load import checkpoint_path, restore
from pinnkit.runs.network_exporters import Subject
from pinnkit.runs.point_table import write_points
from pinnkit.runs.report import report
from pinnkit.runs.resolved import resolved
from pinnkit.runs.results import in_columns, summary_lines, verdict_lines
from pinnkit.runs.solve import solve
from pinnkit.settings import Settings
from pinnkit.training.exceptions import INTERRUPTED as INTERRUPTED_BY
from pinnkit.training.exceptions import (
    CannotWrite,
    Diverged,
    InvalidWeights,
    NoGradient,
    OptimizerUnsupported,
    OutOfMemory,
    RankLost,
    RendezvousError,
)
from pinnkit.training.signals import REQUEUES

WRONG_SETTINGS = (NoGradient, OptimizerUnsupported, InvalidWeights, JacobianTooLargeError, ResidualError)


def run(problem: Problem, settings: Settings, folder: Path, config: str, overrides: Sequence[str], resume: bool) -> int:
    """Solve; the exit code for how the run has ended.

    Raises:
        ProblemError: the configuration is wrong.
    """
    try:
        solution = solve(problem, folder, settings, config=config, overrides=overrides, resume=resume)
    except (RendezvousError, CannotWrite, RankLost):
        return LOST
    except OSError as error:  # before training or after it
        print(f"pinnkit: {error}", file=sys.stderr)
        return LOST
    except OutOfMemory:
        return WRONG
    except WRONG_SETTINGS:  # the run has logged why
        return WRONG if environment.first() else FINISHED
    except Diverged:
        return DIVERGED if environment.first() else FINISHED
    if solution.metrics["reason"] == f"{INTERRUPTED_BY}{REQUEUES}":
        requeue()
    # Of several processes the first says so alone: the launcher ends the others as soon as one has failed.
    return INTERRUPTED if solution.status == "interrupted" and environment.first() else FINISHED


def measure(
    problem: Problem,
    settings: Settings,
    run: RunFolder,
    checkpoint: str,
    grid: int | None,
    formats: Sequence[str],
    points: Mapping[str, np.ndarray] | None = None,
    animate: str | None = None,
    estimate: bool = False,
) -> None:
    """Evaluate a checkpoint on a grid, print the figures that matter, and write RUN/evaluation.

    Args:
        checkpoint: last or best.
        grid: points along each coordinate; None: as at the end of training.
        formats: names of exporters.
        points: coordinates (n,) at which the solution is written too.
        animate: gif, mp4 or None.
        estimate: whether the error is estimated, by features.

    Raises:
        ProblemError: the configuration is not the checkpoint's, or a format cannot hold the problem.
    """
    path = checkpoint_path(run, checkpoint)
    settings = resolved(problem, settings)
    trained = restore(problem, settings, path, with_settings(run.read_config(), settings))
    module, rows = trained.module, trained.rows
    reference = choose(problem, settings.reference, settings.reference_max_time)
    found = evaluation.evaluate(module, reference, grid)
    folder = RunFolder(run.path / "evaluation").create()
    former = run.read_metrics() if run.metrics.exists() else {}
    known = (checkpoint == "last" and former.get("learned")) or {}
    guesses = {name: one["estimated_error"] for name, one in known.items() if "estimated_error" in one}
    corrections = estimate_error(module, settings) if estimate else Corrections()
    guesses |= corrections.learned
    measured = {**found.errors(), "learned": learned(module, guesses), **found.extremes()}
    if checkpoint != "last":  # what was estimated is the error of the last
        measured |= {"estimated_error": {}, "estimated_error_text": None, "singular": None, "polish": None}
    measured |= {**corrections.metrics, **conserved(module)}
    measured |= {"units": dict(problem.units)} if problem.units else {}
    metrics = {
        **trained.progress(),
        "reference": reference and reference.name,
        **former,
        **measured,
        "checkpoint": str(path),
    }
    asked = settings.trainer.asked_error
    metrics |= judged(module, rows, (), reference, metrics, settings.seed, asked)
    names = [stage.name for stage in module.stages]
    folder.write_metrics(metrics)
    folder.write_solution(found.arrays())
    figures = found.draw(
        problem, history_of(rows, names, found.references), trained.data.sets, corrections.map(problem)
    )
    folder.write_figures(figures, settings.callbacks.figures_format, settings.callbacks.figures_dpi)
    subject = Subject(module, found, reference, export_metadata(problem, metrics, settings.dtype), grid)
    written = [f"export: {path}" for path in export(formats, folder.path, subject)]
    if points is not None:
        table = write_points(module, reference, points, folder.path, formats, subject.metadata)
        written += [f"export: {path}" for path in table]
    if animate is not None:
        written += [f"animation: {path}" for path in animate_fields(module, reference, folder.path, animate)]
    report(folder, problem, settings, folder.read_metrics(), run)
    if former:
        report(run, problem, settings, former, run)
    lines = in_columns([*verdict_lines(metrics), *summary_lines(metrics)])
    print("\n".join([*lines, *written, f"written to {folder.path}"]))
