"""Facets of a mesh by the conditions that hold on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from pinnkit.language.calculus import symbol
from pinnkit.language.evaluate import Program
from pinnkit.problem.problem import Problem
from pinnkit.references.fem.boundary_data import BoundaryEquation
from pinnkit.references.fem.mesh import mapping
from pinnkit.references.fem.second_order import Pattern, SecondOrderSystem
from pinnkit.references.fem.unsupported import unsupported

SLACK = 0.02
"""How far points of a curved facet may lie from its place, relative to the facet's length."""


@dataclass(frozen=True)
class FacetGroup:
    """Facets with the same conditions, on the boundary or between two regions.

    Attributes:
        sides: (n,) which of a facet's two elements is the inner one, out of which the normals point.
        inner, outer: the regions on both sides; outer is None on the boundary.
    """

    facets: np.ndarray
    sides: np.ndarray
    equations: tuple[BoundaryEquation, ...]
    description: str
    inner: frozenset[str]
    outer: frozenset[str] | None

    def part(self, mask: np.ndarray) -> FacetGroup:
        """The group of some of the facets."""
        return replace(self, facets=self.facets[mask], sides=self.sides[mask])


def element_patterns(problem: Problem, system: SecondOrderSystem, mesh: Any) -> np.ndarray:
    """(elements,) the number of each element's pattern, in the order of `system.patterns`.

    Raises:
        UnsupportedProblem: an element lies where nothing is known to live.
    """
    middle = np.full((len(problem.space), 1), 1 / (len(problem.space) + 1))
    points = _with_time(problem, mapping(mesh).F(middle)[:, :, 0].T)  # of the curved elements: corners may lie on a rim
    inside = {name: problem.regions[name].contains(points) for name in system.regions}
    found = np.full(len(points), -1)
    for number, pattern in enumerate(system.patterns):
        mask = np.ones(len(points), dtype=bool)
        for name in system.regions:
            mask &= inside[name] == (name in pattern)
        found[mask] = number
    if (found < 0).any():
        row = int(np.argmin(found))
        held = " and ".join(name for name in system.regions if inside[name][row]) or "no region"
        raise unsupported(f"a part of the domain, in {held}, is too small for its mesh")
    return found


def group_facets(
    problem: Problem, system: SecondOrderSystem, mesh: Any, equations: Sequence[BoundaryEquation]
) -> list[FacetGroup]:
    """Each facet of the boundary, and each between two patterns, in one group.

    Raises:
        UnsupportedProblem: a condition holds on no facet, or depends on time by its place.
    """
    element = element_patterns(problem, system, mesh)
    first, second = mesh.f2t
    between = (second >= 0) & (element[first] != element[second])
    facets = np.concatenate([mesh.boundary_facets(), np.flatnonzero(between)]).astype(np.int32)
    sides = np.zeros(len(facets), dtype=np.int32)
    one, other = element[first[facets]], np.where(second[facets] >= 0, element[second[facets]], -1)
    sides[(other >= 0) & (other < one)] = 1  # the inner side is that of the lower number
    inner, outer = np.where(sides == 1, other, one), np.where(sides == 1, one, other)
    points, lengths = facet_points(mesh, facets)
    normals = facet_normals(mesh, facets, sides)
    states = np.zeros((len(facets), len(equations)), dtype=int)  # 1 where one holds, -1 with the normal turned round
    for column, each in enumerate(equations):
        states[:, column] = _on_places(problem, each, points, lengths, normals)
        for side in each.sides:
            touches = [number for number, pattern in enumerate(system.patterns) if side in pattern]
            states[~(np.isin(inner, touches) | np.isin(outer, touches)), column] = 0
        if not states[:, column].any():
            raise unsupported(f"{each.words} holds on no part of the boundary of the mesh")
    groups = []
    keys, index = np.unique(np.column_stack([states, inner, outer]), axis=0, return_inverse=True)
    patterns = list(system.patterns)
    for number, (*pattern, within, beyond) in enumerate(keys):
        chosen = np.flatnonzero(index.ravel() == number)
        found = tuple(
            each if state == 1 else each.turned(problem.space)
            for each, state in zip(equations, pattern, strict=True)
            if state
        )
        if (
            beyond >= 0
            and not found
            and patterns_agree(system.patterns[patterns[within]], system.patterns[patterns[beyond]])
        ):
            continue
        groups.append(
            FacetGroup(
                facets=facets[chosen],
                sides=sides[chosen],
                equations=found,
                description=_description(problem, points[chosen]),
                inner=patterns[within],
                outer=patterns[beyond] if beyond >= 0 else None,
            )
        )
    return groups


