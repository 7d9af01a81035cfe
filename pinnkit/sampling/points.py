"""Collocation points as a pure function of (seed, stream, draw, index).

No generator keeps a hidden state: the same key gives the same points on every rank and after every resume.
"""

from __future__ import annotations

import zlib

import numpy as np
import sympy
from scipy.stats import qmc

from pinnkit.domains.box import Box
from pinnkit.problem.conditions import inside
from pinnkit.problem.problem import Condition, Problem
from pinnkit.sampling.point_set import PointSet
from pinnkit.sampling.settings import Sampling

EQUATIONS = "equations"
"""The name of the point set that all equations share."""


def generator(seed: int, stream: str, draw: int) -> np.random.Generator:
    """A counter-based generator (Philox) keyed by (seed, stream, draw)."""
    key = np.random.SeedSequence([seed, zlib.crc32(stream.encode()), draw])
    return np.random.Generator(np.random.Philox(key))


def unit_points(method: str, count: int, dimension: int, seed: int, stream: str, draw: int = 0) -> np.ndarray:
    """Points of the unit cube, shape (count, dimension).

    sobol: scrambled Sobol sequence; uniform: independent; latin_hypercube: one point in each of `count` slices of
    every axis; grid: midpoints of a tensor grid with at least `count` cells, thinned evenly to `count`.
    """
    if dimension == 0:
        return np.zeros((count, 0))
    rng = generator(seed, stream, draw)
    if method == "sobol":
        power = (count - 1).bit_length()  # Sobol points come in powers of two; the first `count` are kept
        return qmc.Sobol(dimension, scramble=True, rng=rng).random_base2(power)[:count]
    if method == "latin_hypercube":
        return qmc.LatinHypercube(dimension, rng=rng).random(count)
    if method == "uniform":
        return rng.random((count, dimension))
    if method == "grid":
        side = int(np.ceil(round(count ** (1 / dimension), 9)))
        axis = (np.arange(side) + 0.5) / side
        cells = np.stack(np.meshgrid(*[axis] * dimension, indexing="ij"), axis=-1).reshape(-1, dimension)
        return cells[_thinned(len(cells), count)]
    raise ValueError(f"sampling.method is '{method}': one of sobol, uniform, latin_hypercube, grid is needed")


def _thinned(size: int, count: int) -> np.ndarray:
    """Indices of `count` among `size` things in a row, evenly spread; all where there are no more."""
    count = min(size, count)
    return np.floor(np.arange(count) * size / count).astype(int)


def equation_points(problem: Problem, sampling: Sampling, seed: int, draw: int, count: int | None = None) -> PointSet:
    """The points of the equations: spread over the domain by the chosen method."""
    dimension = len(problem.coordinates)
    count = count or sampling.count(dimension)
    unit = unit_points(sampling.method, count, dimension, seed, EQUATIONS, draw)
    return PointSet(problem.domain.points(unit))


def condition_points(problem: Problem, condition: Condition, sampling: Sampling, seed: int, draw: int) -> PointSet:
    """The points of a condition: the rows of its data, or points on its places in proportion to their measure.

    Points that violate `where` are replaced by later ones of the same sequence.
    """
    if condition.data:
        rows = np.stack([condition.data[name] for name in problem.coordinates], axis=1)
        names = [name for name in condition.data if name not in problem.coordinates]
        return PointSet(rows, {name: condition.data[name][:, None] for name in names})
    parts = []
    for number, (place, count) in enumerate(_shares(condition.places, sampling.of_condition)):
        stream = f"conditions.{condition.name}.{number}"
        coordinates = _on_place(problem, condition, place, count, sampling.method, seed, stream, draw)
        normal = [place.normal[name] for name in problem.coordinates] if place.normal else None
        normals = None if normal is None else np.tile(np.asarray(normal, dtype=float), (len(coordinates), 1))
        parts.append(PointSet(coordinates, normals=normals))
    return PointSet.concatenated(parts)


def _shares(places: tuple[Box, ...], total: int) -> list[tuple[Box, int]]:
    """Points for each place, in proportion to its measure; a single point gets one."""
    varying = sum(place.measure for place in places if place.free)
    return [(place, max(1, round(total * place.measure / varying)) if place.free else 1) for place in places]


def _on_place(
    problem: Problem, condition: Condition, place: Box, count: int, method: str, seed: int, stream: str, draw: int
) -> np.ndarray:
    if condition.where is None:
        return place.points(unit_points(method, count, len(place.free), seed, stream, draw))
    known: dict[sympy.Symbol, float] = problem.values
    drawn = count
    while True:  # reading made sure that some points satisfy the inequality
        points = place.points(unit_points(method, drawn, len(place.free), seed, stream, draw))
        kept = points[inside(condition.where, points, problem.coordinates, known)]
        if len(kept) >= count or not place.free:
            return kept[_thinned(len(kept), count)] if method == "grid" else kept[:count]
        drawn *= 2


def batch_index(size: int, batch: int, seed: int, stream: str, step: int) -> np.ndarray:
    """Indices (batch,) of a mini-batch: consecutive steps walk through a permutation, a new one each time round."""
    batch = min(batch, size)
    rounds = size // batch
    order = generator(seed, f"batch.{stream}", step // rounds).permutation(size)
    start = (step % rounds) * batch
    return order[start : start + batch]
