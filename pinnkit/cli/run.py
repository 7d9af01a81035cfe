"""What the commands do once torch is loaded: train a checked problem, or measure what was trained."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pinnkit.cli.entry import DIVERGED, FINISHED, INTERRUPTED, WRONG
from pinnkit.cli.evaluate import Request
from pinnkit.cli.launch import LOST
from pinnkit.cli.train import requeue
from pinnkit.language.errors import Report
from pinnkit.losses.view import ResidualError
from pinnkit.optimizers.sample_space import JacobianTooLargeError
from pinnkit.problem.problem import Problem
from pinnkit.references.choose import Reference, choose
from pinnkit.reporting.artifacts import RunFolder
from pinnkit.reporting.exporters import EXPORTERS
from pinnkit.runs import environment, evaluation
from pinnkit.runs.configuration import FREE, MEASURES, check_same
from pinnkit.runs.factory import assemble
from pinnkit.runs.results import summary_lines
from pinnkit.runs.solve import solve
from pinnkit.settings import Settings
from pinnkit.training.checkpoints import check_fits, read
from pinnkit.training.datamodule import CollocationData
from pinnkit.training.exceptions import INTERRUPTED as INTERRUPTED_BY
from pinnkit.training.exceptions import (
    CannotWrite,
    Diverged,
    NoGradient,
    OutOfMemory,
    RankLost,
    RendezvousError,
    Unsuitable,
)
from pinnkit.training.module import PINN
from pinnkit.training.signals import REQUEUES


def run(problem: Problem, settings: Settings, folder: Path, config: str, overrides: Sequence[str], resume: bool) -> int:
    """Solve, and turn the ways to end into exit codes.

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
    except (NoGradient, Unsuitable, JacobianTooLargeError, ResidualError):  # the run has told why
        return WRONG if environment.first() else FINISHED
    except Diverged:
        return DIVERGED if environment.first() else FINISHED
    if solution.metrics["reason"] == f"{INTERRUPTED_BY}{REQUEUES}":
        requeue()
    # Of several processes, which all know, the first tells: the launcher ends the others as soon as one has failed.
    return INTERRUPTED if solution.status == "interrupted" and environment.first() else FINISHED


def trained(
    problem: Problem, settings: Settings, path: Path, config: str | None = None
) -> tuple[PINN, CollocationData, list[dict[str, Any]]]:
    """The module and the data of a checkpoint, and its record of training.

    Args:
        config: the configuration that problem and settings are of, where it might have changed since.

    Raises:
        DamagedCheckpoint: it is missing, not whole, or of other networks.
        ProblemError: the configuration is not that of the checkpoint.
    """
    state = read(path)
    if config is not None:
        report = Report()
        check_same(config, state["pinnkit"]["config"], path, report, (*FREE, *MEASURES))
        report.raise_if_any()
    module, data = assemble(problem, settings)
    check_fits(path, state, module)
    module.load_state_dict(state["state_dict"])
    data.load_state_dict(state["CollocationData"])
    return module, data, state["callbacks"]["Record"]["rows"]


def measure(problem: Problem, settings: Settings, run: RunFolder, request: Request) -> None:
    """Evaluate a checkpoint on a grid, print the figures that matter, and write RUN/evaluation."""
    path = run.last_checkpoint if request.checkpoint == "last" else run.best_checkpoint
    module, data, rows = trained(problem, settings, path, run.read_config())
    reference = choose(problem, settings.reference, settings.reference_max_time)
    found = evaluation.evaluate(module, reference, request.grid)
    folder = RunFolder(run.path / "evaluation").create()
    former = run.read_metrics() if run.metrics.exists() else {}
    measured = {**found.errors(), "learned": evaluation.learned(module), "minimum": found.minima()}
    metrics = {**_running(rows, reference), **former, **measured, "checkpoint": str(path)}
    names = [phase.name for phase in module.phases]
    folder.write_metrics(metrics)
    folder.write_solution(found.arrays())
    folder.write_figures(found.draw(problem, evaluation.history(rows, names, found.references), data.sets))
    if request.export is not None:
        columns = {name: values for name, values in found.arrays().items() if name not in problem.coordinates}
        exporter = EXPORTERS[request.export]()
        exporter.write(folder.path / f"solution.{exporter.extension}", found.grid, columns)
    print("\n".join([*summary_lines(metrics), f"written to {folder.path}"]))


def _running(rows: Sequence[Mapping[str, Any]], reference: Reference | None) -> dict[str, Any]:
    """What metrics.json would say of a run that goes on, or was killed, at its last record."""
    last = rows[-1] if rows else {"step": 0, "time_s": 0.0}
    name = reference.name if reference is not None else None
    return {"status": "running", "steps": last["step"], "train_time_s": last["time_s"], "reference": name}
