"""Shapes as solids of OpenCASCADE, by gmsh."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pinnkit.domains.box import Box
from pinnkit.domains.product import Product
from pinnkit.domains.shape import Shape
from pinnkit.domains.shapes.disk import Disk
from pinnkit.references.fem.words import unsupported

Solids = list[tuple[int, int]]
"""gmsh's pairs of dimension and tag."""


class MeshingError(Exception):
    """gmsh cannot build or mesh a shape."""


def spatial(shape: Shape, space: tuple[str, ...]) -> Shape:
    """The factor of a domain in the space coordinates: without time."""
    if set(shape.coordinates) == set(space):
        return shape
    if isinstance(shape, Box):
        return Box({name: shape.bounds[name] for name in space})
    if isinstance(shape, Product):
        factors = [factor for factor in shape.factors if set(factor.coordinates) & set(space)]
        parts = [spatial(factor, tuple(name for name in factor.coordinates if name in space)) for factor in factors]
        return parts[0] if len(parts) == 1 else Product(tuple(parts), space)
    raise unsupported(f"its domain is {shape.description}, which is no product of a shape in space and a time")


def build(gmsh: Any, shape: Shape, space: tuple[str, ...], regions: Sequence[Shape], points: np.ndarray) -> None:
    """Make the shape, cut along the boundaries of the regions, and with vertices at the points.

    Raises:
        UnsupportedProblem: it is of a kind that has no solid.
    """
    occ, dimension = gmsh.model.occ, len(space)
    solids = _solids(occ, shape, space)
    tools: Solids = [one for region in regions for one in _solids(occ, region, space)]
    if tools:
        kept = occ.intersect(solids, tools, removeObject=False, removeTool=True)[0]
        solids = occ.fragment(solids, kept)[0]
        solids = [one for one in solids if one[0] == dimension]
    if len(points):
        padded = np.zeros((len(points), 3))
        padded[:, :dimension] = points
        solids = occ.fragment(solids, [(0, occ.addPoint(*point)) for point in padded])[0]
    occ.synchronize()


def _solids(occ: Any, shape: Shape, space: tuple[str, ...]) -> Solids:
    if isinstance(shape, Box):
        return [_box(occ, shape, space)]
    if isinstance(shape, Disk) and shape.coordinates == space:
        return [(2, occ.addDisk(*shape.center, 0.0, shape.radius, shape.radius))]
    raise unsupported(f"its domain is {shape.description}, of a kind ({type(shape).__name__}) that has no mesh here")


def _box(occ: Any, box: Box, space: tuple[str, ...]) -> tuple[int, int]:
    lower = [box.bounds[name][0] for name in space]
    lengths = [box.bounds[name][1] - box.bounds[name][0] for name in space]
    if len(space) == 2:
        return 2, occ.addRectangle(*lower, 0.0, *lengths)
    return 3, occ.addBox(*lower, *lengths)
