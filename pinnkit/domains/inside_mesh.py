"""Points inside a closed mesh: rays against the triangles of the column that they pass through."""

from __future__ import annotations

import numpy as np

PAIRS = 500_000
"""Points times triangles that are looked at at once."""
ENTRIES = 4_000_000
"""Entries of the table of triangles by columns at most."""
COLUMNS = 256
"""Columns along each side at most."""
TURN = np.linalg.qr(np.array([[0.62, 0.31, -0.17], [-0.23, 0.71, 0.41], [0.37, -0.29, 0.83]]))[0]
"""A rotation in no special direction, so that rays along the third axis pass no edge of a regular mesh."""


class InsideMesh:
    """Tells by the parity of the crossings of a ray whether points lie inside a closed surface.

    Each edge has two sides that its two triangles see alike, since the rounding is that of its ends in one order: so no
    ray slips through between them, nor is counted twice. The result at a point does not depend on the others.

    Args:
        vertices, faces: (m, 3) and (k, 3).
    """

    def __init__(self, vertices: np.ndarray, faces: np.ndarray) -> None:
        turned = _turned(vertices)
        # Side i of a face lies across from its corner i, and runs from its lower to its higher vertex.
        one, other = faces[:, [1, 2, 0]], faces[:, [2, 0, 1]]
        start, end = turned[np.minimum(one, other)], turned[np.maximum(one, other)]
        self._sides = np.concatenate([start[..., :2], end[..., :2] - start[..., :2]], axis=2)
        self._sign = np.where(one < other, 1.0, -1.0)
        self._heights = turned[:, 2][faces]
        flat = turned[:, :2][faces]
        self._low, high = flat.reshape(-1, 2).min(axis=0), flat.reshape(-1, 2).max(axis=0)
        self._span = np.maximum(high - self._low, np.finfo(float).tiny)
        count = int(np.clip(np.sqrt(len(faces)), 1, COLUMNS))
        while True:
            first = self._cell(flat.min(axis=1), count)
            sizes = self._cell(flat.max(axis=1), count) - first + 1
            if np.prod(sizes, axis=1).sum() <= ENTRIES or count == 1:
                break
            count //= 2
        self._count = count
        entries = np.prod(sizes, axis=1)
        face = np.repeat(np.arange(len(faces)), entries)
        place = np.arange(len(face)) - np.repeat(np.cumsum(entries) - entries, entries)
        column = (first[face, 0] + place % sizes[face, 0]) * count + first[face, 1] + place // sizes[face, 0]
        order = np.argsort(column, kind="stable")
        self._table = face[order]
        self._start = np.searchsorted(column[order], np.arange(count**2 + 1))

    def _cell(self, flat: np.ndarray, count: int) -> np.ndarray:
        return np.clip(((flat - self._low) / self._span * count).astype(np.int64), 0, count - 1)

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Mask (n,) of the points (n, 3) inside."""
        points = _turned(np.asarray(points, dtype=np.float64))
        inside = np.zeros(len(points), dtype=bool)
        beyond = (points[:, :2] < self._low) | (points[:, :2] > self._low + self._span)
        within = np.flatnonzero(~beyond.any(axis=1) & np.isfinite(points).all(axis=1))
        cell = self._cell(points[within, :2], self._count)
        column = cell[:, 0] * self._count + cell[:, 1]
        start, sizes = self._start[column], self._start[column + 1] - self._start[column]
        ends = np.cumsum(sizes)
        first = 0
        while first < len(within):
            done = ends[first - 1] if first else 0
            last = max(first + 1, int(np.searchsorted(ends, done + PAIRS, side="right")))
            here = slice(first, last)
            which = np.repeat(np.arange(last - first), sizes[here])
            place = np.arange(len(which)) - np.repeat(ends[here] - sizes[here] - done, sizes[here])
            face = self._table[start[here][which] + place]
            crossed = self._crosses(points[within[here]][which], face)
            inside[within[here]] = np.bincount(which[crossed], minlength=last - first) % 2 == 1
            first = last
        return inside

    def _crosses(self, points: np.ndarray, face: np.ndarray) -> np.ndarray:
        """Whether the ray upward from each point passes the triangle of the same place."""
        x, y, along, across = np.moveaxis(self._sides[face], 2, 0)
        areas = along * (points[:, 1:2] - y) - across * (points[:, :1] - x)
        left = (areas >= 0) == (self._sign[face] > 0)
        covered = (left[:, 0] == left[:, 1]) & (left[:, 1] == left[:, 2])
        weights = areas[covered] * self._sign[face[covered]]
        with np.errstate(all="ignore"):
            height = np.sum(weights * self._heights[face[covered]], axis=1) / np.sum(weights, axis=1)
        covered[covered] = height > points[covered, 2]
        return covered


def _turned(points: np.ndarray) -> np.ndarray:
    """TURN p for each point, with sums of the same order for any number of points."""
    return np.stack([sum(row[k] * points[:, k] for k in range(3)) for row in TURN], axis=1)
