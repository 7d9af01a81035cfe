"""Measured data in figures: dots where they were taken, in the colour or at the height of their value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from pinnkit.reporting.figure_style import COLOURS
from pinnkit.reporting.scales import Scale

MOST = 2000
"""Dots at most; of more every other, or fewer, are drawn."""


@dataclass(frozen=True, eq=False)
class Samples:
    """Where a field was measured, and what.

    coordinates: name -> (n,); values: (n,), NaN where the field's own value was not measured but a derivative, say.
    """

    coordinates: Mapping[str, np.ndarray]
    values: np.ndarray

    def __len__(self) -> int:
        return len(self.values)

    @property
    def known(self) -> bool:
        """Whether every value is known."""
        return bool(np.isfinite(self.values).all())

    @staticmethod
    def joined(ones: Sequence[Samples]) -> Samples:
        """Several of one field: those whose values are known, or the places of all where none are."""
        known = [one for one in ones if one.known] or list(ones)
        names = known[0].coordinates
        places = {name: np.concatenate([one.coordinates[name] for one in known]) for name in names}
        return Samples(places, np.concatenate([one.values for one in known]))

    def thinned(self) -> Samples:
        """At most `MOST` of them, evenly."""
        if len(self) <= MOST:
            return self
        kept = np.linspace(0, len(self) - 1, MOST).round().astype(int)
        return Samples({name: one[kept] for name, one in self.coordinates.items()}, self.values[kept])

    def chosen(self, mask: np.ndarray) -> Samples:
        """Those where a mask (n,) is true."""
        return Samples({name: one[mask] for name, one in self.coordinates.items()}, self.values[mask])


def draw_places(axes: Axes, samples: Samples, horizontal: str, vertical: str, scale: Scale) -> None:
    """Dots on a map: filled by the colour of the measured value, so that those that fit melt into it."""
    samples = samples.thinned()
    if not len(samples):
        return
    x, y = samples.coordinates[horizontal], samples.coordinates[vertical]
    filled = {"c": samples.values, "cmap": scale.colours, "norm": scale.norm} if samples.known else {"c": "black"}
    size = float(np.clip(6000.0 / len(samples), 4.0, 40.0))
    dots = axes.scatter(
        x, y, s=size, edgecolors="black", linewidths=0.7 if size > 10 else 0.35, zorder=3, label="samples",
        rasterized=len(samples) > 500, **filled,
    )  # fmt: skip
    dots.set_path_effects([withStroke(linewidth=2.0 if size > 10 else 1.0, foreground="white")])  # seen on dark too


def draw_values(axes: Axes, samples: Samples, horizontal: str) -> None:
    """Dots at the measured values over the one coordinate; nothing where these are not known."""
    samples = samples.thinned()
    if samples.known and len(samples):
        size = float(np.clip(60.0 / np.sqrt(len(samples)), 3.0, 7.0))
        axes.plot(
            samples.coordinates[horizontal], samples.values, "o", color=COLOURS[1], markersize=size,
            markeredgewidth=0.5, markeredgecolor="white", label="samples",
        )  # fmt: skip
