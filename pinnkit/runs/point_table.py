"""The solution at points of the user's own, from a table of coordinates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pinnkit.language.errors import Mistake, ProblemError
from pinnkit.problem.problem import Problem
from pinnkit.problem.tables import TableError, load
from pinnkit.reporting.exporters import EXPORTERS
from pinnkit.reporting.grid import Grid

if TYPE_CHECKING:
    from pinnkit.references.choose import Reference
    from pinnkit.training.module import PINN

NAME = "points"
ROUNDING = 1e-9
"""How far outside the domain a point may lie and count as inside, relative to the ranges of the coordinates."""


def read_points(problem: Problem, path: Path) -> dict[str, np.ndarray]:
    """The coordinates (n,) that a CSV or NPZ file gives; its other columns are left out.

    Raises:
        ProblemError: the file is missing or damaged, or lacks a coordinate.
    """
    try:
        table = load(path)
    except TableError as error:
        raise ProblemError([Mistake("points", str(error))]) from None
    missing = [name for name in problem.coordinates if name not in table]
    if missing:
        message = f"'{path.name}' has no column {', '.join(missing)}: it has {', '.join(table)}"
        raise ProblemError([Mistake("points", f"{message}, and {', '.join(problem.coordinates)} are needed")])
    shapes = {name: table[name].shape for name in problem.coordinates}
    if len(set(shapes.values())) > 1:
        raise ProblemError([Mistake("points", f"'{path.name}' has coordinates of the shapes {shapes}: one is needed")])
    return {name: table[name].ravel() for name in problem.coordinates}


def write_points(
    module: PINN,
    reference: Reference | None,
    coordinates: Mapping[str, np.ndarray],
    folder: Path,
    formats: Sequence[str],
    metadata: Mapping[str, Any],
) -> list[Path]:
    """Write FOLDER/points.csv, and in each format of tables: fields, references and residuals; the paths.

    References that are known at points of their own alone are left out, and all is NaN outside the domain.
    """
    from pinnkit.runs.evaluation import blanked, predict, residuals  # torch, which reading the points does not load

    problem = module.problem
    columns = dict(predict(module, coordinates))
    if reference is not None and reference.grid is None:
        columns |= {f"{name}_reference": values for name, values in reference(coordinates).items()}
    columns |= {f"residual_{name}": values for name, values in residuals(module, coordinates).items()}
    stacked = np.stack(list(coordinates.values()), axis=1)
    slack = ROUNDING * (problem.domain.upper - problem.domain.lower)
    columns = blanked(columns, problem.domain.contains(stacked, slack))
    written = []
    for name in dict.fromkeys(["csv", *(one for one in formats if one in EXPORTERS)]):
        exporter = EXPORTERS[name]()
        written.append(folder / f"{NAME}.{exporter.extension}")
        exporter.write(written[-1], Grid(coordinates, structured=False, time=problem.time), columns, metadata)
    return written
