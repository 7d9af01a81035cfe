"""Files in VTK's XML formats: rectilinear and unstructured grids, and series of them in time."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np

from pinnkit.reporting.atomic import write_text
from pinnkit.reporting.exporters import real

CELLS = {(1, 2): 3, (2, 3): 5, (3, 4): 10, (3, 6): 13}
"""(dimension, corners) -> VTK's number of the cell: line, triangle, tetrahedron, wedge."""
TYPES = {"f": "Float64", "i": "Int64", "u": "UInt8"}


def write_rectilinear(
    path: Path, axes: Mapping[str, np.ndarray], values: Mapping[str, np.ndarray], metadata: Mapping[str, Any]
) -> None:
    """Write a .vtr file.

    Args:
        axes: the coordinates along x, y and z, three at most.
        values: arrays (n_x, n_y, n_z) of as many axes; a complex one h is written as h_re and h_im.
    """
    along = [np.asarray(axis, dtype=float) for axis in axes.values()] + [np.zeros(1)] * (3 - len(axes))
    extent = " ".join(f"0 {len(axis) - 1}" for axis in along)
    coordinates = "".join(_array(name, axis) for name, axis in zip("xyz", along, strict=True))
    points = "".join(_array(name, one.ravel(order="F")) for name, one in real(values).items())
    piece = f'<Piece Extent="{extent}"><PointData>{points}</PointData><Coordinates>{coordinates}</Coordinates></Piece>'
    _write(path, "RectilinearGrid", f' WholeExtent="{extent}"', piece, {**metadata, "axes": list(axes)})


def write_unstructured(
    path: Path,
    names: Sequence[str],
    points: np.ndarray,
    cells: np.ndarray,
    values: Mapping[str, np.ndarray],
    metadata: Mapping[str, Any],
) -> None:
    """Write a .vtu file.

    Args:
        names: the coordinates along x, y and z.
        points: (n, d) in d <= 3 dimensions.
        cells: indices of corners, (m, 2) of lines, (m, 3) of triangles, (m, 4) of tetrahedra, (m, 6) of wedges.
        values: arrays (n,).
    """
    padded = np.zeros((len(points), 3))
    padded[:, : points.shape[1]] = points
    kind = CELLS[points.shape[1], cells.shape[1]]
    topology = (
        _array("connectivity", cells.astype(np.int64).ravel())
        + _array("offsets", cells.shape[1] * np.arange(1, len(cells) + 1))
        + _array("types", np.full(len(cells), kind, dtype=np.uint8))
    )
    content = "".join(_array(name, one) for name, one in real(values).items())
    piece = (
        f'<Piece NumberOfPoints="{len(points)}" NumberOfCells="{len(cells)}"><PointData>{content}</PointData>'
        f"<Points>{_array('Points', padded.ravel(), 3)}</Points><Cells>{topology}</Cells></Piece>"
    )
    _write(path, "UnstructuredGrid", "", piece, {**metadata, "axes": list(names)})


def write_series(path: Path, files: Mapping[float, Path]) -> None:
    """Write a .pvd file: time -> the file of that time, in a folder beside it or below."""
    entries = "".join(
        f'<DataSet timestep="{time!r}" part="0" file={quoteattr(file.relative_to(path.parent).as_posix())}/>\n'
        for time, file in files.items()
    )
    write_text(path, f'<VTKFile type="Collection" version="1.0"><Collection>\n{entries}</Collection></VTKFile>\n')


def _write(path: Path, kind: str, attributes: str, piece: str, metadata: Mapping[str, Any]) -> None:
    """A file with its metadata as JSON in a comment, which readers pass over."""
    facts = json.dumps(metadata).replace("--", "-\\u002d")  # a comment ends at its second hyphen
    head = f'<VTKFile type="{kind}" version="1.0" byte_order="LittleEndian" header_type="UInt64">'
    write_text(path, f'<?xml version="1.0"?>\n<!-- {facts} -->\n{head}<{kind}{attributes}>{piece}</{kind}></VTKFile>\n')


def _array(name: str, values: np.ndarray, components: int = 1) -> str:
    data = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<"), copy=False).tobytes()
    encoded = base64.b64encode(len(data).to_bytes(8, "little") + data).decode()
    kind = f'type="{TYPES[values.dtype.kind]}" Name={quoteattr(name)} NumberOfComponents="{components}"'
    return f'<DataArray {kind} format="binary">{encoded}</DataArray>'
