"""Quasirandom points of an interval."""

from __future__ import annotations

import numpy as np

GOLDEN = (np.sqrt(5) - 1) / 2


def quasirandom_points(count: int, lower: float, upper: float) -> np.ndarray:
    """(count,) ascending, with both ends: multiples of the golden ratio modulo 1 (a Kronecker sequence).

    They are evenly distributed but on no equidistant grid, so that no function with equidistant zeros is small at all
    of them.

    >>> quasirandom_points(5, 0.0, 1.0).round(3).tolist()
    [0.0, 0.236, 0.618, 0.854, 1.0]
    """
    inner = np.sort(np.arange(1, count - 1) * GOLDEN % 1.0)
    return np.concatenate([[lower], lower + (upper - lower) * inner, [upper]])
