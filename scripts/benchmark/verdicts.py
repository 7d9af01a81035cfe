"""Verdicts on ten runs that are no solutions and on every shipped problem, as a page.

Rows are kept beside the page, so that it can be made in several sittings; a run that is made again replaces its row.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from benchmark.accuracy import code
from benchmark.library import TARGETS as LIBRARY
from benchmark.step_comparison import cpu_model
from benchmark.targets import TARGETS
from benchmark.unsolved import trials, write_table
from pinnkit.problem.problem import Problem
from pinnkit.reporting.atomic import write_text
from pinnkit.runs.judgement import judged
from pinnkit.runs.shipped import conf, problems
from pinnkit.runs.solution import Solution
from pinnkit.runs.solve import solve
from pinnkit.training.checkpoint_reader import read
from pinnkit.training.exceptions import Diverged
from pinnkit.verdict.judge import UNSOLVED

LEGEND = """\
Ten runs whose answer is no solution, and every shipped problem by its defaults (with the polish) and by random
features. *error*: the largest relative L2 error of a field, or relative error of a learned number. *verdict*: as the
run says it. *blind*: what it would say of the same run without a reference. *right?*: no answer that is far off is
called solved, and none that meets its target unsolved; *diverged*: the run ended with exit code 3 and said why.
`python scripts/benchmark_verdicts.py` makes the page."""
COLUMNS = ("run", "steps", "training (s)", "error", "target", "verdict", "blind", "right?")
FEATURES = " (features)"
"""What the name of a row by random features ends with."""
DIVERGED = "diverged"
"""In the place of the verdict of a run that ends with exit code 3."""
SOLVED = 1e-3
"""The error below which a run that was made to fail is a solution after all."""
QUIET = {"callbacks": {"progress": False, "figures": False}, "logger": {"tensorboard": False}}


def benchmark(argv: Sequence[str], scripts: Path) -> int:
    """Make the named runs, or those without a row; 1 where a verdict is wrong, else 0."""
    every = [*trials(), *problems()]
    parser = argparse.ArgumentParser(prog="benchmark_verdicts.py", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=scripts.parent / "docs" / "results")
    parser.add_argument("--max-time", type=float, default=60.0, help="seconds of training of a shipped problem")
    parser.add_argument("--features", action="store_true", help="the shipped problems by random features instead")
    parser.add_argument("runs", nargs="*", metavar="NAME", help=f"of {'; '.join(every)}")
    options = parser.parse_args(argv)
    if unknown := [name for name in options.runs if name not in every]:
        parser.error(f"there is no run {', '.join(unknown)}")
    file = options.out / "verdicts.json"
    rows = json.loads(file.read_text()) if file.exists() else {}
    if options.features:
        every = [name + FEATURES for name in problems()]
    chosen = [name + FEATURES * options.features for name in options.runs]
    for name in chosen or [name for name in every if name not in rows]:
        rows[name] = {**measured(name, options.max_time), "code": code(scripts.parent, "pinnkit", "conf")}
        print(" | ".join(cells(name, rows[name])), flush=True)
        write_text(file, json.dumps(rows, indent=1) + "\n")
        write_text(options.out / "verdicts.md", page(rows))
    return int(not all(right(name, row) for name, row in rows.items()))


def measured(name: str, seconds: float) -> dict[str, Any]:
    """The row of a run."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if problem(name) in problems():
            words = yaml.safe_load(problems()[problem(name)].read_text(encoding="utf-8"))
            settings = {"trainer": {"max_time": seconds}, **({"method": "features"} if name != problem(name) else {})}
        else:
            one = trials()[name]
            words = {key: value for key, value in one.problem.items() if value is not None}
            limit = {} if one.seconds is None else {"trainer": {"max_time": one.seconds}}
            settings = {**limit, **one.settings}
            if one.table is not None:
                write_table(folder / "table.npz", one.table)
                words["reference"] = str(folder / "table.npz")
        began = time.monotonic()
        made = {"date": time.strftime("%Y-%m-%d"), "machine": f"{os.cpu_count()} CPUs ({cpu_model()})"}
        try:
            solution = solve(Problem(folder=conf() / "pde", **words), folder / "run", {**QUIET, **settings})
        except Diverged as error:
            words = {"verdict": DIVERGED, "verdict_text": str(error), "blind": DIVERGED}
            return {"error": None, "steps": error.step, "train_time_s": time.monotonic() - began, **words, **made}
        metrics = solution.metrics
        errors = [*metrics["relative_l2"].values()]
        errors += [one["relative_error"] for one in metrics["learned"].values() if "relative_error" in one]
        return {
            "error": max(errors, default=None),
            **{key: metrics[key] for key in ("steps", "train_time_s", "verdict", "verdict_text")},
            "blind": _blind(solution),
            **made,
        }


