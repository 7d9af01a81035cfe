"""Seams, where two solids that are joined touch."""

from __future__ import annotations

import numpy as np

from pinnkit.domains.even_points import unit_of
from pinnkit.domains.shape import Shape

PROBES = 512
"""Points of a surface among which those are looked for that it has in common with another."""


def has_seam(union: Shape, left: Shape, right: Shape, step: float, rounding: float) -> bool:
    """Whether two solids have points of their boundaries in common inside their union.

    Args:
        step: how far from a surface its two sides are looked at.
        rounding: how near a point of one boundary counts as on the other.
    """
    for one, other in ((left, right), (right, left)):
        for base in one.boundary(union.coordinates):
            points = base.draw(PROBES, unit_of(base))
            common = points[np.abs(other.distance(points)) <= rounding]
            moved = step * base.normals(common)
            if np.any(union.contains(common + moved) & union.contains(common - moved)):
                return True
    return False
