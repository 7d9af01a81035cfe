"""Export of a solution in several formats."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pinnkit.references.choose import Reference
from pinnkit.reporting.atomic import write_text
from pinnkit.reporting.exporters import EXPORTERS
from pinnkit.reporting.json_values import to_json
from pinnkit.runs.evaluation import evaluate
from pinnkit.runs.export_metadata import export_metadata
from pinnkit.runs.network_exporters import NETWORK_EXPORTERS, Subject, check_format, check_packages
from pinnkit.training.module import PINN

NAME = "solution"
METADATA = "export.json"


def export(formats: Sequence[str], folder: Path, subject: Subject) -> list[Path]:
    """Write FOLDER/solution.* in each format, and export.json, which describes them; the paths of the former.

    Raises:
        ProblemError: a package is missing, or a format cannot hold the problem.
        OSError: a file cannot be written.
    """
    for name in formats:
        check_packages(name)
    written = []
    for name in formats:
        if name in NETWORK_EXPORTERS:
            written.append(NETWORK_EXPORTERS[name]().save(folder, subject))
            continue
        exporter, found = EXPORTERS[name](), subject.found
        columns = {one: values for one, values in found.arrays().items() if one not in found.grid.coordinates}
        written.append(folder / f"{NAME}.{exporter.extension}")
        exporter.write(written[-1], found.grid, columns, subject.metadata)
    if formats:
        content, _ = to_json(subject.metadata)
        write_text(folder / METADATA, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    return written


def export_module(
    module: PINN,
    reference: Reference | None,
    metrics: Mapping[str, Any],
    dtype: str,
    formats: Sequence[str],
    folder: Path,
    per_coordinate: int | None,
) -> list[Path]:
    """Evaluate a trained module, and export it; the paths of the files.

    Raises:
        ProblemError: as `export`, or there is no such format.
    """
    for name in formats:
        check_format(name)
    found = evaluate(module, reference, per_coordinate)
    metadata = export_metadata(module.problem, metrics, dtype)
    folder.mkdir(parents=True, exist_ok=True)
    return export(formats, folder, Subject(module, found, reference, metadata, per_coordinate))
