"""Figure of the collocation points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pinnkit.reporting.field_maps import View, orient, outline, scale_axes, set_ticks
from pinnkit.reporting.figure_style import COLOURS, annotate_empty, label_axes, new_figure, shape_of, span
from pinnkit.reporting.grid import Grid
from pinnkit.reporting.labels import math_name, plain_text

LINES = 40
"""Lines of a condition at most."""
FEW = 4
"""Different places of a term on a line that are dots, and not bars, at most."""
MARKERS = ("o", "s", "^", "D", "v", "P")


def draw_points(title: str, grid: Grid, points: Mapping[str, Mapping[str, np.ndarray]]) -> Figure:
    """The points of each term, in its own colour: a rug in 1-D, else a scatter over two coordinates.

    A coordinate that is NaN is one over which the term integrates: a line along it, or nothing but the legend's words.
    grid: its coordinates and their ranges are the axes; points: term -> coordinate -> (n,).
    Raises ValueError where a term lacks a coordinate that is drawn.
    """
    drawn = grid.names if len(grid.names) == 1 else orient(grid, grid.names[:2])
    for term, coordinates in points.items():
        for name in drawn:
            if name not in coordinates:
                raise ValueError(f"points[{term!r}] has {', '.join(coordinates) or 'nothing'}; {name!r} is missing")
    return _draw_rug(title, grid, points) if len(drawn) == 1 else _draw_scatter(title, grid, points)


def _draw_rug(title: str, grid: Grid, points: Mapping[str, Mapping[str, np.ndarray]]) -> Figure:
    name = grid.names[0]
    with new_figure(7.6, 2.2 + 0.6 * max(1, len(points)), f"{title}collocation points") as figure:
        axes = figure.subplots()
        for row, coordinates in enumerate(points.values()):
            x = np.asarray(coordinates[name])
            x = x[np.isfinite(x)]
            few = len(np.unique(x)) <= FEW  # these are mostly ends, and a bar on the frame would not be seen
            marker, size = ("o", 9) if few else ("|", 18)
            style: dict[str, Any] = {"markersize": size, "markeredgewidth": 1.2, "clip_on": not few, "zorder": 3}
            axes.plot(x, np.full(len(x), row), marker, color=COLOURS[row % len(COLOURS)], **style)
        axes.set_yticks(range(len(points)), [_legend(term, points[term][name]) for term in points])
        axes.set_ylim(len(points) - 0.4, -0.6)
        axes.set_xlabel(grid.label(name))
        axes.set_xlim(*_range(name, grid, points))
        if not points:
            annotate_empty(axes, "no points")
        axes.grid(alpha=0.3, axis="x")
    return figure


def _draw_scatter(title: str, grid: Grid, points: Mapping[str, Mapping[str, np.ndarray]]) -> Figure:
    horizontal, vertical = orient(grid, grid.names[:2])
    x_range, y_range = _range(horizontal, grid, points), _range(vertical, grid, points)
    ratio, to_scale = (1.5, False)
    if grid.to_scale(horizontal, vertical):
        ratio, to_scale = shape_of(np.array(x_range), np.array(y_range))
    hidden = f", seen on {math_name(horizontal)} and {math_name(vertical)}" if len(grid.names) > 2 else ""
    # As wide as the plot and the legend beside it need.
    longest = max((len(term) for term in points), default=0)
    width, height = min(6.6, 4.4 * ratio), min(4.4, 6.6 / ratio)
    size = (max(6.8, width + 0.13 * longest + 2.8), max(3.0, height + 1.6))
    with new_figure(*size, f"{title}collocation points{hidden}") as figure:
        axes = figure.subplots()
        # The largest sets lie below, so that the few points of a condition stay visible.
        for number, term in sorted(enumerate(points), key=lambda item: -len(points[item[1]][horizontal])):
            x, y = np.asarray(points[term][horizontal]), np.asarray(points[term][vertical])
            _draw_lines(axes, x, y, COLOURS[number % len(COLOURS)])
            axes.plot(
                x,
                y,
                MARKERS[number % len(MARKERS)],
                color=COLOURS[number % len(COLOURS)],
                markersize=float(np.clip(90 / np.sqrt(max(1, len(x))), 1.5, 5.0)),
                markeredgewidth=0,
                rasterized=len(x) > 2000,
                clip_on=False,  # points on the boundary lie on the frame
                label=_legend(term, x, y),
            )
        if len(grid.names) == 2:
            outline(axes, grid, View(horizontal, vertical, {}))
        label_axes(axes, grid.label(horizontal), grid.label(vertical))
        scale_axes(axes, grid, horizontal, vertical)
        if to_scale:
            axes.set_aspect("equal")
        axes.set_xlim(*x_range)
        axes.set_ylim(*y_range)
        set_ticks(axes, grid, View(horizontal, vertical, {}))
        if points:
            legend = axes.legend(loc="upper left", bbox_to_anchor=(1.02, 1.0), borderaxespad=0.0, frameon=False)
            for handle in legend.legend_handles:
                cast(Line2D, handle).set_markersize(7)
        else:
            annotate_empty(axes, "no points")
    return figure


def _draw_lines(axes: Axes, x: np.ndarray, y: np.ndarray, colour: str) -> None:
    """Lines where a condition holds for an integral along an axis: its points are NaN there."""
    style: dict[str, Any] = {"color": colour, "linewidth": 1.0, "alpha": 0.6, "zorder": 1}
    for place in np.unique(x[np.isnan(y) & np.isfinite(x)])[:LINES]:
        axes.axvline(place, **style)
    for place in np.unique(y[np.isnan(x) & np.isfinite(y)])[:LINES]:
        axes.axhline(place, **style)


def _range(name: str, grid: Grid, points: Mapping[str, Mapping[str, np.ndarray]]) -> tuple[float, float]:
    """The range of a coordinate over the grid and all points."""
    everywhere = [grid.coordinates[name], *(term[name] for term in points.values())]
    return span(np.concatenate([np.ravel(values) for values in everywhere]))


def _legend(term: str, *places: np.ndarray) -> str:
    """The name of a term with the number of its points, or the word for an integral over all that is drawn."""
    count = len(places[0])
    if count and all(np.isnan(one).all() for one in places):
        return f"{plain_text(term)} (integral)"
    return f"{plain_text(term)} ({count})"
