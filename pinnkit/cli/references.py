"""`python scripts/make_references.py`: the shipped tables and samples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from pinnkit.cli.entry import FAILED, FINISHED, WRONG, asks_help, print_error

HELP = """
Compute the reference tables and the samples of the shipped problems anew, into conf/pde/tables.

usage: python scripts/make_references.py [pinnacle]

  pinnacle   those of PINNacle's problems, in the place of the others; this takes some minutes

Exit codes: 0 finished, 1 a file could not be written, 2 there were other arguments.
"""


PINNACLE = "pinnacle"


def make_references(argv: Sequence[str], folder: Path) -> int:
    """Write every table and every file of samples; returns the exit code."""
    if asks_help(argv, HELP):
        return FINISHED
    if list(argv) not in ([], [PINNACLE]):
        print_error(f"command line: make_references.py takes '{PINNACLE}' or nothing, and was given {' '.join(argv)}")
        return WRONG
    import numpy as np

    from pinnkit.references.shipped_pinnacle import pinnacle_tables
    from pinnkit.references.shipped_samples import csv_text, shipped_samples
    from pinnkit.references.shipped_tables import shipped_tables

    try:
        for name, arrays in pinnacle_tables(folder.parent / PINNACLE) if argv else shipped_tables():
            np.savez_compressed(folder / f"{name}.npz", **cast(dict[str, Any], arrays))
        for name, columns in () if argv else shipped_samples():
            (folder / f"{name}.csv").write_text(csv_text(columns))
    except OSError as error:
        print_error(error)
        return FAILED
    print(f"written to {folder}: {', '.join(sorted(path.name for path in folder.iterdir()))}")
    return FINISHED
