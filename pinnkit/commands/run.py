"""What the commands do once torch is loaded: train a checked problem, or measure what was trained."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pinnkit import environment, evaluation
from pinnkit.assembly import assemble
from pinnkit.commands.evaluate import Request
from pinnkit.commands.launch import LOST
from pinnkit.commands.train import DIVERGED, FINISHED, INTERRUPTED, WRONG
from pinnkit.losses.view import ResidualError
from pinnkit.optimizers.sample_space import TooManyRows
from pinnkit.problem.problem import Problem
from pinnkit.references.choose import choose
from pinnkit.reporting.artifacts import RunFolder
from pinnkit.reporting.export import write_csv
from pinnkit.settings import Settings
from pinnkit.solve import solve, told
from pinnkit.training.checkpoints import check_fits, read
from pinnkit.training.datamodule import CollocationData
from pinnkit.training.module import PINN
from pinnkit.training.outcome import INTERRUPTED as INTERRUPTED_BY
from pinnkit.training.outcome import CannotMeet, CannotWrite, Diverged, NoGradient, OutOfMemory, RankLost, Unsuitable


def run(problem: Problem, settings: Settings, folder: Path, config: str, overrides: Sequence[str], resume: bool) -> int:
    """Solve, and turn the ways to end into exit codes.

    Raises:
        ProblemError: the configuration is wrong.
    """
    try:
        solution = solve(problem, folder, settings, config=config, overrides=overrides, resume=resume)
    except (CannotMeet, CannotWrite, RankLost):
        return LOST
    except OSError as error:  # before training or after it
        print(f"pinnkit: {error}", file=sys.stderr)
        return LOST
    except OutOfMemory:
        return WRONG
    except (NoGradient, Unsuitable, TooManyRows, ResidualError):  # the run has told why
        return WRONG if environment.first() else FINISHED
    except Diverged:
        return DIVERGED if environment.first() else FINISHED
    if solution.metrics["reason"] == f"{INTERRUPTED_BY}SIGUSR1" and environment.first():
        answer = environment.requeue()
        print(f"pinnkit: requeued{f': {answer}' if answer else ''}", file=sys.stderr)
    # Of several processes, which all know, the first tells: the launcher ends the others as soon as one has failed.
    return INTERRUPTED if solution.status == "interrupted" and environment.first() else FINISHED


def trained(problem: Problem, settings: Settings, path: Path) -> tuple[PINN, CollocationData, list[dict[str, Any]]]:
    """The module and the data of a checkpoint, and its record of training.

    Raises:
        DamagedCheckpoint: it is missing, not whole, or of other networks.
    """
    module, data = assemble(problem, settings)
    state = read(path)
    check_fits(path, state, module)
    module.load_state_dict(state["state_dict"])
    data.load_state_dict(state["CollocationData"])
    return module, data, state["callbacks"]["Record"]["rows"]


def measure(problem: Problem, settings: Settings, run: RunFolder, request: Request) -> None:
    """Evaluate a checkpoint on a grid, print the figures that matter, and write RUN/evaluation."""
    path = run.last_checkpoint if request.checkpoint == "last" else run.best_checkpoint
    module, data, rows = trained(problem, settings, path)
    found = evaluation.evaluate(module, choose(problem, settings.reference, settings.reference_max_time), request.grid)
    folder = RunFolder(run.path / "evaluation").create()
    metrics = {**run.read_metrics(), **found.errors(), "learned": evaluation.learned(module), "checkpoint": str(path)}
    names = [phase.name for phase in module.phases]
    folder.write_metrics(metrics)
    folder.write_solution(found.arrays())
    folder.write_figures(found.draw(problem, evaluation.history(rows, names, found.references), data.sets))
    if request.export == "csv":
        columns = {name: values for name, values in found.arrays().items() if name not in problem.coordinates}
        write_csv(folder.path / "solution.csv", found.grid, columns)
    print("\n".join([*told(metrics), f"written to {folder.path}"]))
