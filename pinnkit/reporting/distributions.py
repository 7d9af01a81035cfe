"""Parity plots and histograms of fields over many coordinates."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from pinnkit.reporting.figure_style import COLOURS, REFERENCE, new_figure, span
from pinnkit.reporting.scales import Scale, finite_values

BINS = 60


def draw_parity(caption: str, values: np.ndarray, reference: np.ndarray, labels: tuple[str, str]) -> Figure:
    """Values against reference, point by point; a perfect field lies on the dashed diagonal.

    labels: of the reference and of the values.
    """
    values, reference = values.ravel(), reference.ravel()
    with new_figure(6.2, 5.8, caption) as figure:
        axes = figure.subplots()
        axes.plot(reference, values, ".", color=COLOURS[0], markersize=4, alpha=0.5, rasterized=True)
        limits = span(np.concatenate([values, reference]))
        axes.plot(limits, limits, **REFERENCE)
        axes.set_aspect("equal")
        axes.set_xlabel(labels[0])
        axes.set_ylabel(labels[1])
        axes.grid(alpha=0.3)
    return figure


def draw_histogram(caption: str, values: np.ndarray, label: str, scale: Scale | None = None) -> Figure:
    """Histogram of the finite values, over the limits of a scale if one is given."""
    shown = finite_values(values.ravel())
    low, high = span(shown) if scale is None else (scale.low, scale.high)
    with new_figure(7.2, 4.6, caption) as figure:
        axes = figure.subplots()
        axes.hist(shown, bins=BINS, range=(low, high), color=COLOURS[0])
        axes.set_xlim(low, high)
        axes.set_xlabel(label)
        axes.set_ylabel("points")
        axes.grid(alpha=0.3, axis="y")
    return figure
