"""Curves and surfaces of segments and triangles: their measure, and points that are uniform by it."""

from __future__ import annotations

import itertools

import numpy as np

EIGHT = 8
"""Parts of a chain of segments on which functions are integrated by a rule of their own."""


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
        turns: (k,), of segments that stand for arcs, the angle by which each of these turns.
    """

    def __init__(
        self, vertices: np.ndarray, measures: np.ndarray | None = None, turns: np.ndarray | None = None
    ) -> None:
        self.vertices, self.turns = vertices, turns
        self.measures = simplex_measures(vertices) if measures is None else measures
        self._ends = np.cumsum(self.measures)

    @property
    def measure(self) -> float:
        """The sum of all measures."""
        return float(self._ends[-1]) if len(self._ends) else 0.0

    @property
    def breaks(self) -> np.ndarray:
        """Of segments: the first unit coordinates (m,) where chains end, and those that cut each in EIGHT."""
        apart = np.any(self.vertices[:-1, 1] != self.vertices[1:, 0], axis=1)
        chains = np.concatenate([[0], np.flatnonzero(apart) + 1, [len(self.vertices)]])
        cuts = [np.linspace(first, last, EIGHT + 1).round() for first, last in itertools.pairwise(chains)]
        inner = np.unique(np.concatenate(cuts).astype(np.int64))[1:-1]
        return self._ends[inner - 1] / self.measure

    def sample(self, unit: np.ndarray) -> np.ndarray:
        """Points (n, d), uniform by measure, of unit points (n, d - 1).

        The first column chooses the simplex and the place along it; the second one the place across a triangle.
        """
        along, index = np.clip(unit[:, 0], 0.0, 1.0) * self.measure, self.index(unit)
        share = np.clip((along - (self._ends - self.measures)[index]) / self.measures[index], 0.0, 1.0)
        corners = self.vertices[index]
        if self.vertices.shape[1] == 2:
            if self.turns is not None:  # where the radii of even points of the arc pass the chord
                half = np.maximum(self.turns[index] / 2, 1e-9)
                share = (1 + np.tan((2 * share - 1) * half) / np.tan(half)) / 2
            weights = np.stack([1 - share, share], axis=1)
        else:
            root = np.sqrt(share)
            weights = np.stack([1 - root, root * (1 - unit[:, 1]), root * unit[:, 1]], axis=1)
        return np.sum(weights[:, :, None] * corners, axis=1)

    def index(self, unit: np.ndarray) -> np.ndarray:
        """The simplex (n,) in which `sample` puts each unit point; never one without a measure."""
        along = np.clip(unit[:, 0], 0.0, 1.0) * self.measure
        return np.minimum(np.searchsorted(self._ends, along, side="right"), np.flatnonzero(self.measures > 0)[-1])
