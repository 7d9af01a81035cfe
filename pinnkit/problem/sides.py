"""Points of a condition by the regions that touch them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from pinnkit.domains.shape import Shape

STEP = 1e-6
"""How far beside a point of a surface its regions are looked for, relative to the least range of a coordinate along
which it has normals."""
SLACK = 1e-9
"""How far outside a region a point without a normal may lie, relative to these ranges."""


def touching(regions: Collection[Shape], place: Shape, points: np.ndarray, ranges: np.ndarray) -> np.ndarray:
    """Mask (n,) of the points (n, d) of a place that all of these regions touch.

    On a surface with the normal n a region touches the point p where p + eps n or p - eps n lies in it; elsewhere it
    does where it contains the point.

    Args:
        ranges: lengths (d,) of the ranges of the coordinates.
    """
    mask = np.ones(len(points), dtype=bool)
    normals = place.normals(points)
    if normals is None:
        return np.logical_and.reduce([mask, *(one.contains(points, SLACK * ranges) for one in regions)])
    step = STEP * ranges[np.any(normals != 0, axis=0)].min() * normals
    return np.logical_and.reduce(
        [mask, *(one.contains(points - step) | one.contains(points + step) for one in regions)]
    )


def in_region(region: Shape, columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Mask (n,) of the rows of a table of points (column of each coordinate) that lie in a region."""
    points = np.stack([columns[name] for name in region.coordinates], axis=1)
    return region.contains(points, SLACK * (region.upper - region.lower))
