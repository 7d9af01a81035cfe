"""Retain-resample-release sampling (R3): points of large residual stay, the others are drawn anew."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pinnkit.sampling.adaptive import spread
from pinnkit.sampling.point_set import PointSet
from pinnkit.sampling.rar_d import Key


def evolved(
    former: PointSet | None, score: Callable[[PointSet], np.ndarray], pool: PointSet, count: int, key: Key
) -> PointSet:
    """The former points with |r| above its mean over them, and as many new ones, evenly spread, as make `count`.

    A point is released as soon as the residual there has come down to the mean (R3, arXiv 2207.02338, algorithm 1).

    Args:
        former: the points before; None: there are none.
        score: the size of the residual (n,) at n points.
        pool: at least `count` points, evenly spread.
    """
    if former is None:
        return pool.take(spread(pool.coordinates, count, *key))
    size = np.abs(score(former))
    retained = former.take(np.flatnonzero(size > size.mean())[:count])
    return PointSet.concatenated([retained, pool.take(spread(pool.coordinates, count - len(retained), *key))])
