"""Figure of the learned parameters over the steps of training."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from pinnkit.reporting.figure_style import COLOURS, REFERENCE, new_figure, span
from pinnkit.reporting.grid import Grid
from pinnkit.reporting.history_figure import History, mark_phases
from pinnkit.reporting.labels import math_name

MOST = 12
"""Parameters that have a panel at most."""


def draw_learned(title: str, grid: Grid, history: History, truths: Mapping[str, float]) -> Figure:
    """A panel for each parameter, with its last value in the title and its exact one dashed, where it is known."""
    names = list(history.learned)[:MOST]
    columns = 1 if len(names) <= 4 else 2
    rows = -(-len(names) // columns)
    left_out = f" (the first {MOST} of {len(history.learned)})" if len(history.learned) > MOST else ""
    with new_figure(8.4 * columns**0.5, 1.6 + 2.6 * rows, f"{title}learned parameters{left_out}") as figure:
        panels = figure.subplots(rows, columns, sharex=True, squeeze=False).ravel()
        for place, (axes, name) in enumerate(zip(panels, names, strict=False)):
            values = history.learned[name]
            few = {"marker": "o", "markersize": 5} if len(values) < 30 else {}
            colour = COLOURS[place % len(COLOURS)]
            axes.plot(history.steps, values, color=colour, label="learned", **few)
            last = f"{math_name(name)} = {values[-1]:.5g}" if len(values) else math_name(name)
            if name in truths:
                axes.axhline(truths[name], label="exact", **REFERENCE)
                last += f", exact {truths[name]:.5g}"
            axes.set_title(last, loc="right", fontsize="medium")
            axes.set_ylabel(grid.label(name))
            axes.set_xlim(*span(history.steps))
            axes.grid(alpha=0.3)
            if axes.get_subplotspec().is_last_row() or place + columns >= len(names):
                axes.set_xlabel("step")
                axes.tick_params(labelbottom=True)
        for axes in panels[len(names) :]:
            axes.set_visible(False)
        mark_phases(list(panels[: len(names)]), history, named=False)
        if any(name in truths for name in names):
            handles, labels = next(
                axes.get_legend_handles_labels() for axes, name in zip(panels, names, strict=False) if name in truths
            )
            figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
    return figure


def moving(history: History) -> bool:
    """Whether there are learned parameters with values to draw."""
    return bool(len(history.steps)) and any(np.isfinite(values).any() for values in history.learned.values())
