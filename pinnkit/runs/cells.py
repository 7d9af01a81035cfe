"""Cells that fill a shape: triangles in the plane, tetrahedra in space, wedges through a parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np

from pinnkit.domains.product import Product
from pinnkit.domains.shape import Shape
from pinnkit.problem.problem import Problem
from pinnkit.sampling.settings import unit_points

NEAR = 0.35
"""How near to the boundary no point of the grid is taken, in multiples of its spacing."""
SAGITTA = 0.25
"""How far the middle of an edge may lie outside a curved shape, in multiples of the spacing."""
FLAT = 1e-6
"""Cells of a smaller share of the usual size are left out."""


@dataclass(frozen=True)
class Cells:
    """Points (n, d), and the indices of each cell's corners (m, k)."""

    points: np.ndarray
    corners: np.ndarray

    def through(self, axis: np.ndarray) -> Cells:
        """Triangles as wedges through one coordinate more, between its values (k,)."""
        count = len(self.points)
        layers = [np.column_stack([self.points, np.full(count, value)]) for value in axis]
        wedges = [np.hstack([self.corners + count * n, self.corners + count * (n + 1)]) for n in range(len(axis) - 1)]
        return Cells(np.concatenate(layers), np.concatenate(wedges))

    @property
    def sizes(self) -> np.ndarray:
        """Lengths, areas or volumes (m,) of simplices."""
        edges = self.points[self.corners[:, 1:]] - self.points[self.corners[:, :1]]
        dimension = edges.shape[1]
        return np.abs(np.linalg.det(edges)) / float(np.prod(np.arange(1, dimension + 1)))


def solid_in_space(problem: Problem) -> Shape:
    """The domain without time and parameters: shapes lie in space alone."""
    domain, space = problem.domain, problem.space
    if not isinstance(domain, Product) or set(domain.coordinates) == set(space):
        return domain
    factors = tuple(factor for factor in domain.factors if set(factor.coordinates) <= set(space))
    return factors[0] if len(factors) == 1 else Product(factors, space)


def simplices(solid: Shape, axes: Mapping[str, np.ndarray]) -> Cells:
    """Simplices that fill a solid of up to three dimensions: Delaunay's of points of a grid inside and of its boundary.

    Args:
        axes: the grid's coordinates along each of the solid's.
    """
    names = solid.coordinates
    spacing = np.array([np.ptp(axes[name]) / max(1, len(axes[name]) - 1) for name in names])
    mesh = np.stack([one.ravel() for one in np.meshgrid(*(axes[name] for name in names), indexing="ij")], axis=1)
    if len(names) == 1:
        points = np.unique(np.concatenate([mesh[solid.contains(mesh)], _boundary(solid, spacing)]), axis=0)
        pairs = np.column_stack([np.arange(len(points) - 1), np.arange(1, len(points))])
        return _kept(Cells(points, pairs), solid, spacing, len(points))
    from scipy.spatial import Delaunay

    inside = mesh[solid.contains(mesh)]
    inside = inside[solid.distance(inside) > NEAR * spacing.min()]
    edge = _boundary(solid, spacing)
    points = np.concatenate([edge, inside])
    distinct = _distinct(points, spacing)
    points = points[distinct]
    return _kept(Cells(points, Delaunay(points / spacing).simplices), solid, spacing, int(distinct[: len(edge)].sum()))


def _boundary(solid: Shape, spacing: np.ndarray) -> np.ndarray:
    """Points (k, d) of the boundary, as close to each other as those of the grid; corners and ends first."""
    found = []
    for part in solid.boundary(solid.coordinates):
        count = int(np.ceil(part.measure / spacing.min() ** part.dimension)) + 1 if part.dimension else 1
        corners = np.reshape(getattr(part, "corners", ()), (-1, 1)) if part.dimension == 1 else np.empty((0, 1))
        found += [part.ends, *([part.sample(corners)] if len(corners) else [])]
        found.append(part.draw(count, partial(_even, dimension=part.dimension)))
    return np.concatenate(found) if found else np.empty((0, len(solid.coordinates)))


def _even(count: int, dimension: int) -> np.ndarray:
    if dimension == 1:
        return (np.arange(count) / count)[:, None]
    return unit_points("sobol", count, dimension, 0, "cells") if dimension else np.empty((count, 0))


def _distinct(points: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """Mask of the points that do not lie close to an earlier one."""
    from scipy.spatial import cKDTree

    close = cKDTree(points / spacing).query_pairs(NEAR, output_type="ndarray")
    keep = np.ones(len(points), dtype=bool)
    for first, second in close[np.lexsort((close[:, 1], close[:, 0]))]:
        if keep[first]:
            keep[second] = False
    return keep


def _kept(cells: Cells, solid: Shape, spacing: np.ndarray, edge: int) -> Cells:
    """The cells whose centre lies in the solid, and whose edges leave it no further than a chord does.

    edge: how many points, the first ones, lie on the boundary: cells without one of them lie inside.
    """
    sizes = cells.sizes
    keep = sizes > FLAT * np.median(sizes)
    near = np.flatnonzero(keep & (cells.corners < edge).any(axis=1))
    corners = cells.points[cells.corners[near]]
    fits = solid.contains(corners.mean(axis=1), 1e-9 * spacing)
    for first, second in combinations(range(corners.shape[1]), 2):
        fits &= solid.contains((corners[:, first] + corners[:, second]) / 2, SAGITTA * spacing)
    keep[near] = fits
    used, places = np.unique(cells.corners[keep], return_inverse=True)
    return Cells(cells.points[used], places.reshape(-1, cells.corners.shape[1]))


def named(cells: Cells, names: Sequence[str]) -> dict[str, np.ndarray]:
    """The columns of the points by their names."""
    return {name: cells.points[:, number] for number, name in enumerate(names)}
