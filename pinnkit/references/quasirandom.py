"""Points of an interval that no grid has."""

from __future__ import annotations

import numpy as np

GOLDEN = (np.sqrt(5) - 1) / 2


def quasirandom_points(count: int, lower: float, upper: float) -> np.ndarray:
    """(count,) ascending, both ends among them: multiples of the golden ratio, modulo 1.

    They are spread evenly, yet of all numbers the golden ratio is the worst to approximate by fractions: no function
    whose zeros are at equal distances, as those of what a grid cannot see, is small at all of them.

    >>> quasirandom_points(5, 0.0, 1.0).round(3).tolist()
    [0.0, 0.236, 0.618, 0.854, 1.0]
    """
    inner = np.sort(np.arange(1, count - 1) * GOLDEN % 1.0)
    return np.concatenate([[lower], lower + (upper - lower) * inner, [upper]])
