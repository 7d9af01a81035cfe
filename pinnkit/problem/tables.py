"""Tables of numbers from CSV and NPZ files."""

from __future__ import annotations

import csv
import lzma
import math
import numbers
import tokenize
import zipfile
import zlib
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

BYTES = 2_000_000_000
"""What a table may take: the bytes of a CSV file, or of an NPZ file's arrays as float64, before any is loaded."""

DAMAGED = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, tokenize.TokenError, SyntaxError, ValueError, OSError, EOFError,
    OverflowError, NotImplementedError, RuntimeError,
)  # fmt: skip
"""What zipfile and NumPy raise for an archive that is damaged, encrypted, or packed in a way that they do not know."""


class TableError(ValueError):
    """A data file that is missing, of another kind, or holds what is not a finite number."""


@dataclass(frozen=True)
class Files:
    """Where the tables that a problem names are looked for; `outside`: they may lie elsewhere than below the folder."""

    folder: Path
    outside: bool = True

    def path(self, name: str) -> Path:
        """The path of the table.

        Raises:
            TableError: it is no path, or leads out of the folder (symbolic links count as what they lead to).
        """
        if not name.isprintable():
            raise TableError(f"'{name[:60]}' is no path of a file: it holds a control character")
        path = self.folder / name
        try:
            path.is_file()  # a name too long
            below = path.resolve().is_relative_to(self.folder.resolve())
        except (OSError, ValueError, RuntimeError) as error:  # a null character; a circle of symbolic links
            raise TableError(f"'{name[:60]}' is no path of a file: {error}") from None
        if not (below or self.outside):
            raise TableError(
                f"'{path}' lies outside the problem's folder '{self.folder}': copy the file into it, or allow this by "
                "the setting outside_files=true"
            )
        return path


def load(path: Path, split: bool = False) -> dict[str, np.ndarray]:
    """Read a table: column name -> float64 array.

    A CSV file has a line of names and then rows of numbers; an NPZ file holds arrays by name. Nothing in either is
    executed (NPZ is read without pickle), and neither may take more than BYTES.

    Args:
        split: whether an array of complex numbers h is read, as two columns h_re and h_im; else it is refused.

    Raises:
        TableError: naming the file and, where there is one, the row and the column.
    """
    if path.suffix not in (".csv", ".npz"):
        raise TableError(f"'{path.name}' is neither a .csv nor an .npz file")
    if not path.is_file():
        raise TableError(f"there is no file '{path}'")
    table = _load_csv(path) if path.suffix == ".csv" else _load_npz(path, split)
    return checked(table, f"'{path.name}'")


