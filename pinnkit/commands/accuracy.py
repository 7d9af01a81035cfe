"""`python scripts/benchmark_accuracy.py`: every shipped problem with its defaults, error and time."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

COLUMNS = ("problem", "what is measured", "found", "limit", "training (s)", "whole run (s)", "steps")

LIMITS: Mapping[str, float] = {
    "heat": 1e-6,
    "poisson_2d": 1e-6,
    "wave": 1e-4,
    "burgers": 1e-4,
    "allen_cahn": 1e-3,
    "helmholtz_2d": 1e-5,
    "oscillator": 1e-7,
    "lotka_volterra": 1e-4,
    "advection": 1e-5,
    "heat_inverse": 1e-2,
    "gradient_matching": 1e-3,
}
"""The largest error that a run with the defaults may have; `measured` says of what."""


def benchmark(argv: Sequence[str], scripts: Path) -> int:
    """Run the named problems (all, where none is named) one after the other; print a table; 1 where a limit is broken.

    Overrides (words with an =) are handed to every run.
    """
    overrides = [word for word in argv if "=" in word]
    names = [word for word in argv if "=" not in word] or list(LIMITS)
    print(f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}", flush=True)
    broken = False
    for name in names:
        folder = Path("outputs") / "accuracy" / time.strftime("%Y-%m-%d_%H-%M-%S") / name
        began = time.perf_counter()
        line = [sys.executable, str(scripts / "train.py"), f"pde={name}", "callbacks=quiet", f"hydra.run.dir={folder}"]
        done = subprocess.run([*line, *overrides], capture_output=True, text=True, check=False)
        whole = time.perf_counter() - began
        if done.returncode:
            print(f"| {name} | exit {done.returncode}: {done.stderr.strip().splitlines()[-1]} | | | | {whole:.1f} | |")
            broken = True
            continue
        metrics = json.loads((folder / "metrics.json").read_text())
        what, found = measured(name, metrics, folder)
        broken |= not found <= LIMITS[name]
        row = [name, what, f"{found:.2e}", f"{LIMITS[name]:.0e}", f"{metrics['train_time_s']:.1f}", f"{whole:.1f}"]
        print(f"| {' | '.join(row)} | {metrics['steps']} |", flush=True)
    return int(broken)


def measured(name: str, metrics: Mapping[str, Any], folder: Path) -> tuple[str, float]:
    """What a problem is judged by, and its value."""
    if metrics["learned"]:
        parameter, found = next(iter(metrics["learned"].items()))
        return f"relative error of {parameter}", found["relative_error"]
    if name == "gradient_matching":
        from pinnkit.commands.run import gradient_error  # torch is loaded for this problem alone

        return "relative L2 of the gradient, 1000 new points", gradient_error(folder)
    field = max(metrics["relative_l2"], key=metrics["relative_l2"].get)
    return f"relative L2 of {field}", metrics["relative_l2"][field]
