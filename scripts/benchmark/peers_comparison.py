"""`python scripts/benchmark_peers.py`: five problems in pinnkit, DeepXDE, PINA, TorchPhysics and jinns.

The error after so many seconds of training, and the time of a step of Adam. Each run is a process of its own, one at a
time, on the same number of CPUs. The table goes to docs/results/peers.md and, for the shipped page, to the README.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from benchmark import peers_table
from benchmark.accuracy import code
from benchmark.accuracy_run import SLACK, Run, execute, last_message, train
from benchmark.step_comparison import cpu_model
from pinnkit.reporting.artifacts import RunFolder
from pinnkit.reporting.atomic import write_text
from pinnkit.runs.shipped import problems

HERE = Path(__file__).resolve().parent
SCRATCH = Path("outputs") / "peers"
OURS = peers_table.FRAMEWORKS[0]
TASKS = ("error", "step")
STEP_SECONDS = 3.0
"""Timed steps of Adam go on for so long at most."""
CANNOT: Mapping[tuple[str, str], str] = {
    ("jinns", "back_step_flow"): "it has boxes, and no domain with a corner cut out"
}


@dataclass(frozen=True)
class Size:
    """What all frameworks have alike: the network, and the points of the equations and of each condition."""

    width: int
    depth: int
    activation: str
    equations: int
    conditions: int

    def words(self) -> list[str]:
        return [word for name, value in asdict(self).items() for word in (f"--{name}", str(value))]


def size(problem: str, conf: Path) -> Size:
    """The size that pinnkit chooses for a shipped problem by itself, before it doubles any points."""
    from pinnkit.runs.resolved import resolved  # torch: not needed for --help

    settings = resolved(*posed(problem, conf))
    network, sampling = settings.network, settings.sampling
    return Size(network.width, network.depth, network.activation, sampling.equations, sampling.conditions)


def posed(problem: str, conf: Path) -> tuple[Any, Any]:
    """A shipped problem and the default settings."""
    from pinnkit.runs.validation import read_and_check

    words = yaml.safe_load(problems()[problem].read_text(encoding="utf-8"))
    return read_and_check({"pde": words, "problem_folder": conf / "pde"})


def save_reference(problem: str, conf: Path, path: Path) -> None:
    """Write the points (n, d) by which pinnkit measures a problem's error, and the fields (n, fields) there."""
    from pinnkit.references.choose import choose
    from pinnkit.runs.evaluation import grid_of

    found, _ = posed(problem, conf)
    reference = choose(found, None)
    grid = grid_of(found, reference).coordinates
    solution = reference(grid)
    points = np.stack([np.ravel(grid[name]) for name in found.coordinates], axis=1)
    values = np.stack([np.ravel(solution[field.name]) for field in found.fields], axis=1)
    inside = np.isfinite(values).all(axis=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, points=points[inside], values=values[inside])


def benchmark(argv: Sequence[str], scripts: Path) -> int:
    """Make every row that the options ask for and that is not there; the pages are written after each."""
    options = read(argv)
    confine(options.threads)
    conf, page = scripts.parent / "conf", options.out / "peers.json"
    options.out.mkdir(parents=True, exist_ok=True)
    report = json.loads(page.read_text()) if options.append and page.exists() else {"rows": []}
    report |= {
        "command": f"python scripts/benchmark_peers.py{shown(options)}",
        "machine": f"{os.cpu_count()} CPUs ({cpu_model()}), {options.threads} of them used",
        "seconds": options.seconds,
        "commit": code(scripts.parent, "pinnkit", "conf", "scripts"),
    }
    report |= {"note": options.note} if options.note else {}
    for problem, framework, task in runs(options):
        key = {"problem": problem, "framework": framework, "task": task, "seconds": options.seconds}
        if any(row.items() >= key.items() for row in report["rows"]):
            print(f"{problem}, {framework}, {task}: is there already", flush=True)
            continue
        chosen = size(problem, conf)
        row = {**key, "size": asdict(chosen), "seed": options.seed, "date": time.strftime("%Y-%m-%d")}
        began = clocks()
        row |= perform(problem, framework, task, chosen, options, scripts)
        wall, cpu = (after - before for before, after in zip(began, clocks(), strict=True))
        row["cpu_share"] = cpu / wall
        report["rows"] = [one for one in report["rows"] if not _same(one, row)] + [row]
        print(f"{problem}, {framework}, {task}: {peers_table.said(row)}", flush=True)
        write_text(page, text(report))
        write_text(options.out / "peers.md", peers_table.markdown(report))
    print("\n" + peers_table.table(report))
    readme = scripts.parent / "README.md"
    if options.out.resolve() == (scripts.parent / "docs" / "results").resolve():
        write_text(readme, peers_table.replaced(readme.read_text(encoding="utf-8"), peers_table.table(report)))
    return 0


def clocks() -> tuple[float, float]:
    """Seconds on the wall, and of the CPU that ended child processes have had."""
    used = os.times()
    return time.perf_counter(), used.children_user + used.children_system


