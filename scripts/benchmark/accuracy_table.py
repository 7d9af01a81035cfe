"""From the rows of all runs to a page in Markdown."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from benchmark.accuracy_run import OURS
from benchmark.accuracy_summary import Row, against, label, summary
from benchmark.targets import SPREAD

COLUMNS = (
    "problem", "error of", "budget", "optimizer", "seeds", "median", "worst", "target", "met?", "time to target (s)",
    "steps", "how it ended",
)  # fmt: skip
RUNS = (
    "problem",
    "budget",
    "optimizer",
    "seed",
    "status",
    "error",
    "steps",
    "evaluations",
    "training (s)",
    "reason",
    "code",
)

LEGEND = f"""\
Each run is a process of its own, `scripts/train.py` with the defaults and `trainer.max_time` as its budget (*default*:
without one; it ends by itself). The error is the relative L2 error of the worst field on the grid of the reference (of
coefficients that are learned: the relative error of the worst). Time is that of training: it holds the choice and the
compilation of the derivatives, the redrawing of points and the measuring of the error every 100 steps, and leaves out
imports and the evaluation at the end. *median* and *worst* are over the seeds, a run without an error counts as
infinite; a target is met where the median is at most the target and the worst at most {SPREAD:g} times the median.
*time to target* is the median over the seeds of the time of the first measurement that was at most the target. *of the
N s run*: the last error that a longer run had measured when the budget was over (a longer budget may let `auto` choose
otherwise)."""

PEERS = """\
The same equations with an MLP 3x20 in float64 (pinnkit's own default is 3x30 for burgers): DeepXDE by its usual recipe
(Adam for 40 % of the time, then L-BFGS), jinns by its self-scaled Broyden with its own line search, both on points that
are drawn once (heat 2000 inside, 200 at the ends, 200 at the start; burgers 8000, 200, 200). Their clocks stand still
while the error is measured, and jinns' begins after compilation; pinnkit's run through both. See
`scripts/benchmark/peers/`."""


def markdown(report: Mapping[str, Any]) -> str:
    """The page of the accuracies."""
    rows = report["rows"]
    lines = [*_head("Accuracy under a time budget", report), LEGEND, ""]
    lines += _table(COLUMNS, [_summary_cells(row) for row in summary(rows)])
    lines += _pictures(report)
    if any(row["framework"] != OURS for row in rows):
        lines += ["## Beside other frameworks", "", PEERS, "", *_beside(rows)]
    return "\n".join([*lines, *_runs(rows)]).rstrip() + "\n"


def robustness_markdown(report: Mapping[str, Any]) -> str:
    """The page of the short runs of every problem."""
    rows = report["rows"]
    ended = Counter(row["status"] for row in rows)
    message = ", ".join(f"{count} {status}" for status, count in ended.most_common())
    lines = _head("Short runs of every shipped problem", report)
    lines += [f"{len(rows)} runs: {message}. None may crash, hang, diverge or give a number that is not finite.", ""]
    return "\n".join([*lines, *_runs(rows)]).rstrip() + "\n"


def _head(title: str, report: Mapping[str, Any]) -> list[str]:
    rows = report["rows"]
    machines = "; ".join(sorted({row["machine"] for row in rows}))
    dates = sorted({row["date"] for row in rows})
    between = f"{dates[0]} to {dates[-1]}" if len(dates) > 1 else "".join(dates)
    known = sorted({f"{name} {number}" for row in rows for name, number in row["versions"].items()})
    commands = "; ".join(f"`{command}`" for command in report["commands"])
    head = [f"# {title}", "", f"Made by {commands}.", "", f"- date: {between}", f"- machine: {machines}"]
    return [*head, f"- versions: {', '.join(known)}", ""]


def _pictures(report: Mapping[str, Any]) -> list[str]:
    pictures = [f"![{problem}: error against time]({name})" for problem, name in report.get("pictures", {}).items()]
    return ["## Error against time", "", *(line for one in pictures for line in (one, ""))] if pictures else []


def _beside(rows: Sequence[Row]) -> list[str]:
    cells = []
    compared = dict.fromkeys(row["problem"] for row in rows if row["framework"] != OURS)
    for problem in compared:
        groups: dict[tuple[float, str], list[Row]] = {}
        for row in rows:
            if row["problem"] == problem and row["seconds"]:
                name = f"{OURS}, {label(row)}" if row["framework"] == OURS else label(row)
                groups.setdefault((row["seconds"], name), []).append(row)
        for (seconds, name), group in sorted(groups.items()):
            errors = [math.inf if row["error"] is None else row["error"] for row in group]
            steps = [row["steps"] for row in group if row["steps"] is not None]
            figures = [_number(statistics.median(errors)), _number(max(errors))]
            ended = "; ".join(dict.fromkeys(str(row["reason"]) for row in group))
            count = f"{statistics.median(steps):.0f}" if steps else ""
            cells.append([problem, _budget(seconds), name, str(len(group)), *figures, count, ended])
    lines = _table(("problem", "budget", "framework", "seeds", "median", "worst", "steps", "how it ended"), cells)
    shares = [
        [
            one["problem"],
            f"{one['error']:.2e} after {one['seconds']:g} s",
            one["optimizer"],
            _time(one["time"]),
            f"{one['share']:.0%}" if math.isfinite(one["share"]) else "",
        ]
        for one in against(rows)
    ]
    columns = ("problem", "jinns' median error", "pinnkit", "pinnkit has it after (s)", "share of jinns' time")
    return [*lines, *_table(columns, shares)] if shares else lines


def _runs(rows: Sequence[Row]) -> list[str]:
    cells = [
        [
            row["problem"],
            _budget(row["seconds"]),
            label(row),
            str(row["seed"]),
            row["status"],
            "" if row["error"] is None else f"{row['error']:.2e}",
            _whole(row["steps"]),
            _whole(row["evaluations"]),
            "" if row["train_time_s"] is None else f"{row['train_time_s']:.1f}",
            row["reason"] or "",
            row["commit"],
        ]
        for row in sorted(rows, key=lambda row: (row["problem"], row["framework"] != OURS, label(row), row["seed"]))
    ]
    message = "*code* is the last commit that changed what the run executes; + where it had changes of its own."
    return ["## How each run ended", "", message, "", *_table(RUNS, cells)]


def _summary_cells(row: Row) -> list[str]:
    met = "" if row["met"] is None else "yes" if row["met"] else "no"
    if row["met"] is False and row["median"] <= row["target"]:
        met = f"no: the worst is {row['worst'] / row['median']:.0f} times the median"
    if row["met"] and row["seeds"] < row["seeds_wanted"]:
        met = f"yes, of {row['seeds_wanted']} seeds {row['seeds']}"
    budget = _budget(row["seconds"])
    return [
        row["problem"],
        row["measured"],
        f"{budget} of the {row['read_from']:g} s run" if row["read_from"] else budget,
        row["optimizer"],
        str(row["seeds"]),
        _number(row["median"]),
        _number(row["worst"]),
        "" if row["target"] is None else f"{row['target']:.0e}",
        met,
        _time(row["time_to_target"]) if row["measured_while_training"] else "",
        "" if row["steps"] is None else f"{row['steps']:.0f}",
        row["ended"],
    ]


def _budget(seconds: float | None) -> str:
    return "default" if seconds is None else f"{seconds:g} s"


def _time(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds:.1f}" if math.isfinite(seconds) else "not reached"


def _number(value: float) -> str:
    return f"{value:.2e}" if math.isfinite(value) else "none"


def _whole(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"


def _table(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> list[str]:
    def line(parts: Sequence[str]) -> str:
        return f"| {' | '.join(' '.join(part.split()).replace('|', chr(92) + '|') for part in parts)} |"

    return [line(columns), f"|{' --- |' * len(columns)}", *map(line, cells), ""]
