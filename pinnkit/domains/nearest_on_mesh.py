"""The nearest points of a mesh."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

PIECES = 60_000
"""Pieces at most, beside four for each triangle, by which triangles are found."""
SHARE = 0.03
"""The size of a piece, relative to the mesh, down to which triangles are divided."""
CLASSES = 8
"""Classes of pieces by size, each with pieces half as large as the one before."""
NEIGHBOURS = (4, 16, 64)
"""How many pieces are looked at, one number after the other, until no other can be nearer."""
FAR = 3.0
"""How many sizes of a piece away the second number is enough."""
PAIRS = 400_000
"""Points times pieces that are looked at at once."""


class NearestOnMesh:
    """Nearest points by k-d trees of the middles of pieces into which large triangles are divided.

    Near the mesh the nearest point is exact. Farther from it than some sizes of a piece, one that is nearer by less
    than the size of a piece may be missed.

    Args:
        corners: (k, 3, 3), of the triangles.
    """

    def __init__(self, corners: np.ndarray) -> None:
        from scipy.spatial import cKDTree  # slow to import, and few problems need it

        self.corners = corners
        pieces, faces = _divided(corners, SHARE * float(np.ptp(corners.reshape(-1, 3), axis=0).max()))
        middles = pieces.mean(axis=1)
        radii = np.linalg.norm(pieces - middles[:, None], axis=2).max(axis=1)
        size = np.log2(radii.max() / np.maximum(radii, np.finfo(float).tiny)).clip(0, CLASSES - 1).astype(int)
        self._classes = [
            (float(radii[size == one].max()), cKDTree(middles[size == one]), faces[size == one])
            for one in np.unique(size)[::-1]
        ]

    def __call__(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The nearest point (n, 3) to each of the points, and its triangle (n,)."""
        points = np.asarray(points, dtype=np.float64)
        found = np.empty(points.shape), np.zeros(len(points), dtype=np.int64), np.full(len(points), np.inf)
        for radius, tree, faces in self._classes:
            left = np.arange(len(points))
            for number, count in enumerate(NEIGHBOURS):
                count = min(count, len(faces))
                unsure = [left[:0]]
                for start in range(0, len(left), PAIRS // count):
                    here = left[start : start + PAIRS // count]
                    distances, pieces = cast(Any, tree.query(points[here], list(range(1, count + 1))))
                    rows, columns = np.nonzero(distances - radius < found[2][here, None])
                    self._improve(points, here[rows], faces[pieces[rows, columns]], found)
                    sure = found[2][here] + radius <= distances[:, -1]
                    if number:
                        sure |= found[2][here] > FAR * radius
                    unsure.append(here[~sure])
                left = np.concatenate(unsure) if count < len(faces) else left[:0]
            for start in range(0, len(left), 1000):  # among very many pieces
                here = left[start : start + 1000]
                near = tree.query_ball_point(points[here], found[2][here] + radius, return_sorted=True)
                rows = np.repeat(here, [len(one) for one in near])
                self._improve(points, rows, faces[np.concatenate(near).astype(np.int64)], found)
        return found[0], found[1]

    def _improve(
        self, points: np.ndarray, rows: np.ndarray, faces: np.ndarray, found: tuple[np.ndarray, np.ndarray, np.ndarray]
    ) -> None:
        """Put the nearest of these triangles, each for the point of its row, in the place of what was found if it is
        nearer: points, triangles and distances."""
        for start in range(0, len(rows), 2 * PAIRS):
            of, face = rows[start : start + 2 * PAIRS], faces[start : start + 2 * PAIRS]
            close = closest_on_triangles(points[of], self.corners[face])
            away = np.linalg.norm(points[of] - close, axis=1)
            order = np.lexsort((face, away, of))
            first = order[np.unique(of[order], return_index=True)[1]]
            first = first[away[first] < found[2][of[first]]]
            for kept, new in zip(found, (close, face, away), strict=True):
                kept[of[first]] = new[first]

    def beyond(self, points: np.ndarray, reach: float) -> np.ndarray:
        """Mask (n,) of points that are certainly farther than `reach` from the mesh."""
        far = np.ones(len(points), dtype=bool)
        for radius, tree, _ in self._classes:
            bound = (reach + radius) * (1 + 1e-9)
            far[far] = np.isinf(tree.query(points[far], distance_upper_bound=bound)[0])
        return far


def _divided(corners: np.ndarray, limit: float) -> tuple[np.ndarray, np.ndarray]:
    """Pieces (p, 3, 3) of the triangles, and the triangle (p,) of each: halved across the longest side while it is
    longer than the limit, and while there are not too many."""
    pieces, faces = corners, np.arange(len(corners))
    while True:
        sides = np.linalg.norm(pieces - np.roll(pieces, -1, axis=1), axis=2)
        large = sides.max(axis=1) > limit
        if not large.any() or len(pieces) + large.sum() > PIECES + 4 * len(corners):
            return pieces, faces
        longest = sides[large].argmax(axis=1)
        turned = np.take_along_axis(pieces[large], ((longest[:, None] + np.arange(3)) % 3)[:, :, None], axis=1)
        a, b, c = np.moveaxis(turned, 1, 0)
        halves = [np.stack([a, (a + b) / 2, c], axis=1), np.stack([(a + b) / 2, b, c], axis=1)]
        pieces = np.concatenate([pieces[~large], *halves])
        faces = np.concatenate([faces[~large], faces[large], faces[large]])


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
