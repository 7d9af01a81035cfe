"""The zero set of values on a grid: segments in the plane, triangles in space, and the volume where they are negative.

In the plane by marching squares (contourpy). In space values between the nodes are linear on the tetrahedra that each
cell is divided into (Kuhn, 1960; marching tetrahedra: Doi, Koide 1991). The zero set of a linear function is exact.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from pinnkit.domains.morton import morton_order

_EDGES = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
"""Pairs of the corners of a tetrahedron."""


def zero_set(axes: list[np.ndarray], values: np.ndarray) -> np.ndarray:
    """Segments (k, 2, 2) or triangles (k, 3, 3) of the zero set, neighbours one after the other.

    Args:
        axes: the nodes of the grid along each coordinate, d = 2 or 3 of them.
        values: at the nodes, of the grid's shape; zero counts as positive.
    """
    if len(axes) == 2:
        return _contours(axes, values)
    corners, found = _cut_tetrahedra(axes, values)
    triangles = _triangles(corners, found)
    return triangles[morton_order(triangles.mean(axis=1))] if len(triangles) else triangles


def negative_volume(axes: list[np.ndarray], values: np.ndarray) -> float:
    """The area or volume where the values are negative: that inside `zero_set`, and the ends of the grid."""
    if len(axes) == 2:
        rings, starts = _generator(axes, values).filled(0.0, float(-values.min()) + 1.0)
        pairs = [
            (ring[first:last, 0], ring[first:last, 1])
            for ring, ends in zip(rings, starts, strict=True)
            for first, last in itertools.pairwise(ends)
        ]
        return float(sum(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]) for x, y in pairs) / 2)  # holes run the other way
    whole = int(np.sum(_negative_corners(values) == 8))
    _, found = _cut_tetrahedra(axes, values)
    return float(np.prod([axis[1] - axis[0] for axis in axes])) * (whole + float(_negative_share(found).sum()) / 6)


def _contours(axes: list[np.ndarray], values: np.ndarray) -> np.ndarray:
    lines = _generator(axes, values).lines(0.0)
    pieces = [np.stack([line[:-1], line[1:]], axis=1) for line in lines]
    segments = np.concatenate(pieces) if pieces else np.empty((0, 2, 2))
    return segments[np.linalg.norm(segments[:, 1] - segments[:, 0], axis=1) > 0]


def _generator(axes: list[np.ndarray], values: np.ndarray) -> Any:
    """Contours of minus the values: above is what is greater than the level, so that zero counts as positive."""
    from contourpy import contour_generator  # it comes with matplotlib

    return contour_generator(axes[0], axes[1], -values.T, name="serial", fill_type="OuterOffset")


def _negative_corners(values: np.ndarray) -> np.ndarray:
    """The number of the corners of each cell where the values are negative."""
    count = np.zeros(np.array(values.shape) - 1, dtype=np.int8)
    for shift in itertools.product((slice(None, -1), slice(1, None)), repeat=values.ndim):
        count += values[shift] < 0
    return count


def _cut_tetrahedra(axes: list[np.ndarray], values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners (k, 4, 3) and values (k, 4) of the tetrahedra of the cells that the zero set passes through.

    The corners follow each other from the lower to the upper one of the cell along its edges, in each order of axes.
    """
    count = _negative_corners(values)
    cells = np.argwhere((count > 0) & (count < 8))
    nodes = []
    for order in itertools.permutations(range(3)):
        path = np.zeros((4, 3), dtype=int)
        for step, axis in enumerate(order):
            path[step + 1 :, axis] += 1
        nodes.append(cells[:, None, :] + path)
    joined = np.concatenate(nodes)
    corners = np.stack([axis[joined[..., place]] for place, axis in enumerate(axes)], axis=-1)
    return corners, values[tuple(np.moveaxis(joined, -1, 0))]


def _negative_share(values: np.ndarray) -> np.ndarray:
    """The share (k,) of each tetrahedron where the linear function with these values (k, 4) at the corners is < 0."""
    values = np.sort(values, axis=1)
    count = (values < 0).sum(axis=1)
    share = (count == 4).astype(float)
    one = values[count == 1]
    share[count == 1] = np.prod(one[:, :1] / (one[:, :1] - one[:, 1:]), axis=1)
    one = values[count == 3]
    share[count == 3] = 1 - np.prod(one[:, 3:] / (one[:, 3:] - one[:, :3]), axis=1)
    a, b, c, d = values[count == 2].T
    share[count == 2] = (a**2 * b**2 - (c + d) * a * b * (a + b) + c * d * (a**2 + a * b + b**2)) / (
        (a - c) * (a - d) * (b - c) * (b - d)
    )
    return share


def _triangles(corners: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The zero set (k, 3, 3) in each tetrahedron: a triangle, or a quadrilateral as two."""
    negative = values < 0
    found = []
    for pattern in range(1, 15):
        signs = np.array([bool(pattern >> place & 1) for place in range(4)])
        here = (negative == signs).all(axis=1)
        crossed = [(i, j) for i, j in _EDGES if signs[i] != signs[j]]
        points = [_crossing(corners[here], values[here], i, j) for i, j in crossed]
        if len(points) == 3:
            found.append(np.stack(points, axis=1))
        else:  # the edges in their order make the quadrilateral 0, 1, 3, 2
            found += [np.stack([points[k] for k in three], axis=1) for three in ((0, 1, 3), (0, 3, 2))]
    triangles = np.concatenate(found)
    sides = triangles - np.roll(triangles, 1, axis=1)
    return triangles[(np.linalg.norm(sides, axis=2) > 0).all(axis=1)]


def _crossing(corners: np.ndarray, values: np.ndarray, i: int, j: int) -> np.ndarray:
    share = (values[:, i] / (values[:, i] - values[:, j]))[:, None]
    return (1 - share) * corners[:, i] + share * corners[:, j]
