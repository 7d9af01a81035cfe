"""Compute the reference tables and the samples that pinnkit ships: `python scripts/make_references.py`."""

from pathlib import Path

import numpy as np

from pinnkit.references.samples import csv_text, samples
from pinnkit.references.tables import tables

FOLDER = Path(__file__).resolve().parents[1] / "conf" / "pde" / "tables"

if __name__ == "__main__":
    for name, arrays in tables():
        np.savez_compressed(FOLDER / f"{name}.npz", **arrays)
    for name, columns in samples():
        (FOLDER / f"{name}.csv").write_text(csv_text(columns))
    print(f"written to {FOLDER}: {', '.join(sorted(path.name for path in FOLDER.iterdir()))}")
