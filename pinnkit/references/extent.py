"""The ranges of coordinates in which a reference is defined."""

from __future__ import annotations

import numpy as np

ROUNDING = 1e-12
"""How far outside a point may lie, relative to the range."""


def check_extent(name: str, points: np.ndarray, bounds: tuple[float, float]) -> None:
    """Check that values of a coordinate lie in a range.

    Raises:
        ValueError: one lies outside.
    """
    lower, upper = bounds
    slack = ROUNDING * (upper - lower)
    if points.size and not (points.min() >= lower - slack and points.max() <= upper + slack):
        raise ValueError(
            f"{name} ranges from {points.min():g} to {points.max():g}; the reference is defined in "
            f"[{lower:g}, {upper:g}]"
        )
