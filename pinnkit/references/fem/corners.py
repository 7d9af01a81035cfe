"""Points at which solutions lose their smoothness: corners, ends of interfaces, and where conditions change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pinnkit.problem.problem import Problem
from pinnkit.references.fem.boundary_data import BoundaryEquation
from pinnkit.references.fem.cad import spatial
from pinnkit.references.fem.facets import facet_normals, holds_at

SAMPLES, HALVINGS = 2000, 50
"""Points along a curve at which an inequality is looked at, and halvings of the interval in which it changes."""
SMOOTH = np.deg2rad(10.0)
"""Angle by which tangents of a smooth curve may differ on the coarsest mesh."""


def switch_points(problem: Problem, equations: Sequence[BoundaryEquation]) -> np.ndarray:
    """(k, 2) points of the boundary of a plane domain at which an inequality of a condition starts or ends to hold."""
    found = [np.empty((0, len(problem.space)))]
    if len(problem.space) == 2:
        for one in equations:
            for place in one.places if one.where is not None else ():
                found += _switches(problem, one, place)
    points = np.concatenate(found)
    kept: list[np.ndarray] = []
    for point in points:
        if all(np.linalg.norm(point - other) > 1e-9 * (1 + np.abs(point).max()) for other in kept):
            kept.append(point)
    return np.array(kept).reshape(-1, len(problem.space))


def _switches(problem: Problem, one: BoundaryEquation, place: Any) -> Iterator[np.ndarray]:
    curve = spatial(place, problem.space)

    def points(unit: np.ndarray) -> np.ndarray:
        return curve.sample(unit[:, None])

    units = np.linspace(0.0, 1.0, SAMPLES)
    holds = holds_at(problem, one, points(units))
    change = np.flatnonzero(holds[1:] != holds[:-1])
    lower, upper, first = units[change], units[change + 1], holds[change]
    for _ in range(HALVINGS if len(change) else 0):
        middle = (lower + upper) / 2
        same = holds_at(problem, one, points(middle)) == first
        lower, upper = np.where(same, middle, lower), np.where(same, upper, middle)
    if len(change):
        ends = points(lower), points(upper)
        joined = np.linalg.norm(ends[0] - ends[1], axis=1) < 1e-9
        if joined.any():
            yield ends[1][joined]


def boundary_corners(mesh: Any, inward_only: bool) -> np.ndarray:
    """(k, 2) vertices of a plane mesh of second order at which the boundary turns, or turns inwards."""
    facets = mesh.boundary_facets()
    inward = -facet_normals(mesh, facets, np.zeros(len(facets), dtype=np.int32)).mean(axis=1)
    found = []
    for vertex, sides in _sides(mesh, facets).items():
        if len(sides) == 2:
            (_, first), (other, second) = sides
            # the domain fills more than half a turn where a side points away from the inward normal of the other
            wanted = not inward_only or first @ inward[other] < 0
            if wanted and _angle(first, second) < np.pi - SMOOTH:
                found.append(mesh.p[:, vertex])
    return np.array(found).reshape(-1, 2)


def interface_corners(mesh: Any, patterns: np.ndarray) -> np.ndarray:
    """(k, 2) vertices of a plane mesh at which a curve between elements of two patterns ends, turns or branches."""
    first, second = mesh.f2t
    facets = np.flatnonzero((second >= 0) & (patterns[first] != patterns[second])).astype(np.int32)
    found = []
    for vertex, sides in _sides(mesh, facets).items() if len(facets) else ():
        if len(sides) != 2 or _angle(sides[0][1], sides[1][1]) < np.pi - SMOOTH:
            found.append(mesh.p[:, vertex])
    return np.array(found).reshape(-1, 2)


def _sides(mesh: Any, facets: np.ndarray) -> dict[int, list[tuple[int, np.ndarray]]]:
    """Vertex -> the facets (their places in the list) that end there, each with its unit tangent away from it."""
    sides: dict[int, list[tuple[int, np.ndarray]]] = {}
    ends = mesh.mapping().G(np.array([[0.0, 0.5, 1.0]]), find=facets)  # (2, facets, 3)
    for number, facet in enumerate(facets):
        start, middle, end = ends[:, number].T
        for vertex in mesh.facets[:, facet]:
            position = mesh.p[:, vertex]
            near, far = (
                (start, end) if np.linalg.norm(start - position) < np.linalg.norm(end - position) else (end, start)
            )
            tangent = 4 * middle - 3 * near - far
            sides.setdefault(int(vertex), []).append((number, tangent / np.linalg.norm(tangent)))
    return sides


def _angle(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.arccos(np.clip(first @ second, -1.0, 1.0)))
