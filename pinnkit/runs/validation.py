"""Checks of a problem and its settings, before torch is loaded."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from pinnkit.language.errors import Mistake, ProblemError, Report, suggestion
from pinnkit.problem.checks import check
from pinnkit.problem.problem import Problem
from pinnkit.problem.tables import TableError
from pinnkit.references.evolution_system import read_evolution_system
from pinnkit.references.family import members
from pinnkit.references.fem.packages import MissingPackage
from pinnkit.references.manufactured import manufacture
from pinnkit.references.names import NONE, has_exact, own_reference
from pinnkit.references.table import Table
from pinnkit.references.unsupported import UnsupportedProblem
from pinnkit.runs.configuration import CUSTOM_NETWORK, check_no_python_values
from pinnkit.runs.shipped import located
from pinnkit.settings import Settings, read_settings

log = logging.getLogger("pinnkit")

CHUNKS = 500
"""Parts of a step's points above which a warning is given."""
CHUNK_TAKES = 3e-3
"""Seconds that a part takes at least."""


def read_and_check(
    config: Mapping[str, Any],
    problem: Problem | None = None,
    custom_network: bool = False,
    reference: bool = True,
) -> tuple[Problem, Settings]:
    """The problem (under the key `pde`) and the settings (all other keys), both checked.

    Args:
        problem: one that is checked in the place of `pde`.
        custom_network: whether a network of the user's own takes the place of `network`.
        reference: whether the reference is needed, and checked.

    Raises:
        ProblemError: all mistakes of both, together.
    """
    config = dict(config)
    pde = config.pop("pde", None)
    folder = config.pop("problem_folder", None) or "."
    for key in ("resume", "defaults", "hydra"):  # the last two are Hydra's part of config.yaml
        config.pop(key, None)
    report = Report()
    if (network := config.pop(CUSTOM_NETWORK, None)) is not None:
        message = (
            f"{network}: this run had a network given in Python. Read it back by pinnkit.load(folder, network=...)"
        )
        report.add(CUSTOM_NETWORK, message)
    if not isinstance(folder, str | Path):
        report.add("problem_folder", f"{folder!r} is no path of a folder")
        folder = "."
    settings = read_settings(config, report)
    found = Report()
    if problem is None:
        check_no_python_values(pde, found)
    report.mistakes.extend(found.mistakes)
    if problem is None and not isinstance(pde, Mapping):
        report.add("pde", "is missing: name a problem, pde=heat" if pde is None else f"{pde!r} is not a mapping")
    elif not found.mistakes:
        try:
            problem = problem or _read_problem(pde, located(folder), settings.outside_files, report)
            problem = validate(problem, settings, custom_network, reference)
        except ProblemError as error:
            report.mistakes.extend(error.mistakes)
            if not located(folder).is_dir():
                message = f"there is no folder '{folder}': name the one with the problem's files, problem_folder=FOLDER"
                report.add("problem_folder", message)
    report.raise_if_any()
    assert problem is not None
    return problem, settings


def _read_problem(pde: Mapping[str, Any], folder: Path, outside_files: bool, report: Report) -> Problem:
    texts = {str(key): value for key, value in pde.items()}  # YAML reads 5: and null: as other things than text
    if texts.pop("folder", None) is not None:
        report.add("folder", "unknown key 'folder': data files are looked for beside the problem file")
    if texts.pop("outside_files", None) is not None:
        report.add("outside_files", "unknown key 'outside_files': it is a setting, for the command line")
    return Problem(folder=folder, outside_files=outside_files, **texts)


def validate(problem: Problem, settings: Settings, custom_network: bool = False, reference: bool = True) -> Problem:
    """The problem as it will be solved (manufactured where that is asked for), after every check.

    Raises:
        ProblemError: what the checks found. Warnings go to the log.
    """
    if settings.manufactured:
        problem = manufacture(problem, settings.manufactured)
    dimension = len(problem.coordinates)
    network = settings.network.chosen(dimension, dimension, problem.linear, problem.steady, len(problem.equations))
    report = check(problem, cast(str, network.activation), math.inf if custom_network else network.smoothness)
    if settings.manufactured:  # its solution stands where a problem's own would
        report.mistakes = [_manufactured(mistake) for mistake in report.mistakes]
        report.mistakes += [_manufactured(one) for one in report.warnings if one.key.startswith("exact")]
        report.warnings = [one for one in report.warnings if not one.key.startswith("exact")]
    _check_weights(problem, settings, report)
    if settings.method == "features":
        _check_features(problem, report)
    if reference:
        _check_reference(problem, settings, report)
    _check_chunk(settings.operators.chunk, settings.sampling.count(len(problem.coordinates)), report)
    for warning in report.warnings:
        log.warning(str(warning))
    report.raise_if_any()
    return problem


