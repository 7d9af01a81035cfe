"""Colour scales of figures: maps and limits, chosen by the values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from matplotlib.colors import Normalize

SEQUENTIAL, DIVERGING, CYCLIC = "viridis", "RdBu_r", "twilight"
FLAT = 1e-13
"""A range, relative to its ends, that is rounding alone: the modulus of exp(i x), say."""
BOTH_SIGNS = 0.1
"""A field takes both signs where its smaller extreme is at least this share of the larger one."""
SHOWN = 99.5
"""The percentile of |values| at which a robust scale ends."""
BEYOND = 4.0
"""A scale is robust where the largest value is so many times the percentile."""
FEW = 200
"""With fewer values a percentile says nothing: no scale is robust."""


@dataclass(frozen=True)
class Scale:
    """A colour map with its limits, and whether values lie beyond them (arrows on the colour bar).

    `ticks`: value -> text on the colour bar; chosen by matplotlib where there are none. `note`: what is to be known of
    the limits, written beside the colour bar.
    """

    colours: str
    low: float
    high: float
    extend: str = "neither"
    ticks: Mapping[float, str] = field(default_factory=dict)
    note: str = ""

    @property
    def norm(self) -> Normalize:
        return Normalize(self.low, self.high)


def finite_values(values: np.ndarray) -> np.ndarray:
    return values[np.isfinite(values)]


def solution_scale(values: np.ndarray, reference: np.ndarray | None) -> Scale:
    """The range of the reference if there is one, so that both pictures compare; else that of the values.

    Where that holds both signs the map is diverging, with its middle at zero.
    """
    finite = finite_values(values if reference is None else reference)
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if high - low <= FLAT * max(abs(low), abs(high)):
        low, high = low - 0.5 * (abs(low) or 1.0), high + 0.5 * (abs(high) or 1.0)
    colours = SEQUENTIAL
    if min(-low, high) >= BOTH_SIGNS * max(-low, high):
        largest = max(-low, high)
        colours, low, high = DIVERGING, -largest, largest
    # An excess of less than a hundredth of the range cannot be seen and needs no arrow.
    return Scale(colours, low, high, _extend(values, low, high, 0.01 * (high - low)))


def signed_scale(values: np.ndarray, robust: bool = True) -> Scale:
    """Errors and residuals: symmetric about zero, white is zero.

    The ends are -+max |values|; where few values are so much larger than the others that these could not be told from
    zero, the ends are a percentile of |values|, with arrows, and the note names the largest (robust=False: never).
    """
    largest, note = _robust_end(np.abs(finite_values(values)), robust)
    return Scale(DIVERGING, -largest, largest, _extend(values, -largest, largest), note=note)


def size_scale(values: np.ndarray, robust: bool = True) -> Scale:
    """From zero to the largest of values that are not negative, or to a percentile as in `signed_scale`."""
    largest, note = _robust_end(finite_values(values), robust)
    return Scale(SEQUENTIAL, 0.0, largest, _extend(values, 0.0, largest), note=note)


PHASE = Scale(CYCLIC, -np.pi, np.pi, ticks={-np.pi: r"$-\pi$", 0.0: "$0$", np.pi: r"$\pi$"})
"""Angles, whose two ends are one."""


def _robust_end(sizes: np.ndarray, robust: bool) -> tuple[float, str]:
    """The end of a scale of sizes (n,), and a note where some lie beyond."""
    largest = float(np.max(sizes, initial=0.0))
    if robust and sizes.size >= FEW:
        end = float(np.percentile(sizes, SHOWN))
        if end > 0 and largest > BEYOND * end:
            return end, f"{SHOWN:g} % of the points; the largest is {largest:.1e}"
    return largest or 1.0, ""


def _extend(values: np.ndarray, low: float, high: float, slack: float = 0.0) -> str:
    """At which ends of a scale values lie beyond it, in matplotlib's words."""
    shown = finite_values(values)
    below, above = bool(np.any(shown < low - slack)), bool(np.any(shown > high + slack))
    return {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}[below, above]
