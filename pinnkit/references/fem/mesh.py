"""Meshes of second order from gmsh: triangles and tetrahedra with curved edges."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np

from pinnkit.domains.shape import Shape
from pinnkit.references.fem.cad import MeshingError, build

__all__ = ["Geometry", "MeshingError", "make_mesh"]

ELEMENTS_ACROSS = {2: 8, 3: 4}
"""Elements of the coarsest mesh along the edge of a square or cube of the domain's size."""
PER_TURN = {2: 12, 3: 8}
"""Edges of a full circle on the coarsest mesh, by the number of coordinates."""
FINER = (1, 1.5, 2, 3)
"""Factors on the edges of a circle in space, until the elements curve well."""
LEAST_QUALITY = 0.1
"""Smallest Jacobian of an element that curves well, relative to its size."""
GRADING = 12.0
"""How many times smaller edges at a graded point are."""
REACH = 0.35
"""Distance from a graded point, relative to the domain's size, at which edges have their full length."""
LOCK = threading.Lock()  # gmsh has one model in a process


@dataclass(frozen=True)
class Geometry:
    """A shape in the space coordinates, and what its mesh must respect.

    Attributes:
        space: the coordinates, in order.
        regions: solids inside the shape whose boundaries edges of the mesh follow.
        points: (k, d) points that are vertices.
        graded: (k, d) points at which the mesh is finer.
        size: edge length of the coarsest mesh; None: by the size of the shape.
    """

    shape: Shape
    space: tuple[str, ...]
    regions: tuple[Shape, ...] = ()
    points: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    graded: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    size: float | None = None

    @cached_property
    def extent(self) -> float:
        """Edge of the square or cube of the same size."""
        return float(self.shape.measure ** (1 / len(self.space)))

    @property
    def coarsest(self) -> float:
        """Edge length of the coarsest mesh."""
        return self.size or self.extent / ELEMENTS_ACROSS[len(self.space)]


def make_mesh(geometry: Geometry, level: int) -> Any:
    """The coarsest mesh (scikit-fem's MeshTri2 or MeshTet2), with each edge halved `level` times.

    Raises:
        MeshingError: gmsh cannot mesh the shape; the message says what it answered.
    """
    import skfem

    with LOCK, session() as gmsh:
        try:
            nodes, elements = _generate(gmsh, geometry, level)
        except Exception as error:  # gmsh raises plain exceptions
            if type(error) is not Exception:
                raise
            raise MeshingError(f"gmsh cannot mesh {geometry.shape.description}: {error}") from None
    dimension = len(geometry.space)
    kind = skfem.MeshTri2 if dimension == 2 else skfem.MeshTet2
    if dimension == 3:
        elements = elements[:, [0, 1, 2, 3, 4, 5, 6, 7, 9, 8]]  # the last two edges stand the other way in scikit-fem
    used, elements = np.unique(elements, return_inverse=True)
    return kind(nodes[used, :dimension].T.copy(), elements.reshape(-1, 6 if dimension == 2 else 10).T.copy())


def mapping(mesh: Any) -> Any:
    """The quadratic map onto the elements, whose inverse by Newton's method ends at steps of 1e-8.

    scikit-fem asks for 1e-12, which rounding prevents where elements are small beside their coordinates; the error that
    is left is about the square of the last step.
    """
    from skfem.mapping import MappingIsoparametric

    found = MappingIsoparametric(mesh, mesh.elem(), mesh.bndelem)
    found.invF = partial(found.invF, newton_tol=1e-8)
    return found


@contextmanager
def session() -> Iterator[Any]:
    """gmsh without output, without signal handlers and with default options."""
    import gmsh

    if gmsh.isInitialized():
        raise MeshingError("gmsh is in use in this process already: call gmsh.finalize() first")
    gmsh.initialize(readConfigFiles=False, interruptible=False)
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        gmsh.option.setNumber("General.NumThreads", 1)
        gmsh.option.setNumber("General.AbortOnError", 0)
        yield gmsh
    finally:
        gmsh.finalize()


def _generate(gmsh: Any, geometry: Geometry, level: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes (n, 3) and elements (m, 6 or 10) by the rows of their nodes, in gmsh's order."""
    dimension, size = len(geometry.space), geometry.coarsest
    build(gmsh, geometry.shape, geometry.space, geometry.regions, geometry.points)
    option: Callable[[str, float], None] = gmsh.option.setNumber
    option("Mesh.MeshSizeMax", size)
    option("Mesh.MeshSizeFromPoints", 0)
    if len(geometry.graded):
        gmsh.model.mesh.field.setAsBackgroundMesh(_grading(gmsh, geometry, size))
    for factor in FINER if dimension == 3 else (1,):
        option("Mesh.MeshSizeFromCurvature", factor * PER_TURN[dimension])
        gmsh.model.mesh.clear()
        gmsh.model.mesh.generate(dimension)
        if dimension == 2 or _curves_well(gmsh):
            break
    for _ in range(level):
        gmsh.model.mesh.refine()
    gmsh.model.mesh.setOrder(2)
    _, tags, _ = gmsh.model.mesh.getElements(dimension)
    if (
        min(gmsh.model.mesh.getElementQualities(tags[0], "minSJ"), default=1.0) <= 0
    ):  # curving has turned some inside out
        gmsh.model.mesh.optimize("HighOrder")
    tags, positions, _ = gmsh.model.mesh.getNodes()
    rows = np.full(int(tags.max()) + 1, -1)
    rows[tags.astype(int)] = np.arange(len(tags))
    kinds, _, nodes = gmsh.model.mesh.getElements(dimension)
    if len(kinds) != 1:
        raise MeshingError(f"gmsh gave no mesh of simplices for {geometry.shape.description}")
    return positions.reshape(-1, 3), rows[nodes[0].astype(int)].reshape(-1, 6 if dimension == 2 else 10)


def _curves_well(gmsh: Any) -> bool:
    """Whether no tetrahedron turns inside out when its edges are curved, as with all corners on a cavity."""
    gmsh.model.mesh.setOrder(2)
    (tags,) = gmsh.model.mesh.getElements(3)[1]
    worst = min(gmsh.model.mesh.getElementQualities(tags, "minSJ"))
    gmsh.model.mesh.setOrder(1)
    return bool(worst > LEAST_QUALITY)


def _grading(gmsh: Any, geometry: Geometry, size: float) -> int:
    """The tag of a field of edge lengths that fall towards the graded points."""
    fields = gmsh.model.mesh.field
    vertices = gmsh.model.getEntities(0)
    found = np.array([gmsh.model.getValue(0, tag, [])[: len(geometry.space)] for _, tag in vertices])
    tags = [vertices[_nearest(found, point)][1] for point in geometry.graded]
    distance = fields.add("Distance")
    fields.setNumbers(distance, "PointsList", tags)
    lengths = fields.add("Threshold")
    reach = REACH * geometry.extent
    for name, value in (("InField", distance), ("SizeMin", size / GRADING), ("SizeMax", size), ("DistMax", reach)):
        fields.setNumber(lengths, name, value)
    fields.setNumber(lengths, "DistMin", size / GRADING)
    return lengths


def _nearest(points: np.ndarray | Sequence[Any], point: np.ndarray) -> int:
    return int(np.argmin(np.linalg.norm(np.asarray(points) - point, axis=1)))
