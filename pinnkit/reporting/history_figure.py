"""Figure of the training history: losses and errors over the steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pinnkit.reporting.figure_style import COLOURS, annotate_empty, new_figure, span
from pinnkit.reporting.labels import math_name, number, plain_text
from pinnkit.reporting.log_ticks import set_log_ticks


@dataclass(frozen=True, eq=False)
class History:
    """What was logged while training; k entries, none is allowed.

    steps, time_s, loss: (k,), the step, seconds of training until then, and the objective; terms: the loss
    of each term, (k,) each; errors: the relative L2 error of each field, (k,) each, NaN where it was not
    measured; phases: (first step, optimizer's name) in order; learned: the value of each learned parameter, (k,) each.

    Raises ValueError for arrays of different lengths.
    """

    steps: np.ndarray
    time_s: np.ndarray
    loss: np.ndarray
    terms: Mapping[str, np.ndarray] = field(default_factory=dict)
    errors: Mapping[str, np.ndarray] = field(default_factory=dict)
    phases: Sequence[tuple[int, str]] = ()
    learned: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("steps", "time_s", "loss"):
            object.__setattr__(self, name, self._checked(name, getattr(self, name)))
        for name in ("terms", "errors", "learned"):
            curves = {key: self._checked(f"{name}[{key!r}]", values) for key, values in getattr(self, name).items()}
            object.__setattr__(self, name, curves)

    def _checked(self, name: str, values: np.ndarray) -> np.ndarray:
        array = np.asarray(values, dtype=np.float64)
        expected = (len(self.steps),)
        if array.shape != expected:
            raise ValueError(f"history: {name} has shape {array.shape}; steps has {expected}, all must be the same")
        return array


def draw_history(title: str, history: History) -> Figure:
    """Objective and terms on a logarithmic axis with the phases marked; below, the errors if there are any.

    Values that are zero or negative have no logarithm and leave a gap, as NaN does.
    """
    errors = {name: values for name, values in history.errors.items() if np.any(_positive(values))}
    # A panel is at least as high as its legend.
    entries = [1 + len(history.terms), *([len(errors)] if errors else [])]
    heights = [max(3.8, 0.42 * count) for count in entries]
    with new_figure(9.6, sum(heights) + 1.4, f"{title}{_outcome(history)}") as figure:
        panels = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
        _draw_losses(panels[0], history)
        if errors:
            _draw_errors(panels[1], history, errors)
        mark_phases(list(panels), history)
        panels[-1].set_xlabel("step")
        panels[-1].set_xlim(*span(history.steps))
    return figure


def _outcome(history: History) -> str:
    if not len(history.steps):
        return "no training history"
    objective = number(history.loss[-1])
    return f"objective {objective} after {history.steps[-1]:.0f} steps, {history.time_s[-1]:.3g} s"


def _draw_losses(axes: Axes, history: History) -> None:
    objective: dict[str, Any] = {"color": "black", "linewidth": 3.6}
    curves = [("objective", history.loss, objective)]
    curves += [(plain_text(name), values, _colour(i)) for i, (name, values) in enumerate(history.terms.items())]
    for label, values, style in curves:
        shown = np.where(_positive(values), values, np.nan)
        axes.plot(history.steps, shown, label=label, **style, **_dots(values))
    _finish(axes, "loss", any(np.any(_positive(values)) for _, values, _ in curves))


def _draw_errors(axes: Axes, history: History, errors: Mapping[str, np.ndarray]) -> None:
    for place, (name, values) in enumerate(errors.items()):
        # Errors are measured now and then: the line joins what was measured.
        measured = _positive(values)
        label = math_name(name)
        axes.plot(history.steps[measured], values[measured], label=label, **_colour(place), **_dots(values))
    _finish(axes, "relative $L^2$ error", True)


def _finish(axes: Axes, label: str, logarithmic: bool) -> None:
    axes.set_ylabel(label)
    if logarithmic:
        axes.set_yscale("log")
        set_log_ticks(axes.yaxis)
    else:
        annotate_empty(axes, "no finite, positive value")
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0, frameon=False)


def mark_phases(panels: Sequence[Axes], history: History, named: bool = True) -> None:
    """A line where each phase but the first begins; named: the optimizers' names above the upper panel."""
    if not history.phases or not len(history.steps):
        return
    left, right = float(history.steps[0]), float(history.steps[-1])
    ends = [*(start for start, _ in history.phases[1:]), np.inf]
    # A resumed run's history may begin within a later phase.
    shown = [
        (max(start, left), min(end, right), name)
        for (start, name), end in zip(history.phases, ends, strict=True)
        if start <= right and end > left
    ]
    # Names that would run into one another are set at a slant, and apart.
    crowded = any(end - start < 0.03 * len(name) * (right - left) for start, end, name in shown)
    place = -np.inf
    for start, _, name in shown:
        if start > left:
            for axes in panels:
                axes.axvline(start, color="0.35", linewidth=1.2, linestyle=":")
        if not named:
            continue
        place = max(start, place + 0.05 * (right - left))
        panels[0].annotate(
            plain_text(name),
            (place, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(2, 5),
            textcoords="offset points",
            rotation=40 if crowded and len(shown) > 1 else 0,
            rotation_mode="anchor",
            color="0.25",
            annotation_clip=False,
        )


def _positive(values: np.ndarray) -> np.ndarray:
    return np.isfinite(values) & (values > 0)


def _dots(values: np.ndarray) -> dict[str, Any]:
    """Dots where there are few values: a line through one point cannot be seen."""
    return {"marker": "o", "markersize": 5} if np.count_nonzero(_positive(values)) < 30 else {}


def _colour(place: int) -> dict[str, Any]:
    """A colour, and a new dash pattern each time the colours are used up."""
    dashes = ("-", "--", "-.", ":")
    return {
        "color": COLOURS[place % len(COLOURS)],
        "linestyle": dashes[place // len(COLOURS) % len(dashes)],
    }
