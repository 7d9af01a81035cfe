"""Collocation points as a pure function of (seed, stream, draw, index).

No generator keeps a hidden state: the same key gives the same points on every rank and after every resume.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import sympy

from pinnkit.domains.shape import Shape
from pinnkit.language.calculus import normal_symbol
from pinnkit.problem.at import inside
from pinnkit.problem.parts import Condition
from pinnkit.problem.problem import Problem
from pinnkit.sampling.generators import generator
from pinnkit.sampling.settings import Sampling

EQUATIONS = "equations"
"""The name of the point set that all equations share."""


@dataclass(frozen=True)
class Points:
    """A set of collocation points: `coordinates` (n, d), and further columns (n, 1) by symbol name."""

    coordinates: np.ndarray
    columns: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.coordinates)

    def take(self, index: np.ndarray) -> Points:
        """The points at these indices."""
        return Points(self.coordinates[index], {name: values[index] for name, values in self.columns.items()})


def equation_points(problem: Problem, sampling: Sampling, seed: int, draw: int, count: int | None = None) -> Points:
    """The points of the equations: spread over the domain by the chosen method."""
    count = count or sampling.count(len(problem.coordinates))
    unit = sampling.unit_points(count, problem.domain.dimension, seed, EQUATIONS, draw)
    return Points(problem.domain.sample(unit), {})


def condition_points(problem: Problem, condition: Condition, sampling: Sampling, seed: int, draw: int) -> Points:
    """The points of a condition: the rows of its data, or points on its places in proportion to their measure.

    Points that violate `where` are replaced by later ones of the same sequence.
    """
    if condition.data:
        rows = np.stack([condition.data[name] for name in problem.coordinates], axis=1)
        names = [name for name in condition.data if name not in problem.coordinates]
        return Points(rows, {name: condition.data[name][:, None] for name in names})
    parts = []
    for number, (place, count) in enumerate(_shares(condition.places, sampling.of_condition)):
        stream = f"conditions.{condition.name}.{number}"
        coordinates = _on_place(problem, condition, place, count, sampling, seed, stream, draw)
        parts.append(Points(coordinates, normal_columns(problem, place.normals(coordinates))))
    shared = set.intersection(*(set(part.columns) for part in parts))
    return Points(
        np.concatenate([part.coordinates for part in parts]),
        {name: np.concatenate([part.columns[name] for part in parts]) for name in sorted(shared)},
    )


def normal_columns(problem: Problem, normals: np.ndarray | None) -> dict[str, np.ndarray]:
    """The components (n, 1) of normals (n, d) by the names of their symbols; none without normals."""
    if normals is None:
        return {}
    return {str(normal_symbol(name)): normals[:, [index]] for index, name in enumerate(problem.coordinates)}


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
    if condition.where is None:
        return place.sample(sampling.unit_points(count, place.dimension, seed, stream, draw))
    known: dict[sympy.Symbol, float] = problem.values
    drawn = count
    while True:  # reading made sure that some points satisfy the inequality
        points = place.sample(sampling.unit_points(drawn, place.dimension, seed, stream, draw))
        kept = points[inside(condition.where, points, problem.coordinates, known)]
        if len(kept) >= count or not place.dimension:
            return sampling.part(kept, count)
        drawn *= 2


def batch_index(size: int, batch: int, seed: int, stream: str, step: int) -> np.ndarray:
    """Indices (batch,) of a mini-batch: consecutive steps walk through a permutation, a new one each time round."""
    batch = min(batch, size)
    rounds = size // batch
    order = generator(seed, f"batch.{stream}", step // rounds).permutation(size)
    start = (step % rounds) * batch
    return order[start : start + batch]
