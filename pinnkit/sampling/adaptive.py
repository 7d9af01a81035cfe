"""Residual-based adaptive distribution (RAD): collocation points where the residual is large."""

from __future__ import annotations

import numpy as np

from pinnkit.sampling.points import generator

CONCENTRATED = 4.0
"""The concentration from which on points are redrawn by residual, for the rest of the run.

A residual that is spread like a wave has 1.2 to 2.6, one that sits in a front 6 and more (measured on the shipped
problems). Where it is spread, points drawn at random by residual only lose the even spread of a Sobol sequence.
"""


def concentration(residual: np.ndarray) -> float:
    """mean r^2 / (mean |r|)^2 over points (m,): 1 for a constant, 1/p where all of it sits in a share p of the domain.

    >>> concentration(np.ones(8)), concentration(np.eye(8)[0])
    (1.0, 8.0)
    """
    size = np.abs(residual) / max(np.abs(residual).max(), np.finfo(float).tiny)
    mean = size.mean()
    return float((size**2).mean() / mean**2) if mean > 0 else 1.0


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
