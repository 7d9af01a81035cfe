"""The zero set of values on a grid: segments in the plane, triangles in space, and the volume where they are negative.

Values between the nodes are linear on the triangles, or tetrahedra, that each cell is divided into (Kuhn, 1960): so the
zero set has no gaps, and that of a linear function is exact. (Marching tetrahedra: Doi, Koide 1991.)
"""

from __future__ import annotations

from itertools import permutations

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
    corners, found = _cut_simplices(axes, values)
    triangles = _triangles(corners, found)
    return triangles[morton_order(triangles.mean(axis=1))] if len(triangles) else triangles


def negative_volume(axes: list[np.ndarray], values: np.ndarray) -> float:
    """The area or volume where the values are negative."""
    cell = float(np.prod([axis[1] - axis[0] for axis in axes]))
    negative = values < 0
    count = sum(negative[_shifted(shift, values.shape)].astype(np.int8) for shift in _corners(len(axes)))
    whole = int(np.sum(count == 2 ** len(axes)))
    _, found = _cut_simplices(axes, values)
    return cell * (whole + float(_negative_share(found).sum()) / len(list(permutations(axes))))


def _contours(axes: list[np.ndarray], values: np.ndarray) -> np.ndarray:
    from contourpy import contour_generator  # it comes with matplotlib

    # Above is what is greater than the level: zero counts as positive.
    lines = contour_generator(axes[0], axes[1], -values.T, name="serial").lines(0.0)
    pieces = [np.stack([line[:-1], line[1:]], axis=1) for line in lines]
    segments = np.concatenate(pieces) if pieces else np.empty((0, 2, 2))
    return segments[np.linalg.norm(segments[:, 1] - segments[:, 0], axis=1) > 0]


def _corners(dimension: int) -> list[tuple[int, ...]]:
    return [tuple((number >> axis) & 1 for axis in range(dimension)) for number in range(2**dimension)]


def _shifted(shift: tuple[int, ...], shape: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(one, size - 1 + one) for one, size in zip(shift, shape, strict=True))


def _cut_simplices(axes: list[np.ndarray], values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners (k, d + 1, d) and values (k, d + 1) of the simplices of the cells that the zero set passes through.

    Those of a cell follow each other from its lower to its upper corner along the edges, in each order of the axes.
    """
    dimension = len(axes)
    negative = values < 0
    count = sum(negative[_shifted(shift, values.shape)].astype(np.int8) for shift in _corners(dimension))
    cells = np.argwhere((count > 0) & (count < 2**dimension))
    nodes = []
    for order in permutations(range(dimension)):
        path = np.zeros((dimension + 1, dimension), dtype=int)
        for step, axis in enumerate(order):
            path[step + 1 :, axis] += 1
        nodes.append(cells[:, None, :] + path)
    nodes = np.concatenate(nodes)
    corners = np.stack([axis[nodes[..., place]] for place, axis in enumerate(axes)], axis=-1)
    return corners, values[tuple(np.moveaxis(nodes, -1, 0))]


def _negative_share(values: np.ndarray) -> np.ndarray:
    """The share (k,) of each simplex where the linear function with these values (k, d + 1) at the corners is < 0."""
    values = np.sort(values, axis=1)
    count, dimension = (values < 0).sum(axis=1), values.shape[1] - 1
    share = (count == dimension + 1).astype(float)
    first, last = count == 1, count == dimension
    one = values[first]
    share[first] = np.prod(one[:, :1] / (one[:, :1] - one[:, 1:]), axis=1)
    one = values[last]
    share[last] = 1 - np.prod(one[:, -1:] / (one[:, -1:] - one[:, :-1]), axis=1)
    middle = (count == 2) & (dimension == 3)
    a, b, c, d = values[middle].T if dimension == 3 else np.empty((4, 0))
    share[middle] = (a**2 * b**2 - (c + d) * a * b * (a + b) + c * d * (a**2 + a * b + b**2)) / (
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
