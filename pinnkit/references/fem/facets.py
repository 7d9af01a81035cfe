"""Facets of a mesh by the conditions that hold on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pinnkit.language.calculus import symbol
from pinnkit.language.evaluate import Program
from pinnkit.problem.problem import Problem
from pinnkit.references.fem.boundary_data import BoundaryEquation
from pinnkit.references.fem.cad import spatial
from pinnkit.references.fem.words import unsupported

SLACK = 0.02
"""How far points of a curved facet may lie from its place, relative to the facet's length."""
SAMPLES, HALVINGS = 2000, 50
"""Points along a curve at which an inequality is looked at, and halvings of the interval in which it changes."""
SMOOTH = np.deg2rad(10.0)
"""Angle by which tangents of a smooth boundary may differ on the coarsest mesh."""


@dataclass(frozen=True)
class FacetGroup:
    """Facets of the boundary with the same conditions."""

    facets: np.ndarray
    equations: tuple[BoundaryEquation, ...]
    description: str


def group_facets(problem: Problem, mesh: Any, equations: Sequence[BoundaryEquation]) -> list[FacetGroup]:
    """Each facet of the boundary in one group.

    Raises:
        UnsupportedProblem: a condition holds on no facet, or depends on time by its place.
    """
    facets = mesh.boundary_facets()
    points, lengths = facet_points(mesh, facets)
    holds = np.zeros((len(facets), len(equations)), dtype=bool)
    for column, one in enumerate(equations):
        holds[:, column] = _on_places(problem, one, points, lengths)
        if not holds[:, column].any():
            raise unsupported(f"{one.words} holds on no part of the boundary of the mesh")
    groups = []
    patterns, index = np.unique(holds, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        chosen = np.flatnonzero(index.ravel() == number)
        found = tuple(one for one, on in zip(equations, pattern, strict=True) if on)
        groups.append(FacetGroup(facets[chosen], found, _description(problem, points[chosen])))
    return groups


def facet_points(mesh: Any, facets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points (facets, n, d) inside each facet, and the facets' diameters."""
    import skfem

    element = skfem.ElementTriP1() if mesh.p.shape[0] == 2 else skfem.ElementTetP1()
    basis = skfem.FacetBasis(mesh, element, facets=facets, intorder=3)
    inner = np.moveaxis(np.asarray(basis.global_coordinates()), 0, 2)
    corners = np.moveaxis(mesh.p[:, mesh.facets[:, facets]], (0, 1, 2), (2, 1, 0))
    lengths = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1)
    return inner, lengths


def _on_places(problem: Problem, one: BoundaryEquation, points: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    found = np.zeros(len(points), dtype=bool)
    flat = _with_time(problem, points.reshape(-1, points.shape[2]))
    slack = np.repeat(SLACK * lengths, points.shape[1])
    for place in one.places:
        for size in np.unique(np.round(np.log2(lengths))):  # places take one slack for all points
            of_size = np.round(np.log2(lengths)) == size
            mask = np.repeat(of_size, points.shape[1])
            inside = place.contains(flat[mask], slack[mask].min()).reshape(-1, points.shape[1])
            found[of_size] |= inside.all(axis=1)
    if one.where is not None:
        if problem.time and symbol(problem.time) in one.where.free_symbols:
            raise unsupported(f"{one.words} holds where {one.where}: the place moves in {problem.time}")
        middle = _holds(problem, one, points.reshape(-1, points.shape[2]))
        found &= middle.reshape(len(points), -1).mean(axis=1) > 0.5
    return found


def _with_time(problem: Problem, points: np.ndarray) -> np.ndarray:
    """Points (n, d) of space with the middle of the time's range, in the order of the problem's coordinates."""
    found = np.empty((len(points), len(problem.coordinates)))
    for column, name in enumerate(problem.coordinates):
        if name == problem.time:
            found[:, column] = np.mean(problem.domain.bounds[name])
        else:
            found[:, column] = points[:, problem.space.index(name)]
    return found


def _holds(problem: Problem, one: BoundaryEquation, points: np.ndarray) -> np.ndarray:
    read = {symbol(name): points[:, n] for n, name in enumerate(problem.space)}
    return np.broadcast_to(np.asarray(Program([one.where])({**problem.values, **read})[0], dtype=bool), len(points))


def _description(problem: Problem, points: np.ndarray) -> str:
    flat = points.reshape(-1, points.shape[2])
    lower, upper = flat.min(axis=0), flat.max(axis=0)
    size = max((upper - lower).max(), 1e-300)
    return ", ".join(
        f"{name} = {low:.4g}" if high - low < 1e-9 * size else f"{name} in [{low:.4g}, {high:.4g}]"
        for name, low, high in zip(problem.space, lower, upper, strict=True)
    )


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
    holds = _holds(problem, one, points(units))
    change = np.flatnonzero(holds[1:] != holds[:-1])
    lower, upper, first = units[change], units[change + 1], holds[change]
    for _ in range(HALVINGS if len(change) else 0):
        middle = (lower + upper) / 2
        same = _holds(problem, one, points(middle)) == first
        lower, upper = np.where(same, middle, lower), np.where(same, upper, middle)
    if len(change):
        ends = points(lower), points(upper)
        joined = np.linalg.norm(ends[0] - ends[1], axis=1) < 1e-9
        if joined.any():
            yield ends[1][joined]


def reentrant_corners(mesh: Any) -> np.ndarray:
    """(k, 2) vertices of a plane mesh of second order at which the boundary turns inwards."""
    import skfem

    if mesh.p.shape[0] != 2:
        return np.empty((0, mesh.p.shape[0]))
    facets = mesh.boundary_facets()
    basis = skfem.FacetBasis(mesh, skfem.ElementTriP1(), facets=facets, intorder=3)
    mapping = mesh.mapping()
    corners: dict[int, list[np.ndarray]] = {}
    ends = mapping.G(np.array([[0.0, 0.5, 1.0]]), find=facets)  # (2, facets, 3)
    inward = -np.asarray(basis.normals).mean(axis=2)
    for number, facet in enumerate(facets):
        first, middle, last = ends[:, number].T
        for vertex in mesh.facets[:, facet]:
            position = mesh.p[:, vertex]
            start, end = (
                (first, last) if np.linalg.norm(first - position) < np.linalg.norm(last - position) else (last, first)
            )
            tangent = 4 * middle - 3 * start - end
            corners.setdefault(int(vertex), []).append(np.array([tangent, inward[:, number]]))
    found = []
    for vertex, sides in corners.items():
        if len(sides) != 2:
            continue
        (first, into), (second, _) = sides
        first, second = first / np.linalg.norm(first), second / np.linalg.norm(second)
        angle = np.arccos(np.clip(first @ second, -1.0, 1.0))
        # the domain fills more than half a turn where the second tangent points away from the inward normal
        if np.pi - angle > SMOOTH and second @ into < 0:
            found.append(mesh.p[:, vertex])
    return np.array(found).reshape(-1, 2)