def confine(threads: int) -> None:
    """Keep this process, and those that it starts, to so many CPUs and threads: XLA's pool is bound by nothing else."""
    os.environ |= {name: str(threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    os.environ |= {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"} if threads == 1 else {}
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])


def runs(options: argparse.Namespace) -> Iterator[tuple[str, str, str]]:
    """(problem, framework, task): the steps of a problem are timed one right after the other."""
    for problem in options.problems:
        for task in reversed(TASKS):
            for framework in options.frameworks:
                yield problem, framework, task


def perform(
    problem: str, framework: str, task: str, chosen: Size, options: argparse.Namespace, scripts: Path
) -> dict[str, Any]:
    """Do one run; what it found: error or ms_per_step, or a reason why there is none."""
    if reason := CANNOT.get((framework, problem)):
        return {"status": "cannot", "reason": reason}
    folder = (SCRATCH / f"{problem}_{framework}_{task}").resolve()
    if framework == OURS and task == "error":
        row = train(Run(problem, "auto", options.seed, options.seconds), scripts, folder)
        kept = ("status", "reason", "error", "steps", "train_time_s", "versions", "curve")
        recipe = "as it comes (auto: " + " then ".join(row["optimizers"]) + ")"
        compiled = RunFolder(folder).read_metrics().get("compile_time_s") if row["status"] == "finished" else None
        return {**{name: row[name] for name in kept}, "recipe": recipe, "compile_s": compiled}
    seconds = options.seconds if task == "error" else min(STEP_SECONDS, options.seconds)
    common = ["--problem", problem, "--seconds", f"{seconds:g}", "--seed", str(options.seed), *chosen.words()]
    common += ["--threads", str(options.threads)]
    if framework == OURS:
        words = [sys.executable, "-m", "benchmark.peers_step", *common]
        place = HERE.parent
    else:
        data = SCRATCH / f"{problem}.npz"
        if not data.exists():
            save_reference(problem, scripts.parent / "conf", data)
        python = options.jinns_python if framework == "jinns" else options.peers_python
        words = [python, "-m", f"peers.comparison_{framework.lower()}", "--task", task, *common, "--data", str(data)]
        place = HERE
    path = os.pathsep.join([str(place), *filter(None, [os.environ.get("PYTHONPATH")])])
    exit_code = execute(words, folder, seconds + SLACK, PYTHONPATH=path)
    return outcome(folder, exit_code, task)


def outcome(folder: Path, exit_code: int | None, task: str) -> dict[str, Any]:
    """What a program has printed: measurements {time, error, step}, versions, and its figures."""
    curve: list[list[float]] = []
    found: dict[str, Any] = {}
    for line in (folder / "stdout").read_text(errors="replace").splitlines():
        if line.startswith("{"):
            message = json.loads(line)
            if "error" in message:
                curve.append([message["time"], message["error"], message["step"]])
            else:
                found |= message
    finite = [point for point in curve if np.isfinite(point[1])]
    if task == "error" and curve:
        found |= {"error": curve[-1][1] if finite and finite[-1] == curve[-1] else None}
        found |= {"train_time_s": curve[-1][0], "steps": curve[-1][2], "curve": finite}
    wanted = "error" if task == "error" else "ms_per_step"
    if exit_code == 0 and found.get(wanted) is not None:
        return {**found, "status": "finished"}
    reason = "no end" if exit_code is None else f"exit {exit_code}: {last_message(folder)}"
    return {**found, "status": "failed", "reason": "not finite" if exit_code == 0 else reason}


def text(report: Mapping[str, Any]) -> str:
    """The report as JSON, a line for each row."""
    rows = ",\n".join(json.dumps(row) for row in report["rows"])
    rest = json.dumps({key: value for key, value in report.items() if key != "rows"}, indent=1)
    return f'{rest[:-2]},\n "rows": [\n{rows}\n ]\n}}\n'


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one[key] == other[key] for key in ("problem", "framework", "task"))


def shown(options: argparse.Namespace) -> str:
    """The options that are not the defaults, without folders and interpreters."""
    words = "" if options.problems == list(peers_table.PROBLEMS) else f" --problems {' '.join(options.problems)}"
    words += (
        "" if options.frameworks == list(peers_table.FRAMEWORKS) else f" --frameworks {' '.join(options.frameworks)}"
    )
    for name, default in (("seconds", 60.0), ("threads", 1), ("seed", 0)):
        value = getattr(options, name)
        words += "" if value == default else f" --{name} {value:g}"
    return words


def read(argv: Sequence[str]) -> argparse.Namespace:
    """The parsed command line."""
    parser = argparse.ArgumentParser(prog="benchmark_peers.py", description=__doc__)
    known, names = list(peers_table.PROBLEMS), list(peers_table.FRAMEWORKS)
    parser.add_argument("--problems", nargs="+", choices=known, default=known, metavar="NAME", help=", ".join(known))
    parser.add_argument("--frameworks", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--seconds", type=float, default=60.0, help="training of each run; default: 60")
    parser.add_argument("--threads", type=int, default=1, help="threads and CPUs of each run; default: 1")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--peers-python", default=sys.executable, help="the interpreter with the peers; default: this")
    parser.add_argument("--jinns-python", help="the interpreter with jinns; default: that of the peers")
    parser.add_argument("--out", type=Path, default=Path("docs") / "results", metavar="FOLDER")
    parser.add_argument("--note", metavar="TEXT", help="a line for the page, such as what else the machine did")
    parser.add_argument("--append", action="store_true", help="keep the rows that are there, and run what is missing")
    options = parser.parse_args(argv)
    options.jinns_python = options.jinns_python or options.peers_python
    return options
