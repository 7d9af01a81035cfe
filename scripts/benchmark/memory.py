"""`python scripts/benchmark_memory.py -- COMMAND ...`: the memory of a long run over its time, as a table and a figure.

Memory is what the largest process that the command starts holds for itself (USS), measured from outside.
"""

from __future__ import annotations

import argparse
import shlex
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import psutil

from benchmark.step_comparison import cpu_model
from pinnkit.reporting.atomic import atomic, write_text
from pinnkit.reporting.figure_style import COLOURS, new_figure

EVERY = 10.0
"""Seconds between measurements."""
SETTLED = 120.0
"""Seconds after which imports, compilation and the first draws are over."""


def benchmark(argv: Sequence[str], root: Path) -> int:
    """Run the command to its end, and write memory.md and memory.png; its exit code."""
    parser = argparse.ArgumentParser(prog="benchmark_memory.py", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--out", type=Path, default=root / "docs" / "results", help="folder of memory.md and memory.png"
    )
    parser.add_argument("command", nargs="+", help="what is run, after --")
    options = parser.parse_args(argv)
    process = psutil.Popen(options.command)
    began, rows = time.monotonic(), []
    while True:
        try:
            process.wait(EVERY)
            break
        except psutil.TimeoutExpired:
            if size := held(process):
                rows.append((time.monotonic() - began, size))
    options.out.mkdir(parents=True, exist_ok=True)
    seconds, megabytes = np.array(rows).reshape(-1, 2).T
    write_text(options.out / "memory.md", page(shlex.join(options.command), seconds, megabytes))
    with new_figure(8.8, 4.4, "Memory of a run") as figure:
        axes = figure.subplots()
        axes.plot(seconds / 60, megabytes, color=COLOURS[0])
        axes.set_ylim(0, None)
        axes.set_xlabel("minutes")
        axes.set_ylabel("memory (MB)")
        axes.grid(alpha=0.3)
    with atomic(options.out / "memory.png") as temporary:
        figure.savefig(temporary, format="png", dpi=110)
    return process.returncode


def held(process: psutil.Process) -> float:
    """Megabytes that the largest of a process and those that it has started holds for itself."""
    found = [0.0]
    for one in [process, *process.children(recursive=True)]:
        try:
            found.append(one.memory_full_info().uss / 1e6)
        except psutil.Error:  # it has ended meanwhile
            continue
    return max(found)


def page(command: str, seconds: np.ndarray, megabytes: np.ndarray) -> str:
    """The table as Markdown."""
    late = seconds >= SETTLED
    lines = [
        "# Memory of a long run",
        "",
        f"Made by `python scripts/benchmark_memory.py -- {command}` on {time.strftime('%Y-%m-%d')}, "
        f"{psutil.cpu_count()} CPUs ({cpu_model()}).",
        f"What the largest process of the command holds for itself (USS), every {EVERY:g} s; *growth*: the slope of",
        f"the line through the values after {SETTLED:g} s.",
        "",
        "| from (min) | to (min) | least (MB) | median (MB) | most (MB) |",
        "| --- | --- | --- | --- | --- |",
    ]
    for part in np.array_split(np.flatnonzero(late), 5):
        if len(part):
            a, b = seconds[part[[0, -1]]] / 60
            values = megabytes[part]
            lines.append(f"| {a:.1f} | {b:.1f} | {values.min():.1f} | {np.median(values):.1f} | {values.max():.1f} |")
    if late.sum() > 1:
        growth = np.polyfit(seconds[late] / 60, megabytes[late], 1)[0]
        lines += ["", f"Growth: {growth:+.3f} MB a minute.", "", "![memory over time](memory.png)"]
    return "\n".join([*lines, ""])
