"""Balance of an equation: its residual against the size of its own terms, over the whole domain and in slabs of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

SLABS = 10
"""Slabs into which the range of each coordinate is cut."""
FEWEST = 5
"""Points of a slab at least."""
SHOWN = 3
"""Points of the largest residual that are kept."""


@dataclass(frozen=True)
class Slab:
    """The slab lower <= name <= upper, and the ratio of residual to terms there."""

    name: str
    lower: float
    upper: float
    ratio: float


@dataclass(frozen=True)
class Balance:
    """A residual against its terms.

    Attributes:
        rms: the RMS of the residual.
        scale: the RMS of the size of its terms, or of the natural size where this is larger.
        ratio: rms / scale.
        worst: the slab of the largest ratio; None where there are too few points.
        largest: the points of the largest residual, with its value and the size of the terms.
        measured: whether data is fitted, whose noise no solution meets.
    """

    rms: float
    scale: float
    ratio: float
    worst: Slab | None = None
    largest: list[dict[str, float]] = field(default_factory=list)
    measured: bool = False


def balance(
    residual: np.ndarray,
    size: np.ndarray,
    natural: np.ndarray,
    coordinates: Mapping[str, np.ndarray],
    ranges: Mapping[str, tuple[float, float]],
    measured: bool = False,
) -> Balance:
    """The balance at n points.

    Args:
        residual, size: (n,), the residual and the sum of the absolute values of its terms.
        natural: (n,), that sum where each field and each derivative has the size that the field's scale and the ranges
            of the coordinates give it: by it a residual is small where all terms vanish, as in a steady state.
        coordinates: name -> (n,).
        ranges: name -> the ends between which slabs are cut.

    >>> even = np.ones(100)
    >>> found = balance(0.1 * even, even, 0 * even, {"t": np.linspace(0, 1, 100)}, {"t": (0.0, 1.0)})
    >>> round(found.rms, 12), found.scale, round(found.ratio, 12)
    (0.1, 1.0, 0.1)
    """
    finite = np.isfinite(residual) & np.isfinite(size)
    residual, size, natural = residual[finite], size[finite], np.nan_to_num(natural, posinf=0.0)[finite]
    points = {name: values[finite] for name, values in coordinates.items()}
    if not len(residual):
        return Balance(np.nan, np.nan, np.nan, measured=measured)
    worst = max(_slabs(residual, size, natural, points, ranges), key=lambda one: one.ratio, default=None)
    order = np.argsort(-np.abs(residual))[:SHOWN]
    largest: list[dict[str, Any]] = [
        {**{name: float(values[row]) for name, values in points.items()}, "residual": float(residual[row]),
         "scale": float(size[row])}
        for row in order
    ]  # fmt: skip
    scale = max(_rms(size), _rms(natural))
    return Balance(_rms(residual), scale, _ratio(residual, size, natural), worst, largest, measured)


def _slabs(
    residual: np.ndarray,
    size: np.ndarray,
    natural: np.ndarray,
    points: Mapping[str, np.ndarray],
    ranges: Mapping[str, tuple[float, float]],
) -> list[Slab]:
    """The slabs with enough points, along each coordinate in which the points differ."""
    found = []
    for name, values in points.items():
        if values.min() == values.max():
            continue
        edges = np.linspace(*ranges[name], SLABS + 1)
        number = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, SLABS - 1)
        for slab in range(SLABS):
            here = number == slab
            if here.sum() >= FEWEST:
                ratio = _ratio(residual[here], size[here], natural[here])
                found.append(Slab(name, float(edges[slab]), float(edges[slab + 1]), ratio))
    return found


def _ratio(residual: np.ndarray, size: np.ndarray, natural: np.ndarray) -> float:
    """RMS of the residual over that of its terms, or over the natural one where this is larger; 0 where all are 0."""
    scale = max(_rms(size), _rms(natural))
    return _rms(residual) / scale if scale > 0 else 0.0


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))
