"""Closed meshes of triangles: checked, and with faces whose normals lead out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from pinnkit.domains.shape import ShapeError
from pinnkit.domains.simplices import Simplices, simplex_measures
from pinnkit.domains.trimmed import even_points

STEP = 1e-3
"""How far from a face its two sides are looked at, relative to the radius of the circle in it."""
LEAST_STEP = 1e-10
"""The same at least, relative to the size of the mesh."""
SAMPLES, MISTAKEN, SAMPLED_STEP = 8192, 2, 1e-7
"""Points of the surface whose two sides are looked at, how many may be on the wrong one since an edge is near, and how
far from them that is, relative to the size of the mesh."""
_CROSSES = "crosses or touches itself"
_REPAIR = "repair it in the program that made it, or write each part as a mesh of its own and join them in domain"


@dataclass(frozen=True)
class TriangleMesh:
    """Triangles that enclose a solid.

    Args:
        source: the name of the file.
        vertices: (m, 3).
        faces: (k, 3), indices of vertices.
    """

    source: str
    vertices: np.ndarray = field(repr=False)
    faces: np.ndarray = field(repr=False)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TriangleMesh):
            return NotImplemented
        pairs = ((self.vertices, other.vertices), (self.faces, other.faces))
        return self.source == other.source and all(np.array_equal(*pair) for pair in pairs)

    __hash__ = None  # type: ignore[assignment]

    def outward(self, inside: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """The faces (k, 3) with their corners counterclockwise as seen from outside; those without an area left out.

        Args:
            inside: points (n, 3) -> mask (n,).

        Raises:
            ShapeError: the mesh has open edges, more than two faces at an edge, or crosses itself.
        """
        self._check_closed()
        corners = self.vertices[self.faces]
        areas = simplex_measures(corners)
        if not (areas > 0).any():
            raise ShapeError("", f"'{self.source}' has no triangle with an area")
        size = float(np.ptp(self.vertices, axis=0).max())
        around = sum(np.linalg.norm(corners[:, i] - corners[:, i - 1], axis=1) for i in range(3))
        solid = areas > 1e-12 * size * around
        a, b, c = np.moveaxis(corners[solid], 1, 0)
        normals = np.cross(b - a, c - a) / (2 * areas[solid])[:, None]
        step = np.maximum(STEP * 2 * areas[solid] / around[solid], LEAST_STEP * size)[:, None] * normals
        middles = corners[solid].mean(axis=1)
        ahead, behind = inside(middles + step), inside(middles - step)
        faces = self.faces[solid]
        faces = np.where((ahead & ~behind)[:, None], faces[:, ::-1], faces)
        self._check_sides(faces, ahead == behind, solid.all())
        self._check_crossings(faces, inside, size)
        return faces

    def _check_crossings(self, faces: np.ndarray, inside: Callable[[np.ndarray], np.ndarray], size: float) -> None:
        """Refuse faces of which a part has the solid on its other side, since they cross others there."""
        surface = Simplices(self.vertices[faces])
        unit = even_points(SAMPLES, 2)
        points = surface.sample(unit)
        a, b, c = np.moveaxis(self.vertices[faces][surface.index(unit)], 1, 0)
        normals = np.cross(b - a, c - a)
        step = SAMPLED_STEP * size * normals / np.linalg.norm(normals, axis=1, keepdims=True)
        wrong = np.flatnonzero(inside(points + step) | ~inside(points - step))
        if len(wrong) > MISTAKEN:
            raise ShapeError("", f"'{self.source}' {_CROSSES}, such as near {_text(points[wrong[0]])}: {_REPAIR}")

    def _edges(self, faces: np.ndarray) -> np.ndarray:
        """(3 k, 2), along each face."""
        return np.concatenate([faces[:, [i, j]] for i, j in ((0, 1), (1, 2), (2, 0))])

    def _check_closed(self) -> None:
        edges, counts = np.unique(np.sort(self._edges(self.faces), axis=1), axis=0, return_counts=True)
        open_ones, many = np.flatnonzero(counts == 1), np.flatnonzero(counts > 2)
        if len(open_ones):
            where = self._at(edges[open_ones[0]])
            raise ShapeError(
                "", f"'{self.source}' is not watertight: {len(open_ones)} of its {len(edges)} edges have a face on one "
                f"side alone, such as the one near {where}. Close the holes in the program that made it"
            )  # fmt: skip
        if len(many):
            where = self._at(edges[many[0]])
            raise ShapeError("", f"'{self.source}' is no surface: more than two faces meet at an edge, such as the "
                                 f"one near {where}")  # fmt: skip

    def _check_sides(self, faces: np.ndarray, unclear: np.ndarray, complete: bool) -> None:
        """Refuse faces with the solid on both sides or on none, and edges along which both faces run the same way."""
        if unclear.any():
            middle = self.vertices[faces[np.flatnonzero(unclear)[0]]].mean(axis=0)
            raise ShapeError("", f"'{self.source}' {_CROSSES}, such as near {_text(middle)}: {_REPAIR}")
        directed, counts = np.unique(self._edges(faces), axis=0, return_counts=True)
        twice = np.flatnonzero(counts > 1)
        if complete and len(twice):
            raise ShapeError("", f"'{self.source}' {_CROSSES}, such as near {self._at(directed[twice[0]])}: {_REPAIR}")

    def _at(self, edge: np.ndarray) -> str:
        return _text(self.vertices[edge].mean(axis=0))


def _text(point: np.ndarray) -> str:
    return f"({', '.join(f'{value:.4g}' for value in point)})"


def icosphere(divisions: int, center: tuple[float, ...], radius: float) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (m, 3) and faces (20 * 4^divisions, 3) of an icosahedron whose faces are divided and moved to a sphere.

    >>> vertices, faces = icosphere(1, (0.0, 0.0, 0.0), 2.0)
    >>> vertices.shape, faces.shape, bool(np.allclose(np.linalg.norm(vertices, axis=1), 2.0))
    ((42, 3), (80, 3), True)
    """
    golden = (1 + np.sqrt(5)) / 2
    vertices = np.array([[one, other * golden, 0] for one in (-1, 1) for other in (-1, 1)])
    vertices = np.concatenate([np.roll(vertices, shift, axis=1) for shift in range(3)]).astype(float)
    gaps = np.linalg.norm(vertices[:, None] - vertices, axis=2)
    near = np.abs(gaps - 2) < 1e-9
    faces = np.array(
        [(i, j, k) for i in range(12) for j in range(i) for k in range(j) if near[i, j] and near[j, k] and near[i, k]]
    )
    for _ in range(divisions):
        a, b, c = vertices[faces].transpose(1, 0, 2)
        corners = [a, b, c, (a + b) / 2, (b + c) / 2, (c + a) / 2]
        parts = ((0, 3, 5), (3, 1, 4), (5, 4, 2), (3, 4, 5))
        triangles = np.concatenate([np.stack([corners[k] for k in part], axis=1) for part in parts]).reshape(-1, 3)
        vertices, index = np.unique(np.round(triangles, 12), axis=0, return_inverse=True)
        faces = index.reshape(-1, 3)
    return np.array(center) + radius * vertices / np.linalg.norm(vertices, axis=1, keepdims=True), faces
