"""Comma-separated values."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from pinnkit.reporting.exporters import EXPORTERS, Exporter


@EXPORTERS.register("csv")
@dataclass(frozen=True)
class CSV(Exporter):
    """A header, and one row for each point.

    Grids are flattened in C order (the last coordinate runs fastest). Numbers are written as Python's repr, the
    shortest text that reads back to the same float64.
    """

    extension: ClassVar[str] = "csv"

    def save(self, path: Path, table: Mapping[str, np.ndarray]) -> None:
        rows = np.column_stack([values.ravel() for values in table.values()])
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(table)
            writer.writerows(rows.tolist())
