"""Parity plots and histograms of fields over many coordinates."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from pinnkit.reporting.figure_style import COLOURS, REFERENCE, Scale, finite_values, new_figure, solution_scale

BINS = 60


def draw_parity(caption: str, values: np.ndarray, reference: np.ndarray, label: str) -> Figure:
    """Values against reference, point by point; a perfect field lies on the dashed diagonal."""
    values, reference = values.ravel(), reference.ravel()
    with new_figure(6.2, 5.8, caption) as figure:
        axes = figure.subplots()
        axes.plot(reference, values, ".", color=COLOURS[0], markersize=4, alpha=0.5, rasterized=True)
        scale = solution_scale(np.concatenate([values, reference]), None)
        limits = (scale.low, scale.high)
        axes.plot(limits, limits, **REFERENCE)
        axes.set_aspect("equal")
        axes.set_xlabel(f"{label}, reference")
        axes.set_ylabel(f"{label}, network")
        axes.grid(alpha=0.3)
    return figure


def draw_histogram(caption: str, values: np.ndarray, label: str, scale: Scale | None = None) -> Figure:
    """Histogram of the finite values, over symmetric limits if a scale is given."""
    shown = finite_values(values.ravel())
    scale = scale or solution_scale(shown, None)
    with new_figure(7.2, 4.6, caption) as figure:
        axes = figure.subplots()
        axes.hist(shown, bins=BINS, range=(scale.low, scale.high), color=COLOURS[0])
        axes.set_xlim(scale.low, scale.high)
        axes.set_xlabel(label)
        axes.set_ylabel("points")
        axes.grid(alpha=0.3, axis="y")
    return figure
