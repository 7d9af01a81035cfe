"""Exporters of tables: what all their formats share, and their registry."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from pinnkit.registry import Registry
from pinnkit.reporting.atomic import atomic
from pinnkit.reporting.grid import Grid

EXPORTERS = Registry("exporter", "pinnkit.reporting.export")


@dataclass(frozen=True, eq=False)
class Table(Mapping[str, np.ndarray]):
    """Arrays of one shape by their names: the coordinates of a grid, and then the columns.

    metadata: what describes the solution, as `runs.export_metadata` gives it.
    """

    grid: Grid
    columns: Mapping[str, np.ndarray]
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name] if name in self.columns else self.grid.coordinates[name]

    def __iter__(self) -> Iterator[str]:
        return iter([*self.grid.coordinates, *self.columns])

    def __len__(self) -> int:
        return len(self.grid.coordinates) + len(self.columns)

    def real_columns(self) -> dict[str, np.ndarray]:
        """The columns; a complex one h as h_re and h_im."""
        return real(self.columns)


def real(columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Arrays by name; a complex one h as h_re and h_im."""
    found: dict[str, np.ndarray] = {}
    for name, values in columns.items():
        found |= {f"{name}_re": values.real, f"{name}_im": values.imag} if np.iscomplexobj(values) else {name: values}
    return found


@dataclass(frozen=True)
class Exporter(ABC):
    """A format in which a solution is written for other programs, as a table of its values.

    Attributes:
        name: the format's name, `export=NAME`.
        extension: how the names of its files end.
    """

    name: ClassVar[str]
    extension: ClassVar[str]

    @abstractmethod
    def save(self, path: Path, table: Table) -> None:
        """Write arrays of one shape: the coordinates, and then the fields."""

    def write(
        self, path: Path, grid: Grid, columns: Mapping[str, np.ndarray], metadata: Mapping[str, Any] | None = None
    ) -> None:
        """Write the coordinates of the grid and `columns`; the file appears whole or not at all.

        Raises ValueError for a column of another shape than the grid's, a name that is used twice, or a missing folder.
        """
        checked: dict[str, np.ndarray] = {}
        for name, values in columns.items():
            if name in grid.coordinates:
                raise ValueError(f"column {name!r} has the name of a coordinate ({', '.join(grid.coordinates)})")
            checked[name] = grid.checked(name, values)
        if not path.parent.is_dir():
            raise ValueError(f"{path}: there is no folder {path.parent}")
        with atomic(path) as temporary:
            self.save(temporary, Table(grid, checked, metadata or {}))