def patterns_agree(one: Pattern, other: Pattern) -> bool:
    """Whether two patterns have the same fields, with the same principal parts: nothing happens between them."""
    principal = [{each.field: dict(each.second) for each in pattern.equations} for pattern in (one, other)]
    return one.fields == other.fields and principal[0] == principal[1]


def facet_normals(mesh: Any, facets: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """(facets, n, d) normals at the points of `facet_points`, out of the elements on these sides."""
    basis = facet_basis(mesh, _linear_element(mesh), facets, sides, order=3)
    return np.moveaxis(np.asarray(basis.normals), 0, 2)


def facet_basis(mesh: Any, element: Any, facets: np.ndarray, sides: np.ndarray, order: int, outer: bool = False) -> Any:
    """Functions on facets as seen from the elements on these sides, or from those beyond (outer)."""
    import skfem
    from skfem.generic_utils import OrientedBoundary

    oriented = OrientedBoundary(facets, sides)
    return skfem.FacetBasis(mesh, element, mapping(mesh), intorder=order, facets=oriented, side=int(outer))


def _linear_element(mesh: Any) -> Any:
    import skfem

    return skfem.ElementTriP1() if mesh.p.shape[0] == 2 else skfem.ElementTetP1()


def facet_points(mesh: Any, facets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points (facets, n, d) inside each facet, and the facets' diameters."""
    basis = facet_basis(mesh, _linear_element(mesh), facets, np.zeros(len(facets), dtype=np.int32), order=3)
    inner = np.moveaxis(np.asarray(basis.global_coordinates()), 0, 2)
    corners = np.moveaxis(mesh.p[:, mesh.facets[:, facets]], (0, 1, 2), (2, 1, 0))
    lengths = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1)
    return inner, lengths


def _on_places(
    problem: Problem, one: BoundaryEquation, points: np.ndarray, lengths: np.ndarray, normals: np.ndarray
) -> np.ndarray:
    """(facets,) 1 where a condition holds, -1 where its place has the opposite normals, 0 elsewhere."""
    found = np.zeros(len(points), dtype=int)
    flat = _with_time(problem, points.reshape(-1, points.shape[2]))
    slack = np.repeat(SLACK * lengths, points.shape[1])
    space = [problem.coordinates.index(name) for name in problem.space]
    for place in one.places:
        for size in np.unique(np.round(np.log2(lengths))):  # places take one slack for all points
            of_size = np.round(np.log2(lengths)) == size
            mask = np.repeat(of_size, points.shape[1])
            inside = place.contains(flat[mask], slack[mask].min()).reshape(-1, points.shape[1])
            held = np.flatnonzero(of_size)[inside.all(axis=1)]
            if len(held):
                rows = flat.reshape(len(points), -1, flat.shape[1])[held, 0]
                along = np.sum(cast(np.ndarray, place.normals(rows))[:, space] * normals[held, 0], axis=1)
                found[held] = np.where(along >= 0, 1, -1)
    if one.where is not None:
        if problem.time and symbol(problem.time) in one.where.free_symbols:
            raise unsupported(f"{one.words} holds where {one.where}: the place moves in {problem.time}")
        middle = holds_at(problem, one, points.reshape(-1, points.shape[2]))
        found[middle.reshape(len(points), -1).mean(axis=1) <= 0.5] = 0
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


def holds_at(problem: Problem, one: BoundaryEquation, points: np.ndarray) -> np.ndarray:
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
