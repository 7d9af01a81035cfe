"""torch.export's archives, which torch loads without pinnkit."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pinnkit.reporting.atomic import atomic
from pinnkit.runs.network_exporters import NETWORK_EXPORTERS, NetworkExporter, Subject

METADATA = "pinnkit.json"
"""The file of metadata in the archive."""


@NETWORK_EXPORTERS.register("pt2")
@dataclass(frozen=True)
class TorchExport(NetworkExporter):
    """The map from coordinates to fields: `torch.export.load(path).module()({"x": x, "t": t})` gives fields by name.

    Any number of points, (n,) for each coordinate, in the dtype of the run.
    """

    def save(self, folder: Path, subject: Subject) -> Path:
        import torch

        from pinnkit.runs.field_map import FieldMap, check_agrees, sample
        from pinnkit.runs.traced_map import quiet, traced

        points = sample(subject.module)
        program = traced(FieldMap(subject.module), points)
        with quiet(), torch.no_grad():
            found = program.module()(points)
        check_agrees(
            subject.module, {name: values.double().numpy() for name, values in found.items()}, points, self.name
        )
        path = folder / "solution.pt2"
        text = json.dumps(subject.metadata, ensure_ascii=False, indent=2)
        with atomic(path) as temporary, quiet(), temporary.open("wb") as file:
            torch.export.save(program, file, extra_files={METADATA: text})
        return path
