"""Triangle meshes from STL and OBJ files of strangers: nothing in them is executed, and sizes are bounded."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np

BYTES = 60_000_000
"""The size of a file at most."""
FACES = 200_000
"""Triangles at most."""
LARGEST = 1e50
"""A coordinate at most: products of several are finite."""
ENDINGS = (".stl", ".obj")


class MeshError(ValueError):
    """A mesh file that is missing, of another kind, too large, or does not bound a solid."""


def read(path: Path) -> bytes:
    """The content of a mesh file.

    Raises:
        MeshError: there is no such file, its name ends in something else, or it is too large.
    """
    if path.suffix.lower() not in ENDINGS:
        raise MeshError(f"'{path.name}' is neither an .stl nor an .obj file")
    if not path.is_file():
        raise MeshError(f"there is no file '{path}'")
    with path.open("rb") as file:  # at once: the size may change between two looks
        content = file.read(BYTES + 1)
    if len(content) > BYTES:
        raise MeshError(f"'{path.name}' has more than {BYTES:.3g} bytes, which is the most")
    return content


def parse(name: str, content: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (m, 3), and faces (k, 3) as indices of them, of an STL file (text or binary) or an OBJ file.

    Only vertices and faces are read: no materials, no textures, and no other file. Vertices with the same coordinates
    are one; faces with two equal corners are left out.

    Args:
        name: of the file, whose ending tells what it holds.

    Raises:
        MeshError: saying what is wrong with the content.
    """
    ending = Path(name).suffix.lower()
    try:
        vertices, faces = _stl(content) if ending == ".stl" else _obj(content)
    except MeshError as error:
        raise MeshError(f"'{name}' {error}") from None
    except (ValueError, OverflowError) as error:  # a text in the place of a number; an index of too many digits
        raise MeshError(f"'{name}' cannot be read as an {ending[1:].upper()} file: {str(error)[:100]}") from None
    if not len(faces):
        raise MeshError(f"'{name}' holds no triangles")
    if not np.isfinite(vertices).all():
        raise MeshError(f"'{name}' holds a coordinate that is not finite")
    if faces.min() < 0 or faces.max() >= len(vertices):
        raise MeshError(f"'{name}' has a face with a vertex that is not there")
    if np.abs(vertices).max() > LARGEST:
        raise MeshError(f"'{name}' holds a coordinate beyond {LARGEST:g}: choose other units")
    vertices, faces = _merged(vertices, faces)
    if not len(faces):
        raise MeshError(f"'{name}' has no triangle with an area")
    return vertices, faces


def _merged(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    vertices, index = np.unique(vertices + 0.0, axis=0, return_inverse=True)  # -0.0 is 0.0
    faces = index.reshape(-1)[faces]
    distinct = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    return vertices, faces[distinct]


def _check_count(count: int) -> None:
    if count > FACES:
        raise MeshError(f"has {count} triangles; the most is {FACES}")


def _stl(content: bytes) -> tuple[np.ndarray, np.ndarray]:
    """80 bytes, the number of triangles, 50 bytes for each; or text with `vertex x y z` three times in a facet."""
    if len(content) == 84 + 50 * int.from_bytes(content[80:84], "little"):
        _check_count((len(content) - 84) // 50)
        records = np.frombuffer(content, [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("more", "<u2")], offset=84)
        vertices = records["corners"].reshape(-1, 3).astype(np.float64)
    else:
        if content.lstrip()[:5].lower() != b"solid":
            raise MeshError("is no STL file: it neither begins with 'solid', nor has the length that its head says")
        _check_count(len(re.findall(rb"\bendfacet\b", content, re.IGNORECASE)))
        corners = re.findall(rb"\bvertex\s+(\S+)\s+(\S+)\s+(\S+)", content, re.IGNORECASE)
        if len(corners) % 3 or len(corners) > 3 * FACES:
            raise MeshError(f"has {len(corners)} vertices: three for each facet are needed")
        vertices = np.array([[float(one) for one in corner] for corner in corners]).reshape(-1, 3)
    return vertices, np.arange(len(vertices)).reshape(-1, 3)


def _obj(content: bytes) -> tuple[np.ndarray, np.ndarray]:
    """The lines `v x y z` and `f 1 2 3` (or `f 1/4/7 ...`, negative indices, more corners); the others say no shape."""
    vertices: list[list[float]] = []
    faces: list[tuple[int, int, int]] = []
    for number, line in enumerate(content.decode("utf-8", errors="replace").splitlines(), start=1):
        kind, *words = line.split("#")[0].split() or [""]
        try:
            if kind == "v":
                vertices.append([float(word) for word in words[:3]])
                if len(words) < 3:
                    raise ValueError
            elif kind == "f":
                corners = [int(word.split("/")[0]) for word in words]
                if len(corners) < 3 or 0 in corners:
                    raise ValueError
                first, *others = [one - 1 if one > 0 else len(vertices) + one for one in corners]
                faces += [(first, one, other) for one, other in itertools.pairwise(others)]
        except ValueError:
            raise MeshError(f"has a line {number} that is no vertex or face: {line[:60]!a}") from None
        _check_count(len(faces))
        if len(vertices) > 3 * FACES:
            raise MeshError(f"has more than {3 * FACES} vertices, which is the most")
    return np.array(vertices, dtype=np.float64).reshape(-1, 3), np.array(faces, dtype=np.int64).reshape(-1, 3)
