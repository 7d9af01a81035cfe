"""Colour maps of one field over two or three coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pinnkit.reporting.figure_style import (
    add_colour_bar,
    draw_colour_map,
    few_ticks,
    label_axes,
    new_figure,
    set_spaces,
    shape_of,
    span,
)
from pinnkit.reporting.grid import Grid
from pinnkit.reporting.samples import Samples, draw_places
from pinnkit.reporting.scales import FLAT, Scale
from pinnkit.reporting.triangulation import draw_triangles, triangulated

SNAPSHOTS = 4
NEAR = 0.05
"""The share of a coordinate's range within which samples are drawn on a plane."""


@dataclass(frozen=True)
class View:
    """A plane through the grid: its horizontal and vertical coordinate, and the index of every other one."""

    horizontal: str
    vertical: str
    at: dict[str, int]


def has_picture(grid: Grid) -> bool:
    """Whether a colour map over this grid is possible: 2 or 3 axes, or scattered points in a plane."""
    return len(grid.names) == 2 or (grid.structured and len(grid.names) == 3)


def draw_field(
    caption: str, grid: Grid, values: np.ndarray, scale: Scale, label: str, samples: Samples | None = None
) -> Figure:
    """A colour map of values (of the grid's shape): one map, snapshots in time, or three mid-planes.

    caption: the title; label: what the colours mean; samples: what was measured, drawn over the map.
    """
    if not grid.structured:
        return _draw_scattered(caption, grid, values, scale, label)
    if len(grid.names) == 2:
        return _draw_map(caption, grid, values, scale, label, samples)
    return _draw_views(caption, grid, values, scale, label, samples)


def orient(grid: Grid, names: tuple[str, ...]) -> tuple[str, str]:
    """The horizontal and the vertical one of two coordinates: time runs to the right, or a parameter, space upwards."""
    first, second = names
    turned = second == grid.time or (second in grid.parameters and grid.is_spatial(first))
    return (second, first) if turned else (first, second)


