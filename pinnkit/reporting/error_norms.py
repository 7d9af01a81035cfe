"""Error norms of a prediction against a reference, real or complex; NaN in either argument gives NaN."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def relative_l2(prediction: ArrayLike, reference: ArrayLike) -> float:
    """|p - r|_2 / |r|_2 over all entries; where |r|_2 = 0, the absolute RMS of p instead.

    prediction, reference: arrays of one and the same shape, e.g. (n,) or a grid's shape. Both are scaled by
    max |r| first, so that squares neither overflow nor underflow.

    Raises ValueError for different shapes (nothing is broadcast) and for empty arrays.

    >>> relative_l2([3.0, 4.5], [3.0, 4.0])
    0.1
    >>> relative_l2([3.0, -3.0], [0.0, 0.0])
    3.0
    """
    p, r = _pair(prediction, reference)
    scale = np.max(np.abs(r))
    if scale == 0.0:
        return rms(p)
    with np.errstate(invalid="ignore", over="ignore"):  # inf - inf is nan, and nan is the answer
        return float(np.linalg.norm((p - r).ravel() / scale) / np.linalg.norm(r.ravel() / scale))


def max_error(prediction: ArrayLike, reference: ArrayLike) -> float:
    """max |p - r| over all entries.

    Raises ValueError for different shapes (nothing is broadcast) and for empty arrays.

    >>> max_error([1.0, 2.0], [1.5, 2.25])
    0.5
    """
    p, r = _pair(prediction, reference)
    with np.errstate(invalid="ignore", over="ignore"):
        return float(np.max(np.abs(p - r)))


def rms(values: ArrayLike) -> float:
    """sqrt(mean(|v|^2)) over all entries. Raises ValueError for an empty array.

    >>> rms([3.0, -3.0])
    3.0
    """
    v = np.abs(numbers(values))
    if v.size == 0:
        raise ValueError(f"values has shape {v.shape}: there is nothing to average")
    scale = np.max(np.abs(v))
    if scale == 0.0 or not np.isfinite(scale):
        return float(scale)
    return float(scale * np.sqrt(np.mean((v / scale) ** 2)))


def numbers(values: ArrayLike) -> np.ndarray:
    """The values as an array of float64, or of complex128 where they are complex."""
    array = np.asarray(values)
    return array.astype(np.complex128 if np.iscomplexobj(array) else np.float64, copy=False)


def _pair(prediction: ArrayLike, reference: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    p, r = numbers(prediction), numbers(reference)
    if p.shape != r.shape:
        raise ValueError(
            f"prediction has shape {p.shape} and reference has shape {r.shape}: "
            "the shapes must be the same (nothing is broadcast)"
        )
    if p.size == 0:
        raise ValueError(f"prediction and reference have shape {p.shape}: there is nothing to compare")
    return p, r
