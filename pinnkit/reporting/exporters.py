"""Exporters: what all formats share, and their registry."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from pinnkit.registry import Registry
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
    def write(self, path: Path, grid: Grid, columns: Mapping[str, np.ndarray]) -> None:
        """Write the coordinates of the grid and `columns`, each of the grid's shape; the file appears whole or not."""
