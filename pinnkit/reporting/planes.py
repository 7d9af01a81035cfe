"""Maps of fields over more than three coordinates, on planes through them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from matplotlib.figure import Figure

from pinnkit.reporting.field_maps import View, even_indices, orient, paint_view, view_title
from pinnkit.reporting.figure_style import add_colour_bar, new_figure, set_spaces, shape_of
from pinnkit.reporting.grid import Grid
from pinnkit.reporting.scales import Scale

COLUMNS = 3
"""Values of time or of a parameter at which planes are drawn."""


@dataclass(frozen=True, eq=False)
class Planes:
    """Fields and references on a grid of four or more coordinates, some of which have a single value."""

    grid: Grid
    fields: Mapping[str, np.ndarray]
    references: Mapping[str, np.ndarray] = field(default_factory=dict)


def rows_of_views(grid: Grid) -> list[list[View]]:
    """Planes of two space coordinates, by rows: at several times or parameters, through the middle of the others.

    Two space coordinates: a row for each value of the first of two coordinates that are not space; three: a row for
    each pair. With one space coordinate the planes have time, or a parameter, too.
    """
    varying = [name for name in grid.names if len(grid.axis(name)) > 1]
    space = [name for name in varying if grid.is_spatial(name)]
    frames = [*(name for name in grid.parameters if name in varying), *([grid.time] if grid.time in varying else [])]
    if len(space) < 2:
        space = [*space, *(frames.pop() for _ in range(min(len(frames), 2 - len(space))))]
    middle = {name: len(grid.axis(name)) // 2 for name in grid.names}
    pairs = list(itertools.combinations(space, 2))
    steps = [[(name, index) for index in even_indices(len(grid.axis(name)), COLUMNS)] for name in frames[-2:]]

    def view(pair: tuple[str, str], *fixed: tuple[str, int]) -> View:
        at = {name: index for name, index in (middle | dict(fixed)).items() if name not in pair}
        return View(*orient(grid, pair), at)

    if len(pairs) > 1 or len(steps) < 2:
        columns = steps[-1] if steps else [next(iter(middle.items()))]
        return [[view(pair, step) for step in columns] for pair in pairs]
    return [[view(pairs[0], row, step) for step in steps[1]] for row in steps[0]]


def draw_planes(caption: str, grid: Grid, values: np.ndarray, scale: Scale, label: str) -> Figure:
    """Colour maps of values (of the grid's shape) on planes through the grid."""
    rows = rows_of_views(grid)
    ratios = [shape_of(grid.axis(one.horizontal), grid.axis(one.vertical))[0] for row in rows for one in row]
    height = float(np.clip(11.0 / (max(ratios) * len(rows[0])), 1.8, 3.2))
    width = max(1.8, height * max(ratios)) * len(rows[0])
    with new_figure(width + 4.0, (height + 0.9) * len(rows) + 1.2, caption) as figure:
        set_spaces(figure, wspace=0.06, hspace=0.06)
        panels = figure.subplots(len(rows), len(rows[0]), squeeze=False)
        for axes, view in zip(panels.ravel(), itertools.chain(*rows), strict=True):
            paint_view(axes, grid, values, view, scale, narrow=True)
            axes.set_title(_short_title(grid, view))
        add_colour_bar(figure, list(panels.ravel()), scale, label)
    return figure


def _short_title(grid: Grid, view: View) -> str:
    """The values of at most two coordinates: those that vary from plane to plane come last."""
    varying = dict(list(view.at.items())[-2:])
    return view_title(grid, View(view.horizontal, view.vertical, varying))
