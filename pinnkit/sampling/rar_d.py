"""Residual-based adaptive refinement with distribution (RAR-D): points are added where the residual is large."""

from __future__ import annotations

import numpy as np

from pinnkit.sampling.adaptive import select
from pinnkit.sampling.point_set import PointSet

Key = tuple[int, str, int]
"""(seed, group, draw), of which a redraw is a function."""


def refined(
    former: PointSet,
    base: int,
    pool: PointSet,
    residual: np.ndarray,
    added: int,
    most: int,
    power: float,
    floor: float,
    key: Key,
) -> PointSet:
    """The former points, and `added` of the pool by the density |r|^k / mean |r|^k + c (RAR-D, arXiv 2207.10289).

    The first `base` points of the run stay for ever. Those that were added stand behind them in the order in which they
    came; where more than `most` would be, the oldest of them go.

    Args:
        residual: (m,), its size at the m points of the pool.
        power, floor: k and c.

    Raises:
        ValueError: the pool has fewer points than are added, or a residual is not finite.
    """
    chosen = pool.take(select(pool.coordinates, residual, added, power, floor, *key))
    leave = max(len(former) - base + added - most, 0)
    index = np.r_[0:base, base + leave : len(former)]
    return PointSet.concatenated([former.take(index), chosen])
