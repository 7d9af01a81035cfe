"""The solution as a table for other programs."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pinnkit.reporting.atomic import atomic
from pinnkit.reporting.grid import Grid


def write_csv(path: Path, grid: Grid, columns: Mapping[str, np.ndarray]) -> None:
    """Write a header and one row for each point: the coordinates, then `columns` (each of the grid's shape).

    Grids are flattened in C order (the last coordinate runs fastest). Numbers are written as Python's repr,
    the shortest text that reads back to the same float64. The file appears whole or not at all.

    Raises ValueError for a column of another shape, a name that is used twice, or a missing folder.
    """
    path = Path(path)
    table = dict(grid.coordinates)
    for name, values in columns.items():
        if name in table:
            raise ValueError(f"column {name!r} has the name of a coordinate ({', '.join(grid.coordinates)})")
        table[name] = grid.checked(name, values)
    if not path.parent.is_dir():
        raise ValueError(f"{path}: there is no folder {path.parent}")
    rows = np.column_stack([values.ravel() for values in table.values()])
    with atomic(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table)
        writer.writerows(rows.tolist())
