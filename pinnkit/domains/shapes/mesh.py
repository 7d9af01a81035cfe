"""Solids that are bounded by a closed mesh of triangles, and their surfaces."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from pinnkit.domains.inside_mesh import InsideMesh
from pinnkit.domains.morton import morton_order
from pinnkit.domains.nearest_on_mesh import NearestOnMesh
from pinnkit.domains.registry import SHAPES
from pinnkit.domains.shape import Shape, ShapeError
from pinnkit.domains.simplices import Simplices, simplex_measures
from pinnkit.domains.triangle_mesh import TriangleMesh, icosphere
from pinnkit.domains.trimmed import slice_of
from pinnkit.domains.whole_boundary import WholeBoundary

ROUNDING = 1e-13
"""By how much a computed point may miss the surface, relative to the size of its coordinates."""


@SHAPES.register("mesh")
@dataclass(frozen=True)
class Mesh(Shape):
    """What a closed mesh of triangles encloses.

    Args:
        names: the three coordinates.
        triangles: the mesh; its faces are turned so that their normals lead out.

    Raises:
        ShapeError: another number of coordinates, or a mesh that is not closed or crosses itself.
    """

    example: ClassVar[Mapping[str, Any]] = {
        "names": ("x", "y", "z"),
        "triangles": TriangleMesh("sphere", *icosphere(3, (0.5, -0.2, 0.1), 0.8)),
    }

    names: tuple[str, ...]
    triangles: TriangleMesh

    def __post_init__(self) -> None:
        if len(self.names) != 3:
            names = ", ".join(self.names) or "none"
            raise ShapeError("", f"a mesh lies in three space coordinates; here they are {names}")
        _ = self.corners  # raises where the mesh bounds no solid

    @cached_property
    def corners(self) -> np.ndarray:
        """The triangles (k, 3, 3), with the corners counterclockwise as seen from outside, neighbours in a row."""
        corners = self.triangles.vertices[self.triangles.outward(self.inside)]
        return corners[morton_order(corners.mean(axis=1))]

    @cached_property
    def inside(self) -> InsideMesh:
        return InsideMesh(self.triangles.vertices, self.triangles.faces)

    @cached_property
    def nearest(self) -> NearestOnMesh:
        return NearestOnMesh(self.corners)

    @cached_property
    def bounds(self) -> Mapping[str, tuple[float, float]]:
        points = self.corners.reshape(-1, 3)
        ends = zip(points.min(axis=0).tolist(), points.max(axis=0).tolist(), strict=True)
        return dict(zip(self.names, ends, strict=True))

    @cached_property
    def rounding(self) -> float:
        """How far a computed point may miss the mesh."""
        return ROUNDING * float(np.abs(self.corners).max() + (self.upper - self.lower).max())

    @property
    def dimension(self) -> int:
        return 3

    @cached_property
    def measure(self) -> float:
        """By the divergence theorem: the sum of a . (b x c) / 6 over the triangles, from their common middle."""
        a, b, c = np.moveaxis(self.corners - self.corners.mean(axis=(0, 1)), 1, 0)
        return float(np.sum(a * np.cross(b, c)) / 6)

    @property
    def drawn(self) -> float:
        return float(np.prod(self.upper - self.lower))

    @property
    def description(self) -> str:
        return f"({', '.join(self.names)}) in the mesh {self.triangles.source}"

    def sample(self, unit: np.ndarray) -> np.ndarray:
        """Points of the bounding box."""
        self._check_unit(unit)
        return self.lower + unit * (self.upper - self.lower)

    def keeps(self, points: np.ndarray) -> np.ndarray:
        return self.inside(points)

    def contains(self, points: np.ndarray, slack: float | np.ndarray = 0.0) -> np.ndarray:
        reach = float(np.max(slack))
        mask = self.inside(points)
        doubtful = np.flatnonzero(mask if reach < 0 else ~mask)
        near = doubtful[~self.nearest.beyond(points[doubtful], abs(reach) + self.rounding)] if len(doubtful) else []
        if len(near):
            away = self._away(points[near])
            mask[near] = away > -reach if reach < 0 else away <= reach + self.rounding
        return mask

    def _away(self, points: np.ndarray) -> np.ndarray:
        return np.linalg.norm(points - self.nearest(points)[0], axis=1)

    def distance(self, points: np.ndarray) -> np.ndarray:
        away = self._away(points)
        return np.where(self.inside(points), away, -away)

    def near_edge(self, points: np.ndarray, slack: np.ndarray) -> np.ndarray:
        reach = float(np.max(slack))
        near = ~self.nearest.beyond(points, reach)
        near[near] = self._away(points[near]) <= reach
        return near

    def boundary(self, coordinates: Collection[str]) -> tuple[Shape, ...]:
        return (Surface(self),) if set(self.names) <= set(coordinates) else ()

    def at(self, /, **values: float) -> Shape:
        return slice_of(self, values)


@dataclass(frozen=True)
class Surface(WholeBoundary):
    """The triangles of a mesh, with their normals."""

    solid: Mesh

    @property
    def measure(self) -> float:
        return self._simplices.measure

    @property
    def description(self) -> str:
        return f"({', '.join(self.solid.names)}) on the mesh {self.solid.triangles.source}"

    @cached_property
    def _simplices(self) -> Simplices:
        return Simplices(self.solid.corners)

    @cached_property
    def _normals(self) -> np.ndarray:
        a, b, c = np.moveaxis(self.solid.corners, 1, 0)
        normals = np.cross(b - a, c - a)
        areas = simplex_measures(self.solid.corners)
        return normals / np.where(areas > 0, 2 * areas, 1.0)[:, None]

    def sample(self, unit: np.ndarray) -> np.ndarray:
        """Uniform by area."""
        self._check_unit(unit)
        return self._simplices.sample(unit)

    def distance(self, points: np.ndarray) -> np.ndarray:
        return -np.linalg.norm(points - self.project(points), axis=1)

    def contains(self, points: np.ndarray, slack: float | np.ndarray = 0.0) -> np.ndarray:
        reach = float(np.max(slack)) + self.solid.rounding
        near = ~self.solid.nearest.beyond(points, reach)
        near[near] = self.distance(points[near]) >= -reach
        return near

    def normals(self, points: np.ndarray) -> np.ndarray:
        """Those of the nearest triangles."""
        return self._normals[self.solid.nearest(points)[1]]

    def project(self, points: np.ndarray) -> np.ndarray:
        return self.solid.nearest(points)[0]
