"""One small picture of a solution: the view that says most, with the error beside it where there is a reference."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pinnkit.reporting.atomic import atomic
from pinnkit.reporting.curves import finish_curve
from pinnkit.reporting.distributions import draw_parity
from pinnkit.reporting.field_maps import View, draw_comparison, has_picture, orient, paint_view, set_ticks
from pinnkit.reporting.figure_style import COLOURS, REFERENCE, add_colour_bar, label_axes, new_figure, shape_of, span
from pinnkit.reporting.figures import modulus_label, phase
from pinnkit.reporting.grid import Grid
from pinnkit.reporting.labels import math_name
from pinnkit.reporting.planes import Planes, draw_planes
from pinnkit.reporting.scales import PHASE, Scale, signed_scale, solution_scale
from pinnkit.reporting.triangulation import draw_triangles, triangulated

PIXELS = 480
"""The width of a small picture."""
SNAPSHOTS = 3
COLOURS_OF_PNG = 256

Row = tuple[str, np.ndarray, Scale]
"""A label, values of the grid's shape, and their colours."""


def draw_overview(
    grid: Grid,
    fields: Mapping[str, np.ndarray],
    references: Mapping[str, np.ndarray],
    name: str | None = None,
    planes: Planes | None = None,
) -> Figure:
    """A field and its error, or modulus and phase of a complex one; all fields of one coordinate.

    Args:
        fields, references: arrays of the grid's shape, references for some of the fields.
        name: the field; the first by default.
        planes: what is drawn of four or more coordinates; without them values against reference.
    """
    fields = {key: grid.checked(key, values) for key, values in fields.items()}
    name = name or next(iter(fields))
    if len(grid.names) == 1:
        return _lines(grid, fields, references)
    if has_picture(grid):
        rows = _rows(grid, name, fields[name], references.get(name))
        return draw_comparison("", grid, rows, SNAPSHOTS) if len(grid.names) == 3 else _maps(grid, rows)
    if planes is not None:
        label, values, scale = _rows(planes.grid, name, planes.fields[name], planes.references.get(name))[0]
        return draw_planes("", planes.grid, values, scale, label)
    if name not in references:
        raise ValueError(f"{name} has no reference: over {len(grid.names)} coordinates there is nothing else to draw")
    labels = f"{math_name(name)}, reference", f"{math_name(name)}, network"
    return draw_parity("", fields[name], references[name], labels)


def save_small(figure: Figure, path: Path, width: int = PIXELS) -> None:
    """Write a figure as a PNG of this width in pixels, smooth and in few colours, so that pages load at once."""
    from PIL import Image

    figure.set_dpi(3 * width / figure.get_figwidth())
    figure.canvas.draw()
    image = Image.fromarray(np.asarray(cast(Any, figure.canvas).buffer_rgba())[..., :3].copy())
    small = image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)
    with atomic(path) as temporary:
        small.quantize(COLOURS_OF_PNG, dither=Image.Dither.NONE).save(temporary, "PNG", optimize=True)


def _rows(grid: Grid, name: str, values: np.ndarray, reference: np.ndarray | None) -> list[Row]:
    if np.iscomplexobj(values):
        sizes = np.abs(values), None if reference is None else np.abs(reference)
        first = (grid.label(name, modulus_label(name)), sizes[0], solution_scale(*sizes))
        return [first, (f"phase of {math_name(name)}", phase(values), PHASE)]
    rows = [(grid.label(name), values, solution_scale(values, reference))]
    if reference is not None:
        error = values - reference
        rows.append((grid.label(name, f"error of {math_name(name)}"), error, signed_scale(error)))
    return rows


def _lines(grid: Grid, fields: Mapping[str, np.ndarray], references: Mapping[str, np.ndarray]) -> Figure:
    """All fields over the one coordinate; beside them the errors on a logarithmic axis."""
    (name,) = grid.names
    order = np.argsort(grid.axis(name), kind="stable")
    x = grid.axis(name)[order]
    with new_figure(9.6, 4.2, "") as figure:
        panels = np.atleast_1d(cast(Any, figure.subplots(1, 2 if references else 1)))
        for place, (key, values) in enumerate(fields.items()):
            colour = COLOURS[place % len(COLOURS)]
            panels[0].plot(x, np.real(values[order]), color=colour, linewidth=3.0, label=grid.label(key))
            if key in references:
                panels[0].plot(x, np.real(references[key][order]), **REFERENCE)
                size = np.abs(values - references[key])[order]
                panels[1].semilogy(x, np.where(size > 0, size, np.nan), color=colour)
        for axes, label in zip(
            panels, ("" if len(fields) > 1 else grid.label(next(iter(fields))), "|error|"), strict=False
        ):
            finish_curve(axes, grid, name, label, x)
        if len(fields) > 1:
            figure.legend(loc="outside lower center", ncols=min(4, len(fields)), frameon=False)
    return figure


def _maps(grid: Grid, rows: list[Row]) -> Figure:
    """Maps side by side, or one above the other where they are wide."""
    horizontal, vertical = orient(grid, grid.names)
    spatial = grid.to_scale(*grid.names)
    ratio = shape_of(grid.axis(horizontal), grid.axis(vertical))[0] if spatial else 1.25
    stacked = ratio > 1.6
    shape = (len(rows), 1) if stacked else (1, len(rows))
    height = len(rows) * (7.4 / ratio + 0.9) if stacked else 3.0 / min(ratio, 1.25) + 1.2
    with new_figure(9.6, float(np.clip(height, 3.0, 9.0)), "") as figure:
        panels = figure.subplots(*shape, squeeze=False).ravel()
        for axes, (label, values, scale) in zip(panels, rows, strict=True):
            _paint(axes, grid, values, View(horizontal, vertical, {}), scale)
            axes.set_title(label)
            bare = Scale(scale.colours, scale.low, scale.high, scale.extend, scale.ticks)
            add_colour_bar(figure, [axes], bare, "")
    return figure


def _paint(axes: Axes, grid: Grid, values: np.ndarray, view: View, scale: Scale) -> None:
    if grid.structured:
        paint_view(axes, grid, values, view, scale, narrow=True)
        return
    known = np.isfinite(values)
    x, y = grid.axis(view.horizontal), grid.axis(view.vertical)
    triangles = triangulated(grid, view.horizontal, view.vertical, known)
    if triangles is None:
        axes.scatter(x[known], y[known], c=values[known], s=20, cmap=scale.colours, norm=scale.norm)
    else:
        draw_triangles(axes, triangles, np.where(known, values, 0.0), scale)
    grid.outlines.draw(axes, view.horizontal, view.vertical, grid.coordinates, {}, blank=True)
    axes.set_xlim(*span(x))
    axes.set_ylim(*span(y))
    if grid.to_scale(view.horizontal, view.vertical) and shape_of(x, y)[1]:
        axes.set_aspect("equal")
    label_axes(axes, grid.label(view.horizontal), grid.label(view.vertical))
    set_ticks(axes, grid, view, (3, 4))
