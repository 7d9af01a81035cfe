"""What the commands do once torch is loaded: train a checked problem, or measure what was trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pinnkit import evaluation
from pinnkit.commands.evaluate import Request
from pinnkit.commands.resume import saved
from pinnkit.commands.train import DIVERGED, FINISHED, INTERRUPTED, WRONG, wrong
from pinnkit.language.calculus import differentiate, symbol
from pinnkit.language.errors import ProblemError
from pinnkit.language.evaluate import Program
from pinnkit.losses.view import ResidualError
from pinnkit.operators.derivatives import derivatives
from pinnkit.problem.problem import Problem
from pinnkit.references.choose import choose
from pinnkit.reporting.artifacts import RunFolder, RunFolderError
from pinnkit.reporting.export import write_csv
from pinnkit.reporting.metrics import relative_l2
from pinnkit.sampling.points import unit_points
from pinnkit.settings import Settings
from pinnkit.solve import assemble, solve, told
from pinnkit.training.datamodule import CollocationData
from pinnkit.training.module import PINN
from pinnkit.training.outcome import Diverged, NoGradient, OutOfMemory
from pinnkit.understanding import understand


def run(problem: Problem, settings: Settings, folder: Path, config: str, overrides: Sequence[str], resume: bool) -> int:
    """Solve, and turn the ways to end into exit codes."""
    try:
        solution = solve(problem, folder, settings, config=config, overrides=overrides, resume=resume)
    except ProblemError as error:
        return wrong(error)
    except (NoGradient, OutOfMemory, ResidualError):  # the run has told why
        return WRONG
    except Diverged:
        return DIVERGED
    return INTERRUPTED if solution.status == "interrupted" else FINISHED


def trained(problem: Problem, settings: Settings, path: Path) -> tuple[PINN, CollocationData, list[dict[str, Any]]]:
    """The module and the data of a checkpoint, and its record of training."""
    if not path.is_file():
        raise RunFolderError(f"{path}: there is no such checkpoint")
    module, data = assemble(problem, settings)
    state = torch.load(path, map_location="cpu", weights_only=True)
    module.load_state_dict(state["state_dict"])
    data.load_state_dict(state["CollocationData"])
    return module, data, state["callbacks"]["Record"]["rows"]


def gradient_error(folder: Path, count: int = 1000) -> float:
    """Relative L2 error of the first field's gradient against its closed form, at random points of the domain."""
    problem, settings = understand(saved(folder))
    module, _, _ = trained(problem, settings, RunFolder(folder).last_checkpoint)
    points = problem.domain.points(unit_points("uniform", count, len(problem.coordinates), 1, "gradient"))
    wanted = [(0, (axis,)) for axis in range(len(problem.coordinates))]
    found = derivatives(module, torch.as_tensor(points).to(next(module.parameters())), wanted)
    exact = problem.exact[problem.fields[0].name]
    program = Program([differentiate(exact, name) for name in problem.coordinates])
    truth = program({symbol(name): points[:, axis] for axis, name in enumerate(problem.coordinates)})
    return relative_l2(torch.cat([found[key] for key in wanted], dim=1).detach().numpy(), np.stack(truth, axis=1))


def measure(problem: Problem, settings: Settings, run: RunFolder, request: Request) -> None:
    """Evaluate a checkpoint on a grid, print the figures that matter, and write RUN/evaluation."""
    path = run.last_checkpoint if request.checkpoint == "last" else run.best_checkpoint
    module, data, rows = trained(problem, settings, path)
    found = evaluation.evaluate(module, choose(problem, settings.reference), request.grid)
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
