"""Seams: where the boundaries of two solids that are joined touch inside their union."""

from __future__ import annotations

import numpy as np

from pinnkit.domains.even_points import unit_of
from pinnkit.domains.shape import Shape

PROBES = 512
"""Points of a surface among which those are looked for that it has in common with another."""
NEAR = 1e-3
"""How near to the other boundary a point counts as on it, relative to the step."""


def has_seam(union: Shape, solids: tuple[Shape, Shape], step: float) -> bool:
    """Whether two solids have points of their boundaries in common inside their union.

    Args:
        step: how far from these points the two sides are looked at.
    """
    for one, other in (solids, solids[::-1]):
        for base in one.boundary(one.coordinates):
            points = base.draw(PROBES, unit_of(base))
            common = points[np.abs(other.distance(points)) <= NEAR * step]
            normals = base.normals(common)
            assert normals is not None
            moved = step * normals
            if np.any(union.contains(common + moved) & union.contains(common - moved)):
                return True
    return False
