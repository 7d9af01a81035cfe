"""Curves and surfaces of segments and triangles: their measure, and points that are uniform by it."""

from __future__ import annotations

import numpy as np


def simplex_measures(vertices: np.ndarray) -> np.ndarray:
    """Lengths (k,) of segments, vertices: (k, 2, 2), or areas of triangles, vertices: (k, 3, 3)."""
    if vertices.shape[1] == 2:
        return np.linalg.norm(vertices[:, 1] - vertices[:, 0], axis=1)
    normals = np.cross(vertices[:, 1] - vertices[:, 0], vertices[:, 2] - vertices[:, 0])
    return np.linalg.norm(normals, axis=1) / 2


class Simplices:
    """k segments in the plane or triangles in space, in an order in which neighbours follow each other.

    Args:
        vertices: (k, d, d), d = 2 or 3.
        measures: (k,), what each counts; by default its length or area.
    """

    def __init__(self, vertices: np.ndarray, measures: np.ndarray | None = None) -> None:
        self.vertices = vertices
        self.measures = simplex_measures(vertices) if measures is None else measures
        self._ends = np.cumsum(self.measures)

    @property
    def measure(self) -> float:
        """The sum of all measures."""
        return float(self._ends[-1]) if len(self._ends) else 0.0

    def sample(self, unit: np.ndarray) -> np.ndarray:
        """Points (n, d), uniform by measure, of unit points (n, d - 1).

        The first column chooses the simplex and the place along it; the second one the place across a triangle.
        """
        along = np.clip(unit[:, 0], 0.0, 1.0) * self.measure
        index = np.minimum(np.searchsorted(self._ends, along, side="right"), self._last)
        share = np.clip((along - (self._ends - self.measures)[index]) / self.measures[index], 0.0, 1.0)
        corners = self.vertices[index]
        if self.vertices.shape[1] == 2:
            weights = np.stack([1 - share, share], axis=1)
        else:
            root = np.sqrt(share)
            weights = np.stack([1 - root, root * (1 - unit[:, 1]), root * unit[:, 1]], axis=1)
        return np.sum(weights[:, :, None] * corners, axis=1)

    @property
    def _last(self) -> int:
        """The last simplex that has a measure."""
        return int(np.flatnonzero(self.measures > 0)[-1])
