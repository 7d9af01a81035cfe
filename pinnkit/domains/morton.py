"""The order of points along Morton's curve."""

from __future__ import annotations

import numpy as np


def morton_order(points: np.ndarray) -> np.ndarray:
    """Indices (m,) of points (m, d) in the order of Morton's curve, which goes through the quarters of a square (or the
    eighths of a cube, ...) one after the other, and so through the quarters of each.

    >>> morton_order(np.array([[1.0, 1.0], [0.0, 1.0], [0.0, 0.0], [1.0, 0.0]])).tolist()
    [2, 3, 1, 0]
    """
    bits = max(1, min(16, 62 // points.shape[1]))
    points = points[:, : 62 // bits]
    low, high = points.min(axis=0), points.max(axis=0)
    cells = np.minimum((points - low) / np.where(high > low, high - low, 1.0) * 2**bits, 2**bits - 1).astype(np.int64)
    code = np.zeros(len(points), dtype=np.int64)
    for bit in range(bits):
        for axis in range(points.shape[1]):
            code |= ((cells[:, axis] >> bit) & 1) << (bit * points.shape[1] + axis)
    return np.argsort(code, kind="stable")
