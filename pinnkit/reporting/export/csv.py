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
    shortest text that reads back to the same float64. A complex column h is written as h_re and h_im.
    """

    extension: ClassVar[str] = "csv"

    def save(self, path: Path, table: Mapping[str, np.ndarray]) -> None:
        columns: dict[str, np.ndarray] = {}
        for name, values in table.items():
            flat = values.ravel()
            columns |= {f"{name}_re": flat.real, f"{name}_im": flat.imag} if np.iscomplexobj(flat) else {name: flat}
        rows = np.column_stack(list(columns.values()))
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(rows.tolist())