def _blind(solution: Solution) -> str:
    """The verdict on a run as if it had no reference."""
    record = read(solution.folder / "checkpoints" / "last.ckpt")["callbacks"]["Record"]["rows"]
    rows = [{**row, "errors": {}} for row in record]
    metrics = {**solution.metrics, "relative_l2": {}, "learned": {}}
    return judged(solution.module, rows, (), None, metrics, solution.settings.seed, None)["verdict"]


def problem(name: str) -> str:
    """The name of the problem of a row."""
    return name.removesuffix(FEATURES)


def target(name: str) -> float | None:
    """The error that a shipped problem is to reach, where it has one."""
    name = problem(name)
    return TARGETS[name].long.error if name in TARGETS else LIBRARY.get(name)


def right(name: str, row: Mapping[str, Any]) -> bool:
    """Whether a verdict is no false word."""
    if name in trials():
        if row["error"] is not None and row["error"] < SOLVED:  # a polish may solve what training does not
            return row["verdict"] != UNSOLVED
        called = row["verdict"] == UNSOLVED and (row["blind"] == UNSOLVED or not trials()[name].blind)
        return called or row["verdict"] == DIVERGED
    error, goal = row["error"], target(name)
    if error is None:
        return bool(row["verdict"] != DIVERGED)
    if goal is not None and error <= goal:
        return row["verdict"] in ("solved", "falling") and row["blind"] != UNSOLVED
    return (error < 0.1 or row["verdict"] == UNSOLVED) and (error < 0.02 or row["blind"] != "solved")


def cells(name: str, row: Mapping[str, Any]) -> list[str]:
    """The cells of a run's line."""
    error, goal = row["error"], target(name)
    count, seconds = str(row["steps"]), f"{row['train_time_s']:.0f}"
    shown = [count, seconds, "" if error is None else f"{error:.1e}", "" if goal is None else f"{goal:.0e}"]
    answer = "yes" if right(name, row) else "**no**"
    return [problem(name), *shown, row["verdict"], row["blind"], answer]


def page(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """The page in Markdown."""
    dates = sorted({row["date"] for row in rows.values()})
    machines = "; ".join(sorted({row["machine"] for row in rows.values()}))
    head = ["# Verdicts", "", LEGEND, "", f"- date: {' to '.join(dict.fromkeys((dates[0], dates[-1])))}"]
    head += [f"- machine: {machines}", ""]
    parts = []
    features = [name + FEATURES for name in problems()]
    sections = {"No solutions": trials(), "Shipped problems": problems(), "Shipped problems by features": features}
    for title, names in sections.items():
        lines = [COLUMNS, ["---"] * len(COLUMNS), *(cells(name, rows[name]) for name in names if name in rows)]
        parts += [f"## {title}", "", *(f"| {' | '.join(line)} |" for line in lines), ""]
    told = [f"- {name}: {rows[name]['verdict_text']}" for name in trials() if name in rows]
    return "\n".join([*head, *parts, "## What the ten are told", "", *told]) + "\n"
