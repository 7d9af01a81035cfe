"""Solutions that a run leaves: those of other run folders, and how far from them it comes."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from pinnkit.features.deflation import SAME, TINY
from pinnkit.language.errors import ProblemError, Report
from pinnkit.optimizers.settings import optimizers_where
from pinnkit.problem.groups import is_equations
from pinnkit.problem.problem import Problem
from pinnkit.reporting.artifacts import RunFolderError
from pinnkit.runs.console import silent
from pinnkit.runs.load import load
from pinnkit.settings import Settings
from pinnkit.training.checkpoint_reader import DamagedCheckpoint
from pinnkit.training.datamodule import CollocationData
from pinnkit.training.module import PINN

log = logging.getLogger("pinnkit")


@dataclass(frozen=True)
class KnownSolution:
    """The fields of a run folder, as a function of points (n, d)."""

    folder: str
    module: PINN

    def __call__(self, points: Tensor) -> Tensor:
        return self.module(points.to(self.module.model.like)).to(points)


def known_solutions(problem: Problem, settings: Settings) -> tuple[KnownSolution, ...]:
    """The solutions of the folders that `deflation` names.

    Args:
        settings: as used.

    Raises:
        ProblemError: a folder holds no solution of the same fields, or an optimizer takes no factor on the residuals.
    """
    report, found = Report(), []
    for number, folder in enumerate(settings.deflation or (), start=1):
        key = f"deflation[{number}]"
        try:
            with silent():
                one = KnownSolution(folder, load(Path(folder)).module)
        except ProblemError as error:
            report.add(key, "; ".join(str(mistake) for mistake in error.mistakes))
        except (DamagedCheckpoint, RunFolderError, OSError) as error:
            report.add(key, str(error))
        else:
            if _names(one.module.problem) != _names(problem):
                told = f"{folder} has {_names(one.module.problem)}, and this problem {_names(problem)}"
                report.add(key, f"{told}: a solution of the same fields is needed")
            found.append(one)
    if settings.deflation:
        _check(problem, settings, report)
    report.raise_if_any()
    return tuple(found)


def tell_distances(module: PINN, data: CollocationData, known: Sequence[KnownSolution]) -> None:
    """Say how far trained fields are from the known ones, and warn where they are the same."""
    points = [batch.coordinates for name, batch in data.batches().items() if is_equations(name)]
    for one in known:
        with torch.no_grad():
            here, there = module(torch.cat(points).to(module.model.like)).cpu(), one(torch.cat(points)).cpu()
        distance, size = (float(values.square().sum(dim=1).mean().sqrt()) for values in (here - there, there))
        told = f"distance from the solution of {one.folder}: {distance:.3g}, whose size is {size:.3g}"
        if distance < SAME * size + TINY:
            log.warning("%s: it was found again; try another seed, or more steps", told)
        else:
            log.info("%s", told)


def _check(problem: Problem, settings: Settings, report: Report) -> None:
    if not problem.equations:
        report.add("deflation", "is given, and there is no equation, at whose points solutions are compared")
    if any(one.part for one in problem.fields):
        report.add("deflation", "is given, and a field has parts: it needs fields on all of the domain")
    if settings.windows is not None:
        report.add("deflation", "and windows do not go together, a solution in each being the only one: leave one out")
    for key, one in settings.optimizers if settings.method == "network" else ():
        if getattr(one, "least_squares", False):
            names = optimizers_where(lambda kind: not kind.least_squares)
            message = f"{one.name} needs the Jacobian of the residuals without the factor of deflation: take {names}"
            report.add(key, message)


def _names(problem: Problem) -> str:
    fields = ", ".join(one.name for one in problem.fields)
    return f"{fields} of {', '.join(problem.coordinates)}"
