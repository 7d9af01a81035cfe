"""Redraws of a group's points by residual."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from pinnkit.problem.parts import Condition
from pinnkit.problem.problem import Problem
from pinnkit.sampling.adaptive import resample_locally, select, spread
from pinnkit.sampling.point_set import PointSet
from pinnkit.sampling.points import complete
from pinnkit.sampling.rar_d import refined
from pinnkit.sampling.redraw_region import Region
from pinnkit.sampling.settings import Sampling


@dataclass(frozen=True)
class Density:
    """The density of a redraw, |r|^power / mean |r|^power + floor, and the share of former points that stay."""

    power: float
    floor: float
    keep: float

    @classmethod
    def of(cls, sampling: Sampling, draw: int) -> Density:
        """The one that the settings give for a draw."""
        return cls(sampling.power(draw), sampling.floor, sampling.residual_keep)


def points_added(
    start: PointSet,
    former: PointSet | None,
    pool: PointSet,
    sampling: Sampling,
    density: Density,
    key: tuple[int, str, int],
    score: Callable[[PointSet], np.ndarray],
) -> PointSet:
    """The former points of a group and some of the pool, by the density of RAR-D.

    Args:
        start: the first points of the run, which stay.
        former: the points before; None: `start`.
    """
    most = max(round(sampling.added_most * len(start)), 1)
    added = min(max(round(sampling.added * len(start)), 1), most)
    former = start if former is None else former
    return refined(former, len(start), pool, score(pool), added, most, density.power, density.floor, key)


def points_by_residual(
    problem: Problem,
    condition: Condition | str,
    pool: PointSet,
    former: PointSet | None,
    count: int,
    density: Density,
    key: tuple[int, str, int],
    score: Callable[[PointSet], np.ndarray],
) -> PointSet:
    """A share of the former points of a group, new ones evenly, and new ones by residual.

    Together the new ones are a sample of the density of RAD (Wu et al. 2023), drawn as the mixture that it is.

    Args:
        condition: whose points they are; a region of equations, "" for the whole domain.
        pool: the candidates.
        former: the points before; None: there are none.
        count: points in all.
        key: (seed, group, draw), of which the points are a function.
        score: the size of the residual (n,) at points.
    """
    kept = 0 if former is None else min(round(density.keep * count), count - 1, len(former))
    even = round((count - kept) * density.floor / (1 + density.floor))
    sharp = count - kept - even
    region = Region.of_group(problem, condition)
    place = region.number(pool.coordinates)

    def moved(points: np.ndarray, origin: np.ndarray) -> PointSet:
        taken = pool.take(origin)
        normals = region.normals(points, place[origin]) if taken.normals is not None else None
        return complete(problem, replace(taken, coordinates=points, normals=normals))

    found = resample_locally(
        pool.coordinates,
        score(pool),
        max(len(pool) // 4, sharp),
        density.power,
        region,
        lambda points, origin: score(moved(points, origin)),
        *key,
    )
    near = moved(found.points, found.origin)
    parts = [
        pool.take(spread(pool.coordinates, even, *key)),
        near.take(select(near.coordinates, found.weight, sharp, 1.0, 0.0, *key)),
    ]
    if kept:
        assert former is not None
        parts.insert(0, former.take(spread(former.coordinates, kept, *key)))
    points = PointSet.concatenated(parts)
    if isinstance(condition, Condition):
        region.reach_ends(points.coordinates)
    return complete(problem, points)
