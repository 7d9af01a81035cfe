"""Exporters: what all formats share, and their registry."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from pinnkit.registry import Registry
from pinnkit.reporting.atomic import atomic
from pinnkit.reporting.grid import Grid

EXPORTERS = Registry("exporter", "pinnkit.reporting.export")


@dataclass(frozen=True)
class Exporter(ABC):
    """A format in which a solution is written for other programs.

    Attributes:
        name: the format's name, `export=NAME`.
        extension: how the names of its files end.
    """

    name: ClassVar[str]
    extension: ClassVar[str]

    @abstractmethod
    def save(self, path: Path, table: Mapping[str, np.ndarray]) -> None:
        """Write arrays of one shape: the coordinates, and then the fields."""

    def write(self, path: Path, grid: Grid, columns: Mapping[str, np.ndarray]) -> None:
        """Write the coordinates of the grid and `columns`; the file appears whole or not at all.

        Raises ValueError for a column of another shape than the grid's, a name that is used twice, or a missing folder.
        """
        table = dict(grid.coordinates)
        for name, values in columns.items():
            if name in table:
                raise ValueError(f"column {name!r} has the name of a coordinate ({', '.join(grid.coordinates)})")
            table[name] = grid.checked(name, values)
        if not path.parent.is_dir():
            raise ValueError(f"{path}: there is no folder {path.parent}")
        with atomic(path) as temporary:
            self.save(temporary, table)
