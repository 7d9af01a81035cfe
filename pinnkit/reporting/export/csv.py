"""Comma-separated values."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from pinnkit.reporting.atomic import atomic
from pinnkit.reporting.exporters import EXPORTERS, Exporter
from pinnkit.reporting.grid import Grid


@EXPORTERS.register("csv")
@dataclass(frozen=True)
class CSV(Exporter):
    """A table: a header and one row for each point, the coordinates first."""

    extension: ClassVar[str] = "csv"

    def write(self, path: Path, grid: Grid, columns: Mapping[str, np.ndarray]) -> None:
        """Write the table.

        Grids are flattened in C order (the last coordinate runs fastest). Numbers are written as Python's repr,
        the shortest text that reads back to the same float64.

        Raises ValueError for a column of another shape, a name that is used twice, or a missing folder.
        """
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