def given(config: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """A table that is written out, column name -> numbers, under the same rules as a file.

    Raises:
        TableError: naming the column.
    """
    table = {}
    for name, values in config.items():
        try:
            array = np.asarray(values)
            if array.dtype.kind in "USbc" or (array.dtype.kind == "O" and not all(map(_is_number, array.ravel()))):
                raise TypeError("it holds texts, truth values or complex numbers")
            table[str(name)] = array.astype(np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            raise TableError(f"column {name} is no array of numbers: {str(error).split('. ')[0]}") from None
    return checked(table, "the table")


def _is_number(value: Any) -> bool:
    """None is read as NaN, which is reported with its place."""
    return value is None or (isinstance(value, numbers.Real) and not isinstance(value, bool))


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
    _check_size(path, path.stat().st_size)
    names: list[str] = []
    entries = array("d")
    number = 0
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            for row in filter(None, csv.reader(file)):
                if not names:
                    names = [name.strip() for name in row]
                    continue
                number += 1
                if len(row) != len(names):
                    raise TableError(f"'{path.name}', row {number}: {len(row)} entries under {len(names)} names")
                entries.extend(_number(entry, path, number, name) for entry, name in zip(row, names, strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise TableError(f"'{path.name}' cannot be read as CSV text in UTF-8: {error}") from None
    if not number:
        raise TableError(f"'{path.name}' has no rows below its line of names")
    if len(set(names)) != len(names):
        raise TableError(f"'{path.name}' names a column twice: {', '.join(names)}")
    values = np.frombuffer(entries).reshape(number, len(names))
    return {name: values[:, column] for column, name in enumerate(names)}


def _number(entry: str, path: Path, row: int, column: str) -> float:
    try:
        if "_" in entry or not entry.isascii():  # Python reads 1_000 and digits of other scripts
            raise ValueError
        return float(entry)
    except ValueError:
        raise TableError(f"'{path.name}', row {row}, column {column}: '{entry[:40]}' is not a number") from None


def _check_size(path: Path, size: int) -> None:
    if size > BYTES:
        raise TableError(f"'{path.name}' asks for {size:.3g} bytes; the most is {BYTES:.3g}")


def _load_npz(path: Path, split: bool) -> dict[str, np.ndarray]:
    try:
        if not zipfile.is_zipfile(path):
            raise zipfile.BadZipFile("it is no zip archive, which NumPy's savez writes")
        _check_npz(path)
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except TableError:
        raise
    except DAMAGED as error:
        raise TableError(f"'{path.name}' cannot be read as an NPZ file of plain arrays: {error}") from None
    if split:
        arrays = _split(arrays, path)
    for name, values in arrays.items():
        if values.dtype.kind not in "fiu":
            raise TableError(f"'{path.name}': array {name} holds {values.dtype}, not real numbers")
    return {name: values.astype(np.float64) for name, values in arrays.items()}


def _split(arrays: Mapping[str, np.ndarray], path: Path) -> dict[str, np.ndarray]:
    """The arrays with each complex one, h, as its real and imaginary parts, h_re and h_im."""
    found = {name: values for name, values in arrays.items() if values.dtype.kind != "c"}
    for name in arrays.keys() - found.keys():
        for part, values in ((f"{name}_re", arrays[name].real), (f"{name}_im", arrays[name].imag)):
            if part in found:
                raise TableError(f"'{path.name}': array {name} is complex, and {part} is there besides: leave out one")
            found[part] = values
    return found


def _check_npz(path: Path) -> None:
    """Refuse an archive whose arrays would take too much memory, or whose headers promise more than is there.

    Only the directory of the archive and the header of each array are read; a member gives no more bytes than the
    directory says.
    """
    total = 0
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            total += member.file_size
            _check_size(path, total)
            with archive.open(member) as file:
                version = np.lib.format.read_magic(file)
                read = {(1, 0): np.lib.format.read_array_header_1_0}.get(version, np.lib.format.read_array_header_2_0)
                shape, _, dtype = read(file)
                if any(type(length) is not int for length in shape):  # NumPy lets True pass
                    raise ValueError(f"the header of {member.filename} says {shape}")
                entries = math.prod(shape)
                if min(shape, default=0) < 0 or entries * dtype.itemsize > member.file_size - file.tell():
                    raise ValueError(f"the header of {member.filename} says {shape} {dtype}, which is not there")
                total += entries * max(8 - dtype.itemsize, 0)  # as float64
                _check_size(path, total)


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
    others = {name: values for name, values in table.items() if name not in coordinates}
    for name, values in others.items():
        if values.shape != shape:
            raise TableError(
                f"column {name} has shape {values.shape}: give the coordinates {', '.join(coordinates)} as axes and "
                f"the others in shape {shape}, or all columns with an entry for each point"
            )
    if math.prod(shape) * 8 * len(table) > BYTES:
        raise TableError(f"the grid of its coordinates, {shape}, takes more than {BYTES:.3g} bytes")
    flat = dict(zip(coordinates, (mesh.ravel() for mesh in np.meshgrid(*axes, indexing="ij")), strict=True))
    return flat | {name: values.ravel() for name, values in others.items()}
