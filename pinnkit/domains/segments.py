"""Line segments in the plane: the nearest one, the crossing of two, and what a closed chain goes round."""

from __future__ import annotations

import numpy as np

CHUNK = 2**20
"""Pairs of a point and a segment that are looked at together."""


def nearest_segment(points: np.ndarray, starts: np.ndarray, stops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The number (n,) of the segment nearest to each point (n, 2), and the distance (n,) to it.

    Args:
        starts, stops: the ends (k, 2) of the segments; a segment may be a point.
    """
    along = stops - starts
    squares = np.maximum(np.sum(along**2, axis=1), 1e-300)
    which, away = np.empty(len(points), dtype=int), np.empty(len(points))
    size = max(1, CHUNK // len(starts))
    for first in range(0, len(points), size):
        from_start = points[first : first + size, None] - starts
        share = np.clip(np.einsum("nkd,kd->nk", from_start, along) / squares, 0.0, 1.0)
        from_start -= share[:, :, None] * along
        distance = np.einsum("nkd,nkd->nk", from_start, from_start)
        least = distance.argmin(axis=1)
        which[first : first + size] = least
        away[first : first + size] = np.sqrt(distance[np.arange(len(least)), least])
    return which, away


def winds_around(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Mask (n,) of the points (n, 2) inside a closed chain of corners (k, 2): a ray to the right crosses it oddly."""
    x, y = corners.T
    right, up = np.roll(corners, -1, axis=0).T
    slope = np.divide(right - x, up - y, out=np.zeros_like(x), where=up != y)
    inside = np.empty(len(points), dtype=bool)
    size = max(1, CHUNK // len(corners))
    for first in range(0, len(points), size):
        part = points[first : first + size]
        height = part[:, 1:]
        crosses = (y > height) != (up > height)
        to_the_right = part[:, :1] < x + (height - y) * slope
        inside[first : first + size] = np.sum(crosses & to_the_right, axis=1) % 2 == 1
    return inside


def crossing(corners: np.ndarray, slack: float) -> tuple[int, int, tuple[float, float]] | None:
    """Two edges of a closed chain (k, 2) that have a point in common, which neighbours have not at their corner alone.

    Returns:
        their numbers, from 0, and the point; None: there are none.
    """
    count = len(corners)
    starts, stops = corners, np.roll(corners, -1, axis=0)
    for first in range(count):
        others = np.arange(first + 1, count)
        distance, place = _between(starts[first], stops[first], starts[others], stops[others])
        neighbours = (others == first + 1) | ((first == 0) & (others == count - 1))
        found = np.flatnonzero((distance <= slack) & ~neighbours)
        for neighbour in np.flatnonzero(neighbours):
            if _folds_back(corners, first, int(others[neighbour])):
                found = np.array([neighbour])
                break
        if len(found):
            return first, int(others[found[0]]), tuple(place[found[0]].tolist())
    return None


def _folds_back(corners: np.ndarray, first: int, second: int) -> bool:
    """Whether of two neighbouring edges one lies on the other."""
    count = len(corners)
    if second != first + 1:  # the last and the first
        first, second = second, first
    before, corner, after = corners[first], corners[second], corners[(second + 1) % count]
    back, on = before - corner, after - corner
    cross, along = back[0] * on[1] - back[1] * on[0], back @ on
    return bool(along > 0 and abs(cross) <= 1e-12 * along)


def _between(
    start: np.ndarray, stop: np.ndarray, starts: np.ndarray, stops: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The distance (k,) between a segment and others, and a point (k, 2) where they are nearest."""
    along, others = stop - start, stops - starts
    from_start = starts - start
    cross = along[0] * others[:, 1] - along[1] * others[:, 0]
    parallel = np.abs(cross) <= 1e-14 * np.linalg.norm(along) * np.linalg.norm(others, axis=1)
    safe = np.where(parallel, 1.0, cross)
    mine = (from_start[:, 0] * others[:, 1] - from_start[:, 1] * others[:, 0]) / safe
    theirs = (from_start[:, 0] * along[1] - from_start[:, 1] * along[0]) / safe
    meet = ~parallel & (mine >= 0) & (mine <= 1) & (theirs >= 0) & (theirs <= 1)
    ends = [(start[None], starts, stops), (stop[None], starts, stops)]
    distance, place = np.full(len(starts), np.inf), np.zeros((len(starts), 2))
    for point, one, other in ends:
        _nearer(distance, place, _to_segments(point, one, other), np.broadcast_to(point, place.shape))
    for point in (starts, stops):
        _nearer(distance, place, nearest_segment(point, start[None], stop[None])[1], point)
    _nearer(distance, place, np.where(meet, 0.0, np.inf), start + mine[:, None] * along)
    return distance, place


def _to_segments(point: np.ndarray, starts: np.ndarray, stops: np.ndarray) -> np.ndarray:
    """The distance (k,) of one point (1, 2) to each segment."""
    along = stops - starts
    share = np.sum((point - starts) * along, axis=1) / np.maximum(np.sum(along**2, axis=1), 1e-300)
    return np.linalg.norm(point - starts - np.clip(share, 0.0, 1.0)[:, None] * along, axis=1)


def _nearer(distance: np.ndarray, place: np.ndarray, found: np.ndarray, at: np.ndarray) -> None:
    """Put smaller distances, and where they are, in the place of larger ones."""
    less = found < distance
    distance[less], place[less] = found[less], at[less]
