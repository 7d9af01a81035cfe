"""The error over the time of training, a line for each run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from benchmark.accuracy_run import OURS
from benchmark.accuracy_summary import label
from benchmark.targets import TARGETS
from pinnkit.reporting.figure_style import COLOURS, new_figure
from pinnkit.reporting.labels import plain_text


def draw(problem: str, rows: Sequence[Mapping[str, Any]]) -> Figure | None:
    """All runs of a problem on logarithmic axes, coloured by optimizer or framework; None where nothing was measured.

    A dot is the last error of a run; a black star a target, at the end of its budget.
    """
    rows = [row for row in rows if row["problem"] == problem and row["curve"]]
    if not rows:
        return None
    several = any(row["framework"] != OURS for row in rows)
    names = [f"{OURS}, {label(row)}" if several and row["framework"] == OURS else label(row) for row in rows]
    colours = {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(dict.fromkeys(names))}
    with new_figure(8.8, 5.4, plain_text(problem)) as figure:
        axes = figure.subplots()
        for name, row in sorted(zip(names, rows, strict=True), key=lambda pair: list(colours).index(pair[0])):
            times, errors = [point[0] for point in row["curve"]], [point[1] for point in row["curve"]]
            first = name not in axes.get_legend_handles_labels()[1]
            axes.plot(times, errors, color=colours[name], linewidth=1.8, label=name if first else None)
            axes.plot(times[-1:], errors[-1:], color=colours[name], marker="o", markersize=6)
        goals = [goal for goal in TARGETS[problem].goals if goal.seconds] if problem in TARGETS else []
        if goals:
            axes.plot(
                [goal.seconds for goal in goals], [goal.error for goal in goals],
                color="black", marker="*", markersize=15, linestyle="none", label="target",
            )  # fmt: skip
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))  # times may span less than two decades
        axes.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: f"{seconds:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel("seconds of training")
        axes.set_ylabel("relative $L^2$ error" if rows[0]["measured"].startswith("relative L2") else "relative error")
        axes.grid(alpha=0.3)
        axes.legend(loc="lower left", frameon=True, framealpha=0.9, edgecolor="none")
    return figure