def views(grid: Grid, snapshots: int = SNAPSHOTS) -> list[View]:
    """Planes through a grid of three coordinates: at several times, or parameters, or the three mid-planes."""
    along = grid.frames
    if along is not None:
        horizontal, vertical = orient(grid, tuple(name for name in grid.names if name != along))
        return [View(horizontal, vertical, {along: index}) for index in even_indices(len(grid.axis(along)), snapshots)]
    x, y, z = grid.names
    middle = {name: len(grid.axis(name)) // 2 for name in grid.names}
    return [View(x, y, {z: middle[z]}), View(x, z, {y: middle[y]}), View(y, z, {x: middle[x]})]


def even_indices(count: int, wanted: int) -> list[int]:
    """At most `wanted` indices, evenly from 0 to count - 1."""
    return sorted({round(index) for index in np.linspace(0, count - 1, wanted)})


def view_title(grid: Grid, view: View) -> str:
    return ", ".join(grid.quantity(name, _value(grid.axis(name), index)) for name, index in view.at.items())


def _value(along: np.ndarray, index: int) -> float:
    """A value of a coordinate, zero where it is so but for rounding."""
    return float(along[index]) if abs(along[index]) > FLAT * np.max(np.abs(along)) else 0.0


def paint_view(axes: Axes, grid: Grid, values: np.ndarray, view: View, scale: Scale, narrow: bool = False) -> None:
    x, y = grid.axis(view.horizontal), grid.axis(view.vertical)
    plane = grid.plane(values, view.horizontal, view.vertical, view.at)
    at = {name: grid.axis(name)[index] for name, index in view.at.items()}
    draw_colour_map(axes, x, y, grid.outlines.continued(plane, (view.horizontal, x), (view.vertical, y), at), scale)
    if grid.to_scale(view.horizontal, view.vertical) and shape_of(x, y)[1]:
        axes.set_aspect("equal")
    outline(axes, grid, view, blank=True)
    label_axes(axes, grid.label(view.horizontal), grid.label(view.vertical))
    scale_axes(axes, grid, view.horizontal, view.vertical)
    set_ticks(axes, grid, view, (3, 4) if narrow else (6, 8))


def set_ticks(axes: Axes, grid: Grid, view: View, most: tuple[int, int] = (6, 8)) -> None:
    """At most so many ticks on the horizontal and the vertical axis, where these are linear."""
    for axis, name, count in ((axes.xaxis, view.horizontal, most[0]), (axes.yaxis, view.vertical, most[1])):
        if name not in grid.logarithmic:
            few_ticks(axis, count)


def outline(axes: Axes, grid: Grid, view: View, blank: bool = False) -> None:
    """The outlines of shapes on a plane; blank: what lies outside of the domain is covered."""
    at = {name: grid.axis(name)[index] for name, index in view.at.items()}
    grid.outlines.draw(axes, view.horizontal, view.vertical, grid.coordinates, at, blank)


def draw_comparison(
    caption: str, grid: Grid, rows: list[tuple[str, np.ndarray, Scale]], snapshots: int = SNAPSHOTS
) -> Figure:
    """A row of views for each (label, values, scale) over a grid of three coordinates."""
    planes = views(grid, snapshots)
    widths, height = _panel_sizes(grid, planes)
    with new_figure(sum(widths) + 3.4, height * len(rows) + 1.9, caption) as figure:
        set_spaces(figure, wspace=0.06)
        shared = {"sharex": True, "sharey": True} if grid.frames is not None else {"width_ratios": widths}
        all_axes = figure.subplots(len(rows), len(planes), squeeze=False, **shared)
        for row, (label, values, scale) in zip(all_axes, rows, strict=True):
            for axes, view in zip(row, planes, strict=True):
                paint_view(axes, grid, values, view, scale, narrow=True)
                if grid.frames is not None:
                    axes.label_outer()
            add_colour_bar(figure, list(row), scale, label)
        for axes, view in zip(all_axes[0], planes, strict=True):
            axes.set_title(view_title(grid, view))
    return figure


def _draw_samples(axes: Axes, grid: Grid, samples: Samples | None, view: View, scale: Scale) -> None:
    """The samples that lie on a plane, or near it."""
    if samples is None:
        return
    near = np.full(len(samples), True)
    for name, index in view.at.items():
        along = grid.axis(name)
        near &= np.abs(samples.coordinates[name] - along[index]) <= NEAR * np.ptp(along)
    draw_places(axes, samples.chosen(near), view.horizontal, view.vertical, scale)


def _draw_map(
    caption: str, grid: Grid, values: np.ndarray, scale: Scale, label: str, samples: Samples | None
) -> Figure:
    horizontal, vertical = orient(grid, grid.names)
    view = View(horizontal, vertical, {})
    if not grid.to_scale(*grid.names):
        with new_figure(7.2, 4.6, caption) as figure:
            axes = figure.subplots()
            paint_view(axes, grid, values, view, scale)
            _draw_samples(axes, grid, samples, view, scale)
            add_colour_bar(figure, [axes], scale, label)
        return figure
    ratio, _ = shape_of(grid.axis(horizontal), grid.axis(vertical))
    flat = ratio > 1.6
    with new_figure(*plane_size(ratio), caption) as figure:
        axes = figure.subplots()
        paint_view(axes, grid, values, view, scale)
        _draw_samples(axes, grid, samples, view, scale)
        add_colour_bar(figure, [axes], scale, label, horizontal=flat)
    return figure


def _draw_views(
    caption: str, grid: Grid, values: np.ndarray, scale: Scale, label: str, samples: Samples | None
) -> Figure:
    planes = views(grid)
    widths, height = _panel_sizes(grid, planes)
    snapshots = grid.frames is not None
    with new_figure(sum(widths) + (3.4 if snapshots else 4.6), height + 1.6, caption) as figure:
        set_spaces(figure, wspace=0.06)
        row = figure.subplots(1, len(planes), squeeze=False, sharey=snapshots, width_ratios=widths)[0]
        for axes, view in zip(row, planes, strict=True):
            paint_view(axes, grid, values, view, scale, narrow=True)
            _draw_samples(axes, grid, samples, view, scale)
            axes.set_title(view_title(grid, view))
            if snapshots:
                axes.label_outer()
        add_colour_bar(figure, list(row), scale, label)
    return figure


def _draw_scattered(caption: str, grid: Grid, values: np.ndarray, scale: Scale, label: str) -> Figure:
    """Scattered points in a plane: coloured triangles, where the domain is, or dots where they make none."""
    horizontal, vertical = orient(grid, grid.names)
    x, y = grid.axis(horizontal), grid.axis(vertical)
    spatial = grid.to_scale(*grid.names)
    ratio, to_scale = shape_of(x, y) if spatial else (1.5, False)
    flat = ratio > 1.6 and spatial
    with new_figure(*plane_size(ratio), caption) as figure:
        axes = figure.subplots()
        known = np.isfinite(values)
        view = View(horizontal, vertical, {})
        triangles = triangulated(grid, horizontal, vertical, known)
        if triangles is None:
            size = float(np.clip(80000.0 / len(x), 4.0, 60.0))
            style: dict[str, Any] = {
                "s": size,
                "cmap": scale.colours,
                "norm": scale.norm,
                "linewidths": 0,
                "rasterized": True,
            }
            axes.scatter(x[known], y[known], c=values[known], **style)
            outline(axes, grid, view)
        else:
            draw_triangles(axes, triangles, np.where(known, values, 0.0), scale)  # no triangle has an unknown one
            outline(axes, grid, view, blank=True)
        set_ticks(axes, grid, view)
        axes.set_xlim(*(span(x) if triangles else _with_margin(x)))
        axes.set_ylim(*(span(y) if triangles else _with_margin(y)))
        if to_scale:
            axes.set_aspect("equal")
        label_axes(axes, grid.label(horizontal), grid.label(vertical))
        add_colour_bar(figure, [axes], scale, label, horizontal=flat)
    return figure


def scale_axes(axes: Axes, grid: Grid, horizontal: str, vertical: str) -> None:
    """Logarithmic axes for the coordinates that count by their logarithm."""
    if horizontal in grid.logarithmic:
        axes.set_xscale("log")
    if vertical in grid.logarithmic:
        axes.set_yscale("log")


def _with_margin(values: np.ndarray) -> tuple[float, float]:
    low, high = span(values)
    return low - 0.03 * (high - low), high + 0.03 * (high - low)


def _panel_sizes(grid: Grid, planes: list[View]) -> tuple[list[float], float]:
    """Widths in inches of panels side by side, each in proportion, and the height of all."""
    ratios = [shape_of(grid.axis(view.horizontal), grid.axis(view.vertical))[0] for view in planes]
    height = float(np.clip(11.0 / sum(ratios), 1.6, 3.0))
    return [max(1.4, height * ratio) for ratio in ratios], height


def plane_size(ratio: float) -> tuple[float, float]:
    """Width and height in inches of a sheet with one plane of this ratio, colour bar and titles."""
    if ratio > 1.6:
        return 8.0, 6.6 / ratio + 2.4
    return max(5.8, 4.9 * ratio + 2.0), 5.8
