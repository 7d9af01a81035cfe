"""JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from pinnkit.reporting.exporters import EXPORTERS, Exporter


@EXPORTERS.register("json")
@dataclass(frozen=True)
class JSON(Exporter):
    """One list of numbers for each coordinate and each field."""

    extension: ClassVar[str] = "json"

    def save(self, path: Path, table: Mapping[str, np.ndarray]) -> None:
        path.write_text(json.dumps({name: np.ravel(values).tolist() for name, values in table.items()}))
