"""Curves of fields: over one coordinate, at several times, and phase portraits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pinnkit.reporting.field_maps import even_indices
from pinnkit.reporting.figure_style import COLOURS, REFERENCE, few_ticks, label_axes, new_figure, span
from pinnkit.reporting.grid import Grid
from pinnkit.reporting.samples import Samples, draw_values
from pinnkit.reporting.scales import Scale

SLICES = 5
CURVE = 1000
"""Points of a curve of one field against another."""


def draw_curve(
    caption: str,
    grid: Grid,
    values: np.ndarray,
    label: str,
    reference: np.ndarray | None = None,
    samples: Samples | None = None,
) -> Figure:
    """Values (n,) over the one coordinate, the reference dashed over them, and measured values as dots."""
    order = np.argsort(grid.axis(grid.names[0]), kind="stable")
    x = grid.axis(grid.names[0])[order]
    with new_figure(7.2, 4.6, caption) as figure:
        axes = figure.subplots()
        axes.plot(x, values[order], color=COLOURS[0], linewidth=3.0, label="network", **_dot(x))
        if reference is not None:
            axes.plot(x, reference[order], label="reference", **REFERENCE)
        if samples is not None:
            draw_values(axes, samples, grid.names[0])
        finish_curve(axes, grid, grid.names[0], label, x)
        if len(axes.lines) > 1:
            figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure


def draw_signed_curve(caption: str, grid: Grid, values: np.ndarray, label: str, scale: Scale) -> Figure:
    """Signed values (n,) over the one coordinate, between symmetric limits, with the zero line."""
    order = np.argsort(grid.axis(grid.names[0]), kind="stable")
    x = grid.axis(grid.names[0])[order]
    with new_figure(7.2, 4.6, caption) as figure:
        axes = figure.subplots()
        axes.plot(x, values[order], color=COLOURS[1], linewidth=2.0, **_dot(x))
        axes.axhline(0.0, color="0.4", linewidth=1.0, zorder=0)
        axes.set_ylim(1.08 * scale.low, 1.08 * scale.high)
        finish_curve(axes, grid, grid.names[0], label, x)
        if scale.note:
            axes.set_title(scale.note, loc="right", fontsize="small", color="0.35")
    return figure


def draw_slices(caption: str, grid: Grid, values: np.ndarray, label: str, reference: np.ndarray | None) -> Figure:
    """Values on a grid of two coordinates as curves at several times, or parameters, the reference dashed."""
    along = cast(str, grid.frames)
    (space,) = (name for name in grid.names if name != along)
    x, t = grid.axis(space), grid.axis(along)
    times = even_indices(len(t), SLICES)
    shades = matplotlib.colormaps["viridis"](np.linspace(0.0, 0.88, len(times)))
    with new_figure(8.4, 4.8, caption) as figure:
        axes = figure.subplots()
        along_time = np.moveaxis(values, grid.names.index(along), 0)
        for index, shade in zip(times, shades, strict=True):
            axes.plot(x, along_time[index], color=shade, linewidth=3.0, label=grid.quantity(along, t[index]))
        if reference is not None:
            for index in times:
                axes.plot(x, np.moveaxis(reference, grid.names.index(along), 0)[index], **REFERENCE)
            axes.lines[-1].set_label("reference")
        finish_curve(axes, grid, space, label, x)
        figure.legend(loc="outside right center", frameon=False)
    return figure


def draw_phase_portrait(
    title: str, grid: Grid, fields: Mapping[str, np.ndarray], references: Mapping[str, np.ndarray]
) -> Figure:
    """The second of two fields (n,) against the first, with the start marked and the reference dashed."""
    first, second = fields
    with new_figure(6.4, 5.4, f"{title}phase portrait") as figure:
        axes = figure.subplots()
        u, v = fields[first], fields[second]
        axes.plot(u, v, color=COLOURS[0], linewidth=3.0, label="network")
        if first in references and second in references:
            axes.plot(references[first], references[second], label="reference", **REFERENCE)
        axes.plot(u[:1], v[:1], "o", color=COLOURS[1], markersize=10, label="start")
        label_axes(axes, grid.label(first), grid.label(second))
        axes.grid(alpha=0.3)
        figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure


def draw_function(
    caption: str,
    grid: Grid,
    name: str,
    argument: str,
    values: Mapping[str, np.ndarray],
    references: Mapping[str, np.ndarray],
) -> Figure:
    """A field as a function of another one at the same points, the reference dashed."""
    with new_figure(7.2, 4.6, caption) as figure:
        axes = figure.subplots()
        axes.plot(*_sorted(values[argument], values[name]), color=COLOURS[0], linewidth=3.0, label="network")
        if name in references and argument in references:
            axes.plot(*_sorted(references[argument], references[name]), label="reference", **REFERENCE)
            figure.legend(loc="outside lower center", ncols=2, frameon=False)
        label_axes(axes, grid.label(argument), grid.label(name))
        axes.grid(alpha=0.3)
    return figure


def _sorted(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points of a curve, a thousand at most, in the order of x."""
    finite = np.flatnonzero(np.isfinite(x.ravel()) & np.isfinite(y.ravel()))
    order = finite[np.argsort(x.ravel()[finite], kind="stable")]
    order = order[even_indices(len(order), CURVE)] if len(order) else order
    return x.ravel()[order], y.ravel()[order]


def _dot(x: np.ndarray) -> dict[str, Any]:
    return {"marker": "o"} if len(x) == 1 else {}  # a line through one point cannot be seen


def finish_curve(axes: Axes, grid: Grid, coordinate: str, label: str, x: np.ndarray) -> None:
    label_axes(axes, grid.label(coordinate), label)
    axes.set_xlim(*span(x))
    if coordinate in grid.logarithmic:
        axes.set_xscale("log")
    else:
        few_ticks(axes.xaxis, 7)
    axes.grid(alpha=0.3)
