"""`python scripts/benchmark_accuracy.py`: problems x optimizers x seeds under a time budget; error against time.

Arguments KEY=VALUE are settings for every run, as for scripts/train.py.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from benchmark.accuracy_run import DEEPXDE, JINNS, OURS, Run, train, train_peer
from benchmark.accuracy_summary import missed, sound
from benchmark.accuracy_table import markdown, robustness_markdown
from benchmark.step_comparison import cpu_model
from benchmark.targets import TARGETS
from pinnkit.reporting.atomic import atomic, write_text
from pinnkit.runs.shipped import problems

HERE = Path(__file__).resolve().parent
SCRATCH = Path("outputs") / "accuracy"
DPI = 110

COMPARED = ("heat", "burgers")
"""The problems that the peers solve too."""
ROBUST_SECONDS, ROBUST_RUNS = 20.0, 20
"""The budget of each short run, and how many there are at least."""


def benchmark(argv: Sequence[str], scripts: Path) -> int:
    """Run what the arguments ask for; the pages are written after each run. 1 where a target is missed, else 0.

    With --robustness: 1 where a run does not end by itself with finite numbers.
    """
    options = read(argv, sorted(problems()))
    page = "robustness" if options.robustness else "accuracy"
    options.out.mkdir(parents=True, exist_ok=True)
    report = _former(options.out / f"{page}.json") if options.append else {"commands": [], "rows": []}
    report["commands"] = [*dict.fromkeys([*report["commands"], shown(argv)])]
    folder = SCRATCH / time.strftime("%Y-%m-%d_%H-%M-%S")
    machine = f"{os.cpu_count()} CPUs ({cpu_model()})"
    codes = {OURS: code(scripts.parent, "pinnkit", "conf")}
    for peer in (DEEPXDE, JINNS):
        codes[peer] = code(scripts.parent, "scripts/benchmark/peers")
    for run in runs(options):
        facts = {"commit": codes[run.framework]}
        if any(_same(row, {**run.words(), **facts}) for row in report["rows"]):
            print(f"{label(run)}: is there already", flush=True)
            continue
        row = perform(run, options, scripts, (folder / run.folder).resolve())
        row |= {**facts, "date": time.strftime("%Y-%m-%d"), "machine": machine}
        # A run of other code gives way to this one.
        report["rows"] = [one for one in report["rows"] if not _same({**one, **facts}, row)] + [row]
        error = "" if row["error"] is None else f"{row['error']:.2e} after {row['steps']} steps; "
        print(f"{label(run)}: {row['status']}, {error}{row['reason']}", flush=True)
        write(report, page, options.out, [run.problem])
    write(report, page, options.out, list(dict.fromkeys(row["problem"] for row in report["rows"])))
    rows = report["rows"]
    return int(not all(map(sound, rows)) if options.robustness else missed(rows))


def runs(options: argparse.Namespace) -> Iterator[Run]:
    """Everything that is to be run, problem by problem."""
    for problem in options.problems:
        target = TARGETS.get(problem)
        goal = (target.long if options.long else target.short) if target else None
        seconds = options.seconds or (goal.seconds if goal else None)
        seeds = options.seeds or list(range(target.seeds if target else 1))
        for optimizer in options.optimizers:
            for seed in seeds:
                yield Run(problem, optimizer, seed, seconds, tuple(options.overrides))
        if options.peers and problem in COMPARED:
            # They are compared by what they reach in the short budget, also where pinnkit goes on for longer.
            for peer in (DEEPXDE, JINNS):
                for seed in seeds:
                    yield Run(problem, "", seed, options.seconds or target.short.seconds, framework=peer)


def perform(run: Run, options: argparse.Namespace, scripts: Path, folder: Path) -> dict[str, Any]:
    """Do one run; its row."""
    if run.framework == OURS:
        return train(run, scripts, folder)
    data = folder.parent / f"{run.problem}.npz"
    if not data.exists():
        save_reference(run.problem, scripts.parent / "conf", data)
    python = options.jinns_python if run.framework == JINNS else options.peers_python
    return train_peer(run, python, f"peers.accuracy_{run.framework.lower()}", HERE, data, folder)


def save_reference(problem: str, conf: Path, path: Path) -> None:
    """Write the points by which pinnkit measures a problem's error, and the solution there, for the peers."""
    from pinnkit.references.choose import choose
    from pinnkit.runs.evaluation import grid_of  # slow to load, and needed with peers alone
    from pinnkit.runs.validation import read_and_check

    words = yaml.safe_load(problems()[problem].read_text(encoding="utf-8"))
    found, _ = read_and_check({"pde": words, "problem_folder": conf / "pde"})
    reference = choose(found, None)
    grid = grid_of(found, reference).coordinates
    points = np.stack([np.ravel(grid[name]) for name in found.coordinates], axis=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, points=points, u=np.reshape(reference(grid)["u"], (-1, 1)))


