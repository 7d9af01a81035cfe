"""Comma-separated values."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from pinnkit.reporting.exporters import EXPORTERS, Exporter, Table


@EXPORTERS.register("csv")
@dataclass(frozen=True)
class CSV(Exporter):
    """A header, and one row for each point.

    Grids are flattened in C order (the last coordinate runs fastest). Numbers are written as Python's repr, the
    shortest text that reads back to the same float64. A complex column h is written as h_re and h_im.
    """

    extension: ClassVar[str] = "csv"

    def save(self, path: Path, table: Table) -> None:
        columns = {**table.grid.coordinates, **table.real_columns()}
        rows = np.column_stack([values.ravel() for values in columns.values()])
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(rows.tolist())
