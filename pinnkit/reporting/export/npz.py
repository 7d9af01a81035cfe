"""NumPy's compressed archives."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pinnkit.reporting.artifacts import save_arrays
from pinnkit.reporting.exporters import EXPORTERS, Exporter, Table


@EXPORTERS.register("npz")
@dataclass(frozen=True)
class NPZ(Exporter):
    """One array for each coordinate and each field by their names, as solution.npz of a run."""

    extension: ClassVar[str] = "npz"

    def save(self, path: Path, table: Table) -> None:
        save_arrays(path, table)
