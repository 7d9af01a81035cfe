"""`python scripts/benchmark_ranks.py`: weak scaling, and the share of communication, of each kind of optimizer.

Every process has as many points and one thread of its own, whatever their number: ideally a step takes as long on two
processes as on one. Time spent in collective operations is measured in rank 0; it holds the waiting for others.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import yaml

from benchmark.step_comparison import cpu_model
from pinnkit.reporting.atomic import write_text
from pinnkit.runs.shipped import problems

OPTIMIZERS = ("adam", "lbfgs", "ssbroyden", "gauss_newton", "engd_w")
STEPS = {"gauss_newton": 20, "engd_w": 20}
"""Of the methods whose steps are long; else 200."""
WARM = 5
"""Steps before the clock starts."""


def benchmark(argv: Sequence[str], root: Path) -> int:
    """Measure, print and write docs/results/ranks.md."""
    parser = argparse.ArgumentParser(prog="benchmark_ranks.py", description=__doc__.splitlines()[0])
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 2], help="numbers of processes")
    parser.add_argument("--points", type=int, default=2048, help="points of the equations for each process")
    parser.add_argument("--out", type=Path, default=root / "docs" / "results", help="folder of ranks.md")
    options = parser.parse_args(argv)
    rows = []
    for optimizer in OPTIMIZERS:
        for ranks in options.ranks:
            points = options.points // 4 if optimizer == "engd_w" else options.points  # its matrix grows as N^2
            rows.append(measure(root, optimizer, ranks, points))
            print("{optimizer}, {ranks} ranks: {ms:.2f} ms a step, {share:.1%} of it communication".format(**rows[-1]))
    options.out.mkdir(parents=True, exist_ok=True)
    write_text(options.out / "ranks.md", page(rows, options.points))
    return 0


def measure(root: Path, optimizer: str, ranks: int, points: int) -> dict[str, float]:
    """Milliseconds of a step on so many processes, each with `points` points, and the share of communication."""
    with tempfile.TemporaryDirectory() as folder:
        words = [optimizer, str(points * ranks), str(STEPS.get(optimizer, 200)), str(root / "conf"), folder]
        start = [] if ranks == 1 else ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={ranks}"]
        line = [sys.executable, *start, str(Path(__file__).resolve()), *words]
        done = subprocess.run(line, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{optimizer} on {ranks} ranks: {done.stderr[-2000:]}")
        return {
            "optimizer": optimizer,
            "ranks": ranks,
            "points": points,
            **json.loads(Path(folder, "found").read_text()),
        }


def page(rows: Sequence[dict[str, float]], points: int) -> str:
    """The table as Markdown."""
    lines = [
        "# Weak scaling on one machine",
        "",
        f"Made by `python scripts/benchmark_ranks.py` on {time.strftime('%Y-%m-%d')}, {os.cpu_count()} CPUs "
        f"({cpu_model()}): Burgers' equation, MLP 3x20,",
        f"float64, {points} points for each process (a quarter for engd_w), gloo on one machine, one thread a process.",
        "*efficiency*: time of a step on one process over that on several. *communication*: the share of rank 0's time",
        "inside collective operations, waiting included.",
        "",
        "| optimizer | ranks | ms a step | efficiency | communication | bytes a step |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    alone = {row["optimizer"]: row["ms"] for row in rows if row["ranks"] == 1}
    for row in rows:
        efficiency = f"{alone[row['optimizer']] / row['ms']:.0%}" if row["optimizer"] in alone else ""
        lines.append(
            f"| {row['optimizer']} | {row['ranks']} | {row['ms']:.2f} | {efficiency} | {row['share']:.1%} | "
            f"{row['bytes']:.3g} |"
        )
    return "\n".join([*lines, ""])


def run(optimizer: str, points: str, steps: str, conf: str, folder: str) -> None:
    """In each process: train, and let rank 0 write what it has measured."""
    import torch.distributed

    import pinnkit
    from pinnkit.problem.problem import Problem
    from pinnkit.runs import environment
    from pinnkit.training.distributed import Ranks
    from pinnkit.training.step import OptimizerStep

    clock = {"step": 0.0, "say": 0.0, "bytes": 0, "steps": 0}
    step, say = OptimizerStep.take, Ranks._communicate

    def timed_step(self, *arguments):
        began, said, sent = time.perf_counter(), clock["say"], clock["bytes"]
        step(self, *arguments)
        if self.state.progress.step > WARM:
            clock["step"] += time.perf_counter() - began
            clock["steps"] += 1
        else:
            clock["say"], clock["bytes"] = said, sent

    def timed_say(self, operation, *arguments):
        began = time.perf_counter()
        say(self, operation, *arguments)
        clock["say"] += time.perf_counter() - began
        sent = arguments[-1]
        clock["bytes"] += sent.numel() * sent.element_size() if isinstance(sent, torch.Tensor) else 0

    OptimizerStep.take, Ranks._communicate = timed_step, timed_say
    ranks = int(os.environ.get("WORLD_SIZE", 1))
    words = yaml.safe_load(problems()["burgers"].read_text(encoding="utf-8"))
    pinnkit.solve(
        Problem(folder=Path(conf, "pde"), **words),
        Path(folder, "run"),
        {
            "network": {"width": 20},
            "sampling": {"equations": int(points), "redraw_every": None},
            "phases": [optimizer],
            "operators": {"engine": "jets"},
            "trainer": {"max_steps": int(steps), "devices": ranks},
            "callbacks": {"progress": False, "figures": False, "evaluate_every": 10**6},
            "logger": {"tensorboard": False},
        },
    )
    if environment.first():
        found = {
            "ms": 1000 * clock["step"] / clock["steps"],
            "share": clock["say"] / clock["step"],
            "bytes": clock["bytes"] / clock["steps"],
        }
        Path(folder, "found").write_text(json.dumps(found))


if __name__ == "__main__":
    run(*sys.argv[1:])
