"""Export of a solution in several formats."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pinnkit.reporting.atomic import write_text
from pinnkit.reporting.exporters import EXPORTERS
from pinnkit.reporting.json_values import to_json
from pinnkit.runs.network_exporters import NETWORK_EXPORTERS, Subject, check_packages

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
