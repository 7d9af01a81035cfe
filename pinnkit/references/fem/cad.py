"""Shapes as solids of OpenCASCADE, by gmsh."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pinnkit.domains.box import Box
from pinnkit.domains.combination import DIFFERENCE, INTERSECTION, UNION, Combination
from pinnkit.domains.product import Product
from pinnkit.domains.shape import Shape
from pinnkit.domains.shapes.ball import Ball
from pinnkit.domains.shapes.disk import Disk
from pinnkit.domains.shapes.ellipse import Ellipse
from pinnkit.domains.shapes.polygon import Polygon
from pinnkit.references.fem.unsupported import unsupported

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
    """The solid of a shape in the plane or the space of these coordinates."""
    if isinstance(shape, Combination):
        return _combined(occ, shape, space)
    if isinstance(shape, Box):
        return [_box(occ, shape, space)]
    if isinstance(shape, Product):
        return _extruded(occ, shape, space)
    if isinstance(shape, Disk):
        return [_ellipse(occ, shape.center, (shape.radius, shape.radius), 0.0)]
    if isinstance(shape, Ellipse):
        return [_ellipse(occ, shape.center, shape.radii, shape.angle)]
    if isinstance(shape, Polygon):
        points = [occ.addPoint(*corner, 0.0) for corner in shape.corners]
        lines = [occ.addLine(start, stop) for start, stop in zip(points, [*points[1:], points[0]], strict=True)]
        return [(2, occ.addPlaneSurface([occ.addCurveLoop(lines)]))]
    if isinstance(shape, Ball) and len(space) == 3:
        return [(3, occ.addSphere(*shape.center, shape.radius))]
    raise unsupported(f"its domain is {shape.description}, of a kind ({type(shape).__name__}) that has no mesh here")


def _combined(occ: Any, shape: Combination, space: tuple[str, ...]) -> Solids:
    left, right = _solids(occ, shape.left, space), _solids(occ, shape.right, space)
    join = {UNION: occ.fuse, DIFFERENCE: occ.cut, INTERSECTION: occ.intersect}[shape.operation]
    found: Solids = join(left, right)[0]
    if not found:
        raise MeshingError(f"nothing is left of {shape.description}")
    return found


def _extruded(occ: Any, product: Product, space: tuple[str, ...]) -> Solids:
    """A plane shape times an interval of the third coordinate."""
    plane = next((one for one in product.factors if len(one.coordinates) == 2), None)
    line = next((one for one in product.factors if len(one.coordinates) == 1), None)
    if len(product.factors) != 2 or plane is None or not isinstance(line, Box):
        raise unsupported(f"its domain is {product.description}, a product that has no mesh here")
    (axis,) = line.coordinates
    (lower, upper), place = line.bounds[axis], space.index(axis)
    base = _solids(occ, plane, plane.coordinates)
    # the plane of the first two coordinates is turned into that of the others, then moved and drawn along the third
    if place == 1:  # (a, b, 0) -> (a, 0, b)
        occ.rotate(base, 0, 0, 0, 1, 0, 0, np.pi / 2)
    elif place == 0:  # (a, b, 0) -> (0, a, b)
        occ.rotate(base, 0, 0, 0, 1, 1, 1, 2 * np.pi / 3)
    direction = [float(number == place) for number in range(3)]
    occ.translate(base, *(lower * one for one in direction))
    return [one for one in occ.extrude(base, *((upper - lower) * one for one in direction)) if one[0] == 3]


def _ellipse(occ: Any, center: Sequence[float], radii: Sequence[float], angle: float) -> tuple[int, int]:
    turned = angle if radii[0] >= radii[1] else angle + np.pi / 2  # OpenCASCADE wants the longer axis first
    disk = 2, occ.addDisk(*center, 0.0, max(radii), min(radii))
    if turned and radii[0] != radii[1]:
        occ.rotate([disk], *center, 0.0, 0, 0, 1, turned)
    return disk


def _box(occ: Any, box: Box, space: tuple[str, ...]) -> tuple[int, int]:
    lower = [box.bounds[name][0] for name in space]
    lengths = [box.bounds[name][1] - box.bounds[name][0] for name in space]
    if len(space) == 2:
        return 2, occ.addRectangle(*lower, 0.0, *lengths)
    return 3, occ.addBox(*lower, *lengths)