def _manufactured(mistake: Mistake) -> Mistake:
    """A mistake in an exact solution as one in the manufactured solution: that has been chosen, so it must fit."""
    return replace(mistake, key=re.sub(r"^exact\b", "manufactured", mistake.key))


def _check_weights(problem: Problem, settings: Settings, report: Report) -> None:
    names = {name for equation in problem.equations for name in (equation.name, equation.origin)}
    hard: set[str] = set()
    for condition in problem.conditions:
        own = {condition.name, condition.origin}
        own |= {name for equation in condition.equations for name in (equation.name, equation.origin)}
        hard |= own if condition.hard else set()
        names |= set() if condition.hard else own
    if getattr(settings.weighting, "needs_time", False) and problem.steady:
        message = f"{settings.weighting.name} weighs by time, and the problem has no coordinate t"
        report.add("weighting.name", f"{message}: take another strategy, or weighting=fixed")
    for name in settings.weighting.weights:
        if name in hard:
            report.add(f"weighting.weights.{name}", "weighs nothing: a hard condition is no term of the loss")
        elif name not in names:
            report.add(f"weighting.weights.{name}", f"there is no term '{name}'{suggestion(name, sorted(names))}")


def _check_features(problem: Problem, report: Report) -> None:
    for field in problem.fields:
        if field.arguments:
            message = f"features are functions of coordinates, and {field.name} is one of {', '.join(field.arguments)}"
            report.add("method", f"{message}: take method=network")


def _check_chunk(chunk: int | None, points: int, report: Report) -> None:
    parts = math.ceil(points / chunk) if chunk is not None else 1
    if parts > CHUNKS:
        message = (
            f"{chunk}: {points} points are evaluated in {parts} parts, about {parts * CHUNK_TAKES:.2g} s for each step"
        )
        report.warn("operators.chunk", f"{message}; null chooses it for speed")


def _check_spectral(problem: Problem) -> None:
    """Check that a problem can be treated, without solving it."""
    if len(problem.space) == 2:
        from pinnkit.references.plane.reference import check_plane_system  # SciPy, which takes its time
        from pinnkit.references.plane.system import read_plane_system

        check_plane_system(read_plane_system(problem))
        return
    from pinnkit.references.well_posedness import (  # SciPy, which takes its time
        check_boundary_conditions,
        check_well_posed,
    )

    system = read_evolution_system(problem)
    check_well_posed(system)
    check_boundary_conditions(system)


def _check_reference(problem: Problem, settings: Settings, report: Report) -> None:
    """Check that the reference exists and is one of this problem.

    What only the numerical solution of `spectral` or `fem` shows (a blow-up, say) is reported when it is computed.
    """
    wanted = settings.reference or own_reference(problem)
    if wanted == NONE or (wanted == "exact" and has_exact(problem)):
        return
    try:
        if wanted == "exact":
            report.add("reference", "'exact' is asked for, but the problem gives no exact solution")
        elif wanted == "spectral":
            for one in members(problem, wanted) if problem.axes.parameters else [problem]:
                _check_spectral(one)
        elif wanted == "fem":
            from pinnkit.references.fem.reference import check_problem

            check_problem(problem)
        elif Path(wanted).suffix not in (".csv", ".npz"):
            near = suggestion(wanted, ["exact", "spectral", "fem", NONE])
            report.add("reference", f"'{wanted}' is neither exact, spectral, fem, none nor a .npz or .csv file{near}")
        else:
            for doubt in Table(problem, problem.folder / wanted).warnings:
                report.warn("reference", f"'{wanted}' is perhaps no table of this problem: {doubt}")
    except (UnsupportedProblem, TableError, MissingPackage) as error:
        report.add("reference", str(error))
