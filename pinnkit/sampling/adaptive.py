"""Residual-based adaptive distribution (RAD): collocation points where the residual is large."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pinnkit.domains.morton import morton_order
from pinnkit.sampling.generators import generator
from pinnkit.sampling.redraw_region import Region

CONCENTRATED = 4.0
"""The concentration from which on points are redrawn by residual, for the rest of the run.

A residual that is spread like a wave has 1.2 to 2.6, one that sits in a front 6 and more (measured on the shipped
problems). Where it is spread, points drawn at random by residual only lose the even spread of a Sobol sequence.
"""

LEVELS = 4
"""How often the neighbourhood of candidates is searched, each time half as wide: to an eighth of their distance."""


def concentration(residual: np.ndarray) -> float:
    """mean r^2 / (mean |r|)^2 over points (m,): 1 for a constant, 1/p where all of it sits in a share p of the domain.

    >>> concentration(np.ones(8)), concentration(np.eye(8)[0])
    (1.0, 8.0)
    """
    size = np.abs(residual) / max(np.abs(residual).max(), np.finfo(float).tiny)
    mean = size.mean()
    return float((size**2).mean() / mean**2) if mean > 0 else 1.0


def select(
    points: np.ndarray, residual: np.ndarray, count: int, power: float, floor: float, seed: int, stream: str, draw: int
) -> np.ndarray:
    """Indices (count,) of the candidates to keep, in increasing order, without replacement.

    Candidate i is kept with probability p_i = min(1, s (|r_i|^k / mean |r|^k + c)), where s makes the sum of all
    `count` (RAD, arXiv 2207.10289). The candidates stand along a space-filling curve, and the one is kept at which the
    running sum of p passes a whole number (systematic sampling, Madow 1949): so every cell of the domain that is a
    stretch of the curve gets the points that the density gives it, to within one. Independent draws leave gaps where a
    residual can grow unseen until the next draw. The offset of the sum is keyed by (seed, stream, draw): the selection
    is a pure function of the candidates, their scores and the key.

    Args:
        points: (m, d), m >= count.
        residual: (m,) there.
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
    order = morton_order(points)
    passed = np.cumsum(_probabilities(np.maximum(density, np.finfo(float).tiny), count)[order])
    offset = generator(seed, f"select.{stream}", draw).random()
    marks = np.minimum((np.arange(count) + offset) * (passed[-1] / max(count, 1)), passed[-1])
    return np.sort(order[np.searchsorted(passed, marks)])


def spread(points: np.ndarray, count: int, seed: int, stream: str, draw: int) -> np.ndarray:
    """Indices (count,) of as many points, evenly from all."""
    return select(points, np.ones(len(points)), count, 0.0, 0.0, seed, stream, draw)


@dataclass(frozen=True)
class Resampled:
    """Candidates found near others: `points` (m, d), the index `origin` (m,) of the one that each comes from, and the
    `weight` (m,) by which to select them."""

    points: np.ndarray
    origin: np.ndarray
    weight: np.ndarray


def resample_locally(
    points: np.ndarray,
    residual: np.ndarray,
    count: int,
    power: float,
    region: Region,
    score: Callable[[np.ndarray, np.ndarray], np.ndarray],
    seed: int,
    stream: str,
    draw: int,
) -> Resampled:
    """Candidates whose density follows |r|^k down to lengths far below the distance of the given ones.

    A layer that is thinner than this distance has a candidate or two, or none in most draws, however many points it
    deserves. So `count` are taken in proportion to |r|^k, with repetition, each moved at random within the cell of the
    one it comes from, and scored; from these again, within half of that, and so on (sequential importance resampling,
    Gordon, Salmond, Smith 1993). The weight of a candidate is |r|^k there over |r|^k where it comes from: what is
    selected by it has the density |r|^k again, wherever the first candidates have seen any of it.

    Args:
        points: (m, d), evenly spread.
        residual: (m,) there.
        region: where they may move; one that may not be where it came to stays where it was.
        score: points (n, d), their origin (n,) -> residual (n,).
    """
    rng = generator(seed, f"zoom.{stream}", draw)
    origin, size = np.arange(len(points)), np.abs(residual)
    weight = (size / max(size.max(), np.finfo(float).tiny)) ** power
    place = region.number(points)
    lower, upper = region.bounds(place)
    cell = region.cells(place)
    for level in range(LEVELS):
        total = np.cumsum(weight)
        if total[-1] == 0:  # nothing to follow
            weight = np.ones(len(points))
            break
        marks = (np.arange(count) + rng.random()) * (total[-1] / count)
        chosen = np.searchsorted(total, np.minimum(marks, total[-1]))
        origin, former, parents = origin[chosen], size[chosen], points[chosen]
        moved = region.even(parents) + (rng.random(parents.shape) - 0.5) * cell[origin] / 2**level
        moved = np.where(moved < lower[origin], 2 * lower[origin] - moved, moved)
        moved = np.where(moved > upper[origin], 2 * upper[origin] - moved, moved)
        moved = region.project(region.uneven(moved), place[origin])
        points = np.where(region.allows(moved, place[origin])[:, None], moved, parents)
        size = np.abs(score(points, origin))
        weight = (size / np.maximum(former, np.finfo(float).tiny)) ** power
    return Resampled(points, origin, weight)


def _probabilities(density: np.ndarray, count: int) -> np.ndarray:
    """min(1, s * density) with the sum `count`; density: (m,), positive, m >= count."""
    sure = np.zeros(len(density), dtype=bool)
    while True:
        left = count - sure.sum()
        found = np.where(sure, 1.0, density * (left / max(density[~sure].sum(), np.finfo(float).tiny)))
        if not np.any(found > 1.0):
            return found
        sure |= found >= 1.0
