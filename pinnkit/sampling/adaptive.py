"""Residual-based adaptive distribution (RAD): collocation points where the residual is large."""

from __future__ import annotations

import numpy as np

from pinnkit.sampling.points import generator


def select(
    residual: np.ndarray, count: int, power: float, floor: float, seed: int, stream: str, draw: int
) -> np.ndarray:
    """Indices (count,) of the candidates to keep, in increasing order, without replacement.

    Candidate i is drawn with probability proportional to |r_i|^k / mean |r|^k + c (RAD, arXiv 2207.10289). The
    selection is keyed by (seed, stream, draw): the k-th largest of log(p) + Gumbel noise, so that it is a pure
    function of the scores and the key.

    Args:
        residual: (m,) at the candidates, m >= count.
        power, floor: k and c.

    Raises:
        ValueError: fewer candidates than points, or a residual that is not finite.
    """
    size = np.abs(np.asarray(residual, dtype=np.float64))
    if len(size) < count:
        raise ValueError(f"{len(size)} candidates for {count} points: sampling.pool must be at least 1")
    if not np.all(np.isfinite(size)):
        raise ValueError("the residual at a candidate point is not finite")
    scaled = size / max(size.max(), np.finfo(float).tiny)  # before the power, which may underflow
    weights = scaled**power
    mean = weights.mean()
    density = (weights / mean if mean > 0 else np.ones_like(weights)) + floor
    density = np.maximum(density, np.finfo(float).tiny)
    noise = generator(seed, f"select.{stream}", draw).gumbel(size=len(size))
    keys = np.log(density) + noise
    return np.sort(np.argpartition(-keys, count - 1)[:count])
