"""Grids and figures of the tests of reporting."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

from pinnkit.reporting.figures import Grid, History, draw

NO_HISTORY = History([], [], [])


def mesh(**axes: np.ndarray) -> Grid:
    coordinates = dict(zip(axes, np.meshgrid(*axes.values(), indexing="ij"), strict=True))
    return Grid(coordinates, structured=True, time="t" if "t" in axes else None)


def drawn(grid: Grid, fields, references=None, residuals=None, history=NO_HISTORY, points=None, title="heat"):
    return draw(title, grid, fields, references or {}, residuals or {}, history, points or {})


def render(figures: Mapping[str, Figure]) -> None:
    """Draw to the pixels: texts that cannot be set and layouts that do not fit raise only then."""
    for figure in figures.values():
        figure.set_dpi(40)
        figure.canvas.draw()


def titles(figures: Mapping[str, Figure]) -> dict[str, str]:
    return {name: figure.get_suptitle() for name, figure in figures.items()}


def colours(axes: Axes) -> QuadMesh:
    (found,) = (item for item in axes.collections if isinstance(item, QuadMesh))
    return found
