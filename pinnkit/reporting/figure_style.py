"""Style of all figures: fonts, colours, colour scales and axes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.collections import QuadMesh
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator, ScalarFormatter

from pinnkit.reporting.outlines import BLANK
from pinnkit.reporting.scales import FLAT, Scale, finite_values

# Colours that the colour-blind can tell apart (Okabe and Ito 2008), black left for references.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F3C8D", "#8C564B", "#7F7F7F")
REFERENCE: dict[str, Any] = {"color": "black", "linestyle": (0, (4, 3)), "linewidth": 1.6}
# Beyond this ratio of lengths a plot to scale is a strip that shows nothing.
_WIDEST = 4.0


@contextmanager
def new_figure(width: float, height: float, title: str) -> Iterator[Figure]:
    """A figure of width x height inches, drawn off screen, whose text is legible at half size."""
    size = 14.0 if width < 9 else 17.0
    style = {
        "font.size": size,
        "axes.titlesize": size,
        "axes.labelsize": 1.15 * size,
        "legend.fontsize": 0.85 * size,
        "xtick.labelsize": 0.85 * size,
        "ytick.labelsize": 0.85 * size,
        "figure.titlesize": 1.05 * size,
        "lines.linewidth": 2.2,
        "mathtext.fontset": "dejavuserif",
        "axes.formatter.use_mathtext": True,
        "axes.formatter.useoffset": False,
        "axes.formatter.limits": (-3, 4),
    }
    with matplotlib.rc_context(cast(Any, style)):
        figure = Figure(figsize=(width, height), layout="compressed")
        set_spaces(figure, w_pad=0.12, h_pad=0.1, wspace=0.03)
        FigureCanvasAgg(figure)
        figure.suptitle(title)
        yield figure
        for axes in figure.axes:
            # Ticks are made when the figure is drawn, after the style above is gone.
            axes.tick_params(labelsize=0.85 * size)


def set_spaces(figure: Figure, **spaces: float) -> None:
    """Set the spaces between the panels of a figure and around them, in the words of its layout engine."""
    engine = figure.get_layout_engine()
    assert isinstance(engine, ConstrainedLayoutEngine)
    engine.set(**cast(dict[str, Any], spaces))


def draw_colour_map(axes: Axes, x: np.ndarray, y: np.ndarray, values: np.ndarray, scale: Scale) -> QuadMesh:
    """A colour map of values (n_y, n_x) over x (n_x,) and y (n_y,); what is not finite stays grey."""
    axes.set_facecolor(BLANK)
    mesh = axes.pcolormesh(
        cell_edges(x),
        cell_edges(y),
        np.ma.masked_invalid(values),
        cmap=scale.colours,
        norm=scale.norm,
        rasterized=True,
    )
    axes.set_xlim(*span(x))
    axes.set_ylim(*span(y))
    if not np.isfinite(values).any():
        annotate_empty(axes, "no finite value")
    return mesh


def annotate_empty(axes: Axes, text: str) -> None:
    """Write the reason into empty axes."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color="0.25")


def cell_edges(centres: np.ndarray) -> np.ndarray:
    """The edges (n + 1,) of cells around points (n,): midpoints, and half a cell beyond each end."""
    if len(centres) == 1:
        return np.array([centres[0] - 0.5, centres[0] + 0.5])
    middles = 0.5 * (centres[1:] + centres[:-1])
    return np.concatenate([[2 * centres[0] - middles[0]], middles, [2 * centres[-1] - middles[-1]]])


def span(values: np.ndarray) -> tuple[float, float]:
    """The range of a coordinate, widened where it is a single point."""
    finite = finite_values(values)
    if not finite.size:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    flat = high - low <= FLAT * max(abs(low), abs(high))
    return (low - 0.5, high + 0.5) if flat else (low, high)


def label_axes(axes: Axes, horizontal: str, vertical: str) -> None:
    """Set the labels of both axes."""
    axes.set_xlabel(horizontal)
    rotation = _rotation(vertical)
    axes.set_ylabel(vertical, rotation=rotation, labelpad=4 if rotation else 8, ha="center" if rotation else "right")


def few_ticks(axis: Axis, most: int) -> None:
    """At most so many ticks, at multiples of 1, 2 or 5, whose numbers have few digits."""
    axis.set_major_locator(MaxNLocator(most, steps=[1, 2, 5, 10]))


def _rotation(label: str) -> int:
    """A single symbol stands upright beside its axis; words run along it."""
    return 0 if re.fullmatch(r"\$[^$]*\$", label) and "mathrm" not in label else 90


def shape_of(x: np.ndarray, y: np.ndarray) -> tuple[float, bool]:
    """The ratio width / height of a plot of two lengths, and whether it can be drawn to scale."""
    (left, right), (bottom, top) = span(x), span(y)
    ratio = (right - left) / (top - bottom)
    to_scale = 1 / _WIDEST <= ratio <= _WIDEST
    return (ratio if to_scale else 1.5), to_scale


def add_colour_bar(figure: Figure, axes: list[Axes], scale: Scale, label: str, horizontal: bool = False) -> Colorbar:
    """A colour bar with a few ticks; the note of the scale stands behind its label."""
    label = f"{label}\n({scale.note})" if scale.note else label
    bar = figure.colorbar(
        ScalarMappable(scale.norm, scale.colours),
        ax=axes,
        label=label,
        extend=scale.extend,
        orientation="horizontal" if horizontal else "vertical",
        fraction=0.08,
        pad=0.02,
        aspect=22,
    )
    if scale.note:
        bar.ax.xaxis.label.set_fontsize("medium")
        bar.ax.yaxis.label.set_fontsize("medium")
    if not horizontal:
        bar.set_label(label, rotation=_rotation(label), labelpad=10 if _rotation(label) == 0 else None)
        if _rotation(label) == 0:  # a wide one would reach over the numbers
            bar.ax.yaxis.label.set_horizontalalignment("left")
    _set_ticks(bar, scale.ticks)
    return bar


def _set_ticks(bar: Colorbar, ticks: Mapping[float, str]) -> None:
    """Powers of ten once above the bar, not on every tick."""
    if ticks:
        bar.set_ticks(list(ticks), labels=list(ticks.values()))
        return
    formatter = ScalarFormatter(useMathText=True, useOffset=False)
    formatter.set_powerlimits((-2, 4))
    bar.locator = MaxNLocator(7, steps=[1, 2, 5, 10])
    bar.formatter = formatter
    bar.update_ticks()
