"""Collocation points of equations and conditions; shapes map them (domains/).

They are a pure function of (seed, stream, draw, index). No generator keeps a hidden state: the same
key gives the same points on every rank and after every resume.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pinnkit.domains.shape import Shape
from pinnkit.problem.groups import EQUATIONS, region_of
from pinnkit.problem.parts import Condition
from pinnkit.problem.places import allowed_at
from pinnkit.problem.problem import Problem
from pinnkit.sampling.generators import generator
from pinnkit.sampling.point_set import PointSet
from pinnkit.sampling.settings import Sampling

FLOOR = 0.125
"""The least number of points of a region of equations, as a share of those that the whole domain would have: a small
part may have a solution as hard as that of a large one."""


def equation_points(
    problem: Problem, sampling: Sampling, seed: int, draw: int, count: int | None = None, group: str = EQUATIONS
) -> PointSet:
    """The points of a group of equations: spread over the domain, or its region, by the chosen method.

    Args:
        count: how many; None: the region's share of those that the settings give for the whole domain.
    """
    region = region_of(group)
    count = count or shared(problem, region, sampling.count(len(problem.coordinates)))
    solid = problem.solid(region)

    def unit(drawn: int) -> np.ndarray:
        return sampling.unit_points(drawn, solid.dimension, seed, group, draw)

    return complete(problem, PointSet(solid.draw(count, unit, thin=sampling.part)))


def shared(problem: Problem, region: str, total: int) -> int:
    """How many of `total` points, those of the whole domain, the equations of a region have: in proportion to its
    measure, and at least an eighth."""
    if not region:
        return total
    return max(1, round(total * min(1.0, max(FLOOR, problem.solid(region).measure / problem.domain.measure))))


def complete(problem: Problem, points: PointSet) -> PointSet:
    """The points with the values that tables have there as columns."""
    if not problem.columns:
        return points
    coordinates = {name: points.coordinates[:, index] for index, name in enumerate(problem.coordinates)}
    found = {name: values[:, None] for name, values in problem.table_columns(coordinates).items()}
    return replace(points, columns={**points.columns, **found})


def condition_points(problem: Problem, condition: Condition, sampling: Sampling, seed: int, draw: int) -> PointSet:
    """The points of a condition: the rows of its data, or points on its places in proportion to their measure.

    Points that violate `where`, or that its sides do not touch, are replaced by later ones of the same sequence.
    """
    if condition.data:
        rows = np.stack([condition.data[name] for name in problem.coordinates], axis=1)
        names = [name for name in condition.data if name not in problem.coordinates]
        return PointSet(rows, {name: condition.data[name][:, None] for name in names})
    parts = []
    for number, (place, count) in enumerate(_shares(condition.places, sampling.of_condition)):
        stream = f"conditions.{condition.name}.{number}"
        coordinates = _on_place(problem, condition, place, count, sampling, seed, stream, draw)
        parts.append(PointSet(coordinates, normals=place.normals(coordinates)))
    return complete(problem, PointSet.concatenated(parts))


def _shares(places: tuple[Shape, ...], total: int) -> list[tuple[Shape, int]]:
    """Points for each place, in proportion to its measure; a single point gets one."""
    varying = sum(place.measure for place in places if place.dimension)
    return [(place, max(1, round(total * place.measure / varying)) if place.dimension else 1) for place in places]


def _on_place(
    problem: Problem,
    condition: Condition,
    place: Shape,
    count: int,
    sampling: Sampling,
    seed: int,
    stream: str,
    draw: int,
) -> np.ndarray:
    def unit(drawn: int) -> np.ndarray:
        return sampling.unit_points(drawn, place.dimension, seed, stream, draw)

    allowed = allowed_at(problem, condition)
    kept = None if allowed is None else (lambda points: allowed(points, place))
    return place.draw(count, unit, kept, sampling.part)


def batch_index(size: int, batch: int, seed: int, stream: str, step: int) -> np.ndarray:
    """Indices (batch,) of a mini-batch: consecutive steps walk through a permutation, a new one each time round."""
    batch = min(batch, size)
    rounds = size // batch
    order = generator(seed, f"batch.{stream}", step // rounds).permutation(size)
    start = (step % rounds) * batch
    return order[start : start + batch]
