"""`python scripts/benchmark_hard_conditions.py --steps 500`: errors with hard conditions and without, as a table.

Each problem is solved twice with the same steps, network, points and seed: as it is shipped, and with `hard: true` in
every condition that can be hard. The table is printed, and takes the place of the one in
docs/language/hard_conditions.md.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

import pinnkit
from pinnkit.problem.problem import Problem
from pinnkit.reporting.atomic import write_text

PROBLEMS = (
    "parabolic/heat", "elliptic/poisson_2d", "parabolic/burgers", "hyperbolic/wave", "elliptic/poisson_disk"
)  # fmt: skip
HEADER = "| problem | steps | error, soft | error, hard | seconds, soft | seconds, hard |\n|---|---|---|---|---|---|\n"
TABLE = re.compile(re.escape(HEADER) + r"(\|.*\n)*")


def benchmark(argv: Sequence[str], root: Path) -> int:
    """Solve the problems, print the table and put it into the page; the exit code."""
    parser = argparse.ArgumentParser(prog="benchmark_hard_conditions.py", description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=2000, help="optimizer steps of each run")
    parser.add_argument("--page", type=Path, default=root / "docs" / "language" / "hard_conditions.md")
    parser.add_argument("problems", nargs="*", default=PROBLEMS, help="files below conf/pde, without .yaml")
    options = parser.parse_args(argv)
    table = HEADER
    for name in options.problems:
        row = "| " + " | ".join(cells(root / "conf" / "pde", name, options.steps)) + " |\n"
        print(row, end="", flush=True)
        table += row
    write_text(options.page, TABLE.sub(lambda _: table, options.page.read_text()))
    return 0


def cells(folder: Path, name: str, steps: int) -> Iterator[str]:
    """The cells of a problem's row."""
    path = folder / f"{name}.yaml"
    words = yaml.safe_load(path.read_text())
    metrics = [solved(folder, each, steps) for each in (words, hardened(words))]
    yield from (path.stem, str(steps))
    yield from (f"{max(one['relative_l2'].values()):.1e}" for one in metrics)
    yield from (f"{one['train_time_s']:.0f}" for one in metrics)


def hardened(words: Mapping[str, Any]) -> dict[str, Any]:
    """The problem with every condition hard, and so without the weights of these."""
    conditions = {
        name: {key: value for key, value in condition.items() if key != "weight"} | {"hard": True}
        for name, condition in words["conditions"].items()
    }
    return {**words, "conditions": conditions}


def solved(folder: Path, words: Mapping[str, Any], steps: int) -> Mapping[str, Any]:
    """The metrics of a run with shipped defaults."""
    settings = {
        "trainer": {"max_steps": steps},
        "callbacks": {"progress": False, "figures": False},
        "logger": {"tensorboard": False},
    }
    with tempfile.TemporaryDirectory() as run:
        return pinnkit.solve(Problem(folder=folder, **words), Path(run) / "run", settings).metrics
