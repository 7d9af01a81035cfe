"""The nearest points of a mesh."""

from __future__ import annotations

import numpy as np

PIECES = 60_000
"""Pieces at most, beside four for each triangle, by which triangles are found."""
SHARE = 0.03
"""The size of a piece, relative to the mesh, where this gives no more of them."""
NEIGHBOURS = (4, 16, 64)
"""How many pieces are looked at, one number after the other, until no other can be nearer."""
FAR = 3.0
"""How many sizes of a piece away the second number is enough."""
PAIRS = 400_000
"""Points times pieces that are looked at at once."""


class NearestOnMesh:
    """Nearest points by a k-d tree of the middles of pieces into which large triangles are divided.

    Near the mesh the nearest point is exact. Farther from it than some sizes of a piece, one that is nearer by less
    than the size of a piece may be missed.

    Args:
        corners: (k, 3, 3), of the triangles.
    """

    def __init__(self, corners: np.ndarray) -> None:
        from scipy.spatial import cKDTree  # slow to import, and few problems need it

        self.corners = corners
        middles = corners.mean(axis=1)
        radii = np.linalg.norm(corners - middles[:, None], axis=2).max(axis=1)
        size = np.ptp(corners.reshape(-1, 3), axis=0).max()
        limit = max(SHARE * size, np.finfo(float).tiny)
        while np.sum(np.ceil(radii / limit) ** 2) > PIECES + 4 * len(corners):
            limit *= 2
        divisions = np.maximum(np.ceil(radii / limit), 1).astype(np.int64)
        places, faces = [], []
        for count in np.unique(divisions):
            here = np.flatnonzero(divisions == count)
            weights = _middle_weights(int(count))
            places.append(np.einsum("pc,fcd->fpd", weights, corners[here]).reshape(-1, 3))
            faces.append(np.repeat(here, len(weights)))
        self._faces = np.concatenate(faces)
        self._radius = float((radii / divisions).max())
        self._tree = cKDTree(np.concatenate(places))

    def __call__(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The nearest point (n, 3) to each of the points, and its triangle (n,)."""
        points = np.asarray(points, dtype=np.float64)
        nearest, faces = np.empty(points.shape), np.empty(len(points), dtype=np.int64)
        left = np.arange(len(points))
        least = np.full(len(points), np.inf)
        for number, count in enumerate(NEIGHBOURS):
            count = min(count, len(self._faces))
            unsure = []
            for start in range(0, len(left), PAIRS // count):
                here = left[start : start + PAIRS // count]
                distances, pieces = self._tree.query(points[here], list(range(1, count + 1)))
                rows, columns = np.nonzero(distances - self._radius < least[here, None])
                found = self._faces[pieces[rows, columns]]
                close = closest_on_triangles(points[here[rows]], self.corners[found])
                away = np.linalg.norm(points[here[rows]] - close, axis=1)
                order = np.lexsort((away, rows))
                first = order[np.unique(rows[order], return_index=True)[1]]  # the nearest of each point
                first = first[away[first] < least[here[rows[first]]]]
                to = here[rows[first]]
                nearest[to], faces[to], least[to] = close[first], found[first], away[first]
                sure = least[here] + self._radius <= distances[:, -1]
                if number:
                    sure |= least[here] > FAR * self._radius
                unsure.append(here[~sure])
            left = np.concatenate(unsure) if unsure and count < len(self._faces) else left[:0]
        return nearest, faces

    def beyond(self, points: np.ndarray, reach: float) -> np.ndarray:
        """Mask (n,) of points that are certainly farther than `reach` from the mesh."""
        return np.isinf(self._tree.query(points, distance_upper_bound=(reach + self._radius) * (1 + 1e-9))[0])


def _middle_weights(count: int) -> np.ndarray:
    """Barycentric coordinates (count^2, 3) of the middles of the equal triangles into which one is divided."""
    found = []
    for i in range(count):
        for j in range(count - i):
            found.append((3 * i + 1, 3 * j + 1))
            if i + j < count - 1:
                found.append((3 * i + 2, 3 * j + 2))
    first = np.array(found) / (3 * count)
    return np.column_stack([first, 1 - first.sum(axis=1)])


def closest_on_triangles(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """The point (..., 3) of each triangle, corners: (..., 3, 3), that is closest to the point (..., 3) of its place."""
    a, b, c = np.moveaxis(corners, -2, 0)
    normal = np.cross(b - a, c - a)
    square = _dot(normal, normal)
    with np.errstate(all="ignore"):
        in_plane = points - (_dot(points - a, normal) / square)[..., None] * normal
        inside = np.ones(square.shape, dtype=bool)
        for one, other in ((a, b), (b, c), (c, a)):
            inside &= _dot(np.cross(other - one, in_plane - one), normal) >= 0
    best, least = in_plane, np.where(inside & (square > 0), -1.0, np.inf)
    for one, other in ((a, b), (b, c), (c, a)):
        edge = other - one
        length = np.maximum(_dot(edge, edge), np.finfo(float).tiny)
        share = np.clip(_dot(points - one, edge) / length, 0.0, 1.0)
        foot = one + share[..., None] * edge
        away = _dot(points - foot, points - foot)
        nearer = away < least
        best, least = np.where(nearer[..., None], foot, best), np.where(nearer, away, least)
    return best


def _dot(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return one[..., 0] * other[..., 0] + one[..., 1] * other[..., 1] + one[..., 2] * other[..., 2]
