"""`pinnkit train method=compare`: features, a network and the classical solver on one problem, in a table."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pinnkit.cli import problem_files
from pinnkit.cli.arguments import Arguments
from pinnkit.cli.checks import check_configuration
from pinnkit.cli.composition import Composer
from pinnkit.cli.entry import FINISHED
from pinnkit.cli.quoting import quoted
from pinnkit.language.errors import Mistake, ProblemError
from pinnkit.problem.problem import Problem
from pinnkit.reporting import compare as reporting
from pinnkit.reporting.artifacts import RunFolder
from pinnkit.reporting.report_tables import duration, size
from pinnkit.runs import environment
from pinnkit.settings import Settings

METHODS = ("features", "network")
OF_NETWORKS = ("network", "optimizer", "phases", "stages", "levels", "windows", "continuation", "deflation", "polish")
"""Keys that features do not read."""
CLASSICAL = ("spectral", "fem")
HEAD = ("method", "error", "estimated error", "training", "whole run", "verdict")


def compares(arguments: Arguments) -> bool:
    """Whether the command line asks for a comparison of methods."""
    given = [one.lstrip("+").partition("=")[2] for one in arguments.overrides if _key(one) == "method"]
    return given[-1:] == ["compare"]


def compare_methods(arguments: Arguments, conf: Path, train: Callable[[Sequence[str]], int]) -> int:
    """Train by each method in a folder of its own, and print and write the comparison; the worst exit code.

    Args:
        train: the command that trains.

    Raises:
        ProblemError: the configuration is wrong for one of them.
    """
    composer, runs = Composer(arguments, conf), {}
    whole = composer.compose(_without(arguments.overrides, ("method",)))
    folder = whole.folder
    for method in METHODS:
        overrides = [*_overrides(arguments.overrides, method), f"method={method}"]
        composed = composer.compose(overrides)
        if composed.task.get("resume"):
            message = "goes on with one run: name the folder of one of the methods, and leave method=compare out"
            raise ProblemError([Mistake("resume", message)])
        checked = check_configuration(composed.task, overrides)
        problem, settings = checked.problem, checked.settings
        runs[method] = problem_files.with_paths(overrides, arguments.files)
    codes = []
    for method, overrides in runs.items():
        words = [*overrides, f"hydra.run.dir={quoted(folder / method)}"]
        codes.append(train([*arguments.flags(), *words]))
        if codes[-1] != FINISHED:
            return codes[-1]
    if environment.first():
        print(comparison(folder, problem, settings))
    return max(codes)


def comparison(folder: Path, problem: Problem, settings: Settings) -> str:
    """The table of the runs below a folder, with the classical solver where it applies; comparison.csv and .png too."""
    rows: list[tuple[str, ...]] = [HEAD]
    for method in METHODS:
        rows.append(_row(method, RunFolder(folder / method).read_metrics()))
    if classical := _classical(problem, settings):
        rows.append(classical)
    table, figure = reporting.compare([folder / method for method in METHODS]).write(folder / "comparison")
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, f"written to {table} and {figure}"])


def _row(method: str, metrics: Mapping[str, Any]) -> tuple[str, ...]:
    errors = [_largest(metrics.get(key)) for key in ("relative_l2", "estimated_error")]
    times = [duration(metrics.get(key)) for key in ("train_time_s", "wall_time_s")]
    return (method, *map(size, errors), *times, str(metrics.get("verdict") or metrics["status"]))


def _classical(problem: Problem, settings: Settings) -> tuple[str, ...] | None:
    """The row of pinnkit's classical solver; None where it does not treat the problem."""
    from pinnkit.references.choose import choose  # SciPy, which takes its time
    from pinnkit.references.names import has_exact
    from pinnkit.reporting.error_norms import relative_l2
    from pinnkit.runs import evaluation

    for name in CLASSICAL:
        began = time.perf_counter()
        try:
            found = choose(problem, name, settings.reference_max_time)
        except ProblemError:
            continue
        if found is None:
            continue
        seconds, error = time.perf_counter() - began, None
        if has_exact(problem):
            grid = evaluation.grid_of(problem, found)
            exact = choose(problem, "exact")
            assert exact is not None
            inside = evaluation.inside_domain(problem, grid)
            pairs = found(grid.coordinates), exact(grid.coordinates)
            error = max(relative_l2(pairs[0][one][inside], pairs[1][one][inside]) for one in found.fields)
        return name, size(error), size(found.claimed_error), duration(seconds), duration(seconds), ""
    return None


def _overrides(given: Sequence[str], method: str) -> list[str]:
    """The overrides of one of the runs: without the method, the folder, and what is of networks alone."""
    return _without(given, ("method", "hydra.run.dir", *(OF_NETWORKS if method == "features" else ())))


def _without(given: Sequence[str], keys: Sequence[str]) -> list[str]:
    return [one for one in given if not any(_key(one) == key or _key(one).startswith(f"{key}.") for key in keys)]


def _key(override: str) -> str:
    return override.lstrip("+~").partition("=")[0]


def _largest(errors: Any) -> float | None:
    known = [one for one in errors.values() if one is not None] if isinstance(errors, Mapping) else []
    return max(known) if known and len(known) == len(errors) else None
