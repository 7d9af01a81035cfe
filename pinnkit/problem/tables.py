"""Tables of numbers from CSV and NPZ files."""

from __future__ import annotations

import csv
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np


class TableError(ValueError):
    """A data file that is missing, of another kind, or holds what is not a finite number."""


def load(path: Path) -> dict[str, np.ndarray]:
    """Read a table: column name -> float64 array.

    A CSV file has a line of names and then rows of numbers; an NPZ file holds arrays by name. Nothing in either is
    executed (NPZ is read without pickle).

    Raises:
        TableError: naming the file and, where there is one, the row and the column.
    """
    if path.suffix not in (".csv", ".npz"):
        raise TableError(f"'{path.name}' is neither a .csv nor an .npz file")
    if not path.is_file():
        raise TableError(f"there is no file '{path}'")
    table = _load_csv(path) if path.suffix == ".csv" else _load_npz(path)
    return checked(table, f"'{path.name}'")


def given(words: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """A table that is written out, column name -> numbers, under the same rules as a file.

    Raises:
        TableError: naming the column.
    """
    table = {}
    for name, values in words.items():
        try:
            table[str(name)] = np.asarray(values, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise TableError(f"column {name} is no array of numbers: {error}") from None
    return checked(table, "the table")


def checked(table: dict[str, np.ndarray], source: str) -> dict[str, np.ndarray]:
    """The table itself, if it has entries and all are finite.

    Raises:
        TableError: naming the source, the column and the entry.
    """
    for name, values in table.items():
        if not values.size:
            raise TableError(f"{source}: column {name} has no entries")
        bad = np.argwhere(~np.isfinite(values))
        if len(bad):
            place = ", ".join(str(index + 1) for index in bad[0]) or "1"
            raise TableError(f"{source}: column {name}, entry {place} is {values[tuple(bad[0])]}, not a finite number")
    return table


def _load_csv(path: Path) -> dict[str, np.ndarray]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise TableError(f"'{path.name}' cannot be read as CSV text in UTF-8: {error}") from None
    if len(rows) < 2:
        raise TableError(f"'{path.name}' has no rows below its line of names")
    names = [name.strip() for name in rows[0]]
    if len(set(names)) != len(names):
        raise TableError(f"'{path.name}' names a column twice: {', '.join(names)}")
    values = np.empty((len(rows) - 1, len(names)))
    for number, row in enumerate(rows[1:], start=1):
        if len(row) != len(names):
            raise TableError(f"'{path.name}', row {number}: {len(row)} entries under {len(names)} names")
        for column, entry in enumerate(row):
            try:
                values[number - 1, column] = float(entry)
            except ValueError:
                message = f"'{path.name}', row {number}, column {names[column]}: '{entry[:40]}' is not a number"
                raise TableError(message) from None
    return {name: values[:, column] for column, name in enumerate(names)}


def _load_npz(path: Path) -> dict[str, np.ndarray]:
    try:
        if not zipfile.is_zipfile(path):
            raise zipfile.BadZipFile("it is no zip archive, which NumPy's savez writes")
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (zipfile.BadZipFile, zlib.error, ValueError, OSError, EOFError) as error:
        raise TableError(f"'{path.name}' cannot be read as an NPZ file of plain arrays: {error}") from None
    for name, values in arrays.items():
        if values.dtype.kind not in "fiu":
            raise TableError(f"'{path.name}': array {name} holds {values.dtype}, not real numbers")
    return {name: values.astype(np.float64) for name, values in arrays.items()}


def flatten(table: dict[str, np.ndarray], coordinates: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Every column as (n,) with a row for each point.

    Columns may have one entry for each point already, or the coordinates may be the axes (k_1,), ..., (k_d,) of a
    tensor grid and the others arrays (k_1, ..., k_d).

    Raises:
        TableError: a coordinate has no column, or the sizes do not fit together.
    """
    missing = [name for name in coordinates if name not in table]
    if missing:
        raise TableError(f"there is no column {missing[0]}; columns are {', '.join(table)}")
    sizes = {values.size for values in table.values()}
    if len(sizes) == 1:
        return {name: values.ravel() for name, values in table.items()}
    axes = [table[name].ravel() for name in coordinates]
    shape = tuple(len(axis) for axis in axes)
    flat = dict(zip(coordinates, (mesh.ravel() for mesh in np.meshgrid(*axes, indexing="ij")), strict=True))
    for name, values in table.items():
        if name in coordinates:
            continue
        if values.shape != shape:
            raise TableError(
                f"column {name} has shape {values.shape}; the coordinates {', '.join(coordinates)} ask for {shape}"
            )
        flat[name] = values.ravel()
    return flat