def write(report: dict[str, Any], page: str, out: Path, problems: Sequence[str]) -> None:
    """The rows as JSON, the page, and the figures of these problems."""
    if page == "accuracy":
        from benchmark.accuracy_figure import draw  # a second of import that --help need not pay

        pictures = report.setdefault("pictures", {})
        for problem in problems:
            figure = draw(problem, report["rows"])
            if figure is not None:
                pictures[problem] = f"accuracy_{problem}.png"
                with atomic(out / pictures[problem]) as temporary:
                    figure.savefig(temporary, dpi=DPI, format="png")
    # A line for each run: indented, the curves would take a line for each number.
    rows = ",\n".join(json.dumps(row, allow_nan=False) for row in report["rows"])
    rest = json.dumps({key: value for key, value in report.items() if key != "rows"}, indent=1)
    write_text(out / f"{page}.json", f'{rest[:-2]},\n "rows": [\n{rows}\n ]\n}}\n')
    text = markdown(report) if page == "accuracy" else robustness_markdown(report)
    write_text(out / f"{page}.md", text)


def code(root: Path, *paths: str) -> str:
    """The last commit that changed these paths, with a + where they have changes since; else pinnkit's version."""
    git = ["git", "-C", str(root)]
    try:
        last = subprocess.run([*git, "log", "-1", "--format=%h", "--", *paths], capture_output=True, text=True)
        changed = subprocess.run([*git, "status", "--porcelain", "--", *paths], capture_output=True, text=True)
    except FileNotFoundError:  # there is no git
        return version("pinnkit")
    return last.stdout.strip() + "+" * bool(changed.stdout) if last.stdout.strip() else version("pinnkit")


def shown(argv: Sequence[str]) -> str:
    """The command without interpreters and folders, which are this machine's own."""
    places = {"--peers-python": "PYTHON", "--jinns-python": "PYTHON", "--out": "FOLDER"}
    words: list[str] = []
    for word in argv:
        name = word.partition("=")[0]
        if words and words[-1] in places:
            words.append(places[words[-1]])
        else:
            words.append(f"{name}={places[name]}" if "=" in word and name in places else word)
    return shlex.join(["python", "scripts/benchmark_accuracy.py", *words])


def label(run: Run) -> str:
    """A run as a line of text."""
    name = " ".join([run.optimizer, *run.overrides]) if run.framework == OURS else run.framework
    budget = "default" if run.seconds is None else f"{run.seconds:g} s"
    return f"{run.problem}, {name}, seed {run.seed}, {budget}"


KEYS = ("framework", "problem", "optimizer", "seed", "seconds", "overrides", "commit")


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two rows are of the same run of the same code."""
    return all(one[key] == other[key] for key in KEYS)


def _former(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"commands": [], "rows": []}


def read(argv: Sequence[str], shipped: Sequence[str]) -> argparse.Namespace:
    """The parsed command line; `shipped` are the problems that there are."""
    parser = argparse.ArgumentParser(prog="benchmark_accuracy.py", description=__doc__)
    parser.add_argument("--problems", nargs="+", metavar="NAME", help="default: all that have a target")
    parser.add_argument("--optimizers", nargs="+", metavar="NAME", default=["auto"], help="default: auto")
    parser.add_argument(
        "--seeds", nargs="+", type=int, help="default: 0, or 0 1 2 where the target is one of three seeds"
    )
    parser.add_argument("--seconds", type=float, help="training time of each run; default: the target's")
    parser.add_argument("--long", action="store_true", help="the longer budget where a problem has two")
    parser.add_argument("--peers", action="store_true", help=f"DeepXDE and jinns too, on {' and '.join(COMPARED)}")
    parser.add_argument(
        "--peers-python", default=sys.executable, help="the interpreter that has DeepXDE; default: this"
    )
    parser.add_argument("--jinns-python", help="the interpreter that has jinns; default: that of the peers")
    parser.add_argument("--out", type=Path, default=Path("docs") / "results", metavar="FOLDER")
    parser.add_argument(
        "--append", "--resume", action="store_true", help="keep the rows that are there, and run only what is missing"
    )
    parser.add_argument(
        "--robustness",
        action="store_true",
        help=f"every shipped problem for {ROBUST_SECONDS:g} s, at least {ROBUST_RUNS} runs; writes robustness.md",
    )
    setting = [word for word in argv if "=" in word and not word.startswith("-")]
    options = parser.parse_args([word for word in argv if word not in setting])
    options.overrides = setting
    for name in options.problems or []:
        if name not in shipped:
            parser.error(f"there is no problem '{name}': choose of {', '.join(shipped)}")
    options.jinns_python = options.jinns_python or options.peers_python
    if options.robustness:
        options.problems = options.problems or list(shipped)
        options.seconds = options.seconds or ROBUST_SECONDS
        options.seeds = options.seeds or list(range(max(2, math.ceil(ROBUST_RUNS / len(options.problems)))))
    options.problems = options.problems or list(TARGETS)
    return options
