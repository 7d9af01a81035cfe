"""Reading shapes from files: meshes, and outlines of points."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from pinnkit.domains.mesh_file import MeshError, parse, read
from pinnkit.domains.shape import Shape
from pinnkit.domains.shapes.mesh import Mesh
from pinnkit.domains.shapes.polygon import Polygon
from pinnkit.domains.triangle_mesh import TriangleMesh
from pinnkit.language.errors import LanguageError
from pinnkit.problem.tables import Files, TableError, load

FILES = ("mesh", "outline")
"""The kinds of shapes that are read from files."""
OUTLINE_BYTES = 1_000_000
"""The size of a file of an outline at most: it has 2000 rows."""


def read_mesh(config: Any, names: tuple[str, ...], files: Files) -> Mesh:
    """The solid in a mesh file, whose coordinates are those named, in their order.

    Raises:
        LanguageError: there is no such file, or it holds no mesh.
        ShapeError: the mesh bounds no solid.
    """
    name = _file_name(config, "an .stl or .obj file")
    try:
        path = files.path(name)
        return _solid(names, path.name, read(path))
    except (MeshError, TableError) as error:
        raise LanguageError(str(error)) from None


@lru_cache(maxsize=4)
def _solid(names: tuple[str, ...], name: str, content: bytes) -> Mesh:
    """The solid in a mesh file; a command reads a problem several times."""
    return Mesh(names, TriangleMesh(name, *parse(name, content)))


def read_outline(config: Any, names: tuple[str, ...], files: Files) -> Shape:
    """The polygon through the points of a CSV file, with a column for each of two coordinates.

    The last point may repeat the first; columns of other names are left alone.

    Raises:
        LanguageError: there is no such file, or it holds no points.
        ShapeError: the polygon bounds nothing.
    """
    name = _file_name(config, "a .csv file of points")
    if len(names) != 2:
        raise LanguageError(f"an outline lies in a plane of two space coordinates; here they are {', '.join(names)}")
    try:
        path = files.path(name)
        if path.is_file() and path.stat().st_size > OUTLINE_BYTES:
            raise TableError(f"'{path.name}' has more than {OUTLINE_BYTES:.3g} bytes, which is the most")
        table = load(path)
    except TableError as error:
        raise LanguageError(str(error)) from None
    for column in names:
        if column not in table:
            raise LanguageError(f"'{name}' has no column {column}; columns are {', '.join(table)}")
    points = np.stack([table[column].ravel() for column in names], axis=1)
    return Polygon(names, tuple(map(tuple, points.tolist())))


def _file_name(config: Any, what: str) -> str:
    if not isinstance(config, str) or not config:
        raise LanguageError(f"{config!r} is no name of a file: write that of {what}")
    return config
