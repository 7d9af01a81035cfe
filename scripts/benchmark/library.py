"""`python scripts/benchmark_library.py kovasznay plate`: the errors of shipped problems by their defaults, as a page.

Each problem is solved once by `scripts/train.py pde=NAME trainer.max_time=600`. Rows are kept beside the page, so that
the library can be measured in several sittings; a problem that is measured again replaces its row.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark.accuracy import code
from benchmark.accuracy_run import SLACK, execute
from benchmark.step_comparison import cpu_model
from pinnkit.reporting.artifacts import RunFolder, RunFolderError
from pinnkit.reporting.atomic import write_text
from pinnkit.runs.shipped import problems

TARGETS: Mapping[str, float] = {
    "kovasznay": 1e-6, "taylor_green": 1e-5, "beltrami_3d": 1e-3, "schrodinger": 1e-5, "fisher": 1e-7,
    "sine_gordon": 1e-6, "klein_gordon": 1e-6, "convection": 1e-5, "reaction": 1e-5, "poisson_l_shape": 1e-3,
    "poisson_disk": 1e-8, "poisson_two_materials": 1e-5, "poisson_boltzmann_2d": 1e-3, "plate": 1e-5,
    "elasticity_2d": 1e-3, "lid_driven_cavity": 1e-2, "back_step_flow": 2e-2, "black_scholes": 1e-4, "volterra": 1e-7,
    "maxwell_cavity": 1e-6, "heat_family": 1e-4, "darcy_inverse": 1e-2, "helmholtz_scattering": 1e-2, "stefan": 1e-4,
}  # fmt: skip
"""The largest error that each is to have: of its fields, or of what it learns."""
LEARNED = ("maxwell_cavity",)
"""Problems whose target is for the number that they learn."""
COLUMNS = ("problem", "error", "target", "met?", "error of each", "reference", "steps", "training (s)", "code")
LEGEND = """\
One run of each with its shipped defaults and at most 600 s of training. *error*: the largest relative L2 error of a
field on the grid of the reference, or the relative error of the number that the target is for. The reference's own
error is behind its name, where it estimates one. Training holds the choice of the derivatives' engine and the measuring
of the error; compilation comes on top."""


def benchmark(argv: Sequence[str], scripts: Path) -> int:
    """Measure the named problems, or those without a row; 1 where a target is missed, else 0."""
    parser = argparse.ArgumentParser(prog="benchmark_library.py", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=scripts.parent / "docs" / "results")
    parser.add_argument("--max-time", type=float, default=600.0, help="seconds of training of each run")
    parser.add_argument("problems", nargs="*", metavar="NAME", help=f"of {', '.join(problems())}")
    options = parser.parse_args(argv)
    unknown = [name for name in options.problems if name not in problems()]
    if unknown:
        parser.error(f"there is no problem {', '.join(unknown)}")
    file = options.out / "problems.json"
    rows = json.loads(file.read_text()) if file.exists() else {}
    for name in options.problems or [name for name in problems() if name not in rows]:
        rows[name] = measured(name, options.max_time, scripts)
        print(" | ".join(cells(name, rows[name])), flush=True)
        write_text(file, json.dumps(rows, indent=1) + "\n")
        write_text(options.out / "problems.md", page(rows))
    return int(not all(met(name, row) for name, row in rows.items()))


def met(name: str, row: Mapping[str, Any]) -> bool:
    """Whether a run has an error, and no larger one than its target."""
    return row["error"] is not None and row["error"] <= TARGETS.get(name, float("inf"))


def measured(name: str, seconds: float, scripts: Path) -> dict[str, Any]:
    """The row of a problem: one run in a process of its own."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "run"
        line = [sys.executable, str(scripts / "train.py"), f"pde={name}", f"trainer.max_time={seconds:g}"]
        execute([*line, "callbacks=quiet", "logger=none", f"hydra.run.dir='{folder}'", "overwrite=true"], folder,
                2 * seconds + SLACK)  # fmt: skip
        try:
            metrics = RunFolder(folder).read_metrics()
        except RunFolderError:
            metrics = {"status": "failed"}
    kept = ("status", "steps", "train_time_s", "compile_time_s", "reference", "reference_error")
    row = {key: metrics.get(key) for key in kept}
    learned = {key: one.get("relative_error") for key, one in metrics.get("learned", {}).items()}
    each = {**metrics.get("relative_l2", {}), **{key: one for key, one in learned.items() if one is not None}}
    counted = [value for key, value in each.items() if name not in LEARNED or key in learned]
    row |= {"errors": each, "error": max(counted) if counted and metrics["status"] == "finished" else None}
    row |= {"date": time.strftime("%Y-%m-%d"), "machine": f"{os.cpu_count()} CPUs ({cpu_model()})"}
    return {**row, "code": code(scripts.parent, "pinnkit", "conf")}


def page(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """The page in Markdown."""
    machines = "; ".join(sorted({row["machine"] for row in rows.values()}))
    dates = sorted({row["date"] for row in rows.values()})
    between = " to ".join(dict.fromkeys((dates[0], dates[-1])))
    head = ["# Errors of the shipped problems", "", LEGEND, "", f"- date: {between}"]
    table = [COLUMNS, ["---"] * len(COLUMNS), *(cells(name, rows[name]) for name in sorted(rows))]
    return "\n".join([*head, f"- machine: {machines}", "", *(f"| {' | '.join(row)} |" for row in table)]) + "\n"


def cells(name: str, row: Mapping[str, Any]) -> list[str]:
    """The cells of a problem's line."""
    error, target = row["error"], TARGETS.get(name)
    answer = "" if target is None else "yes" if met(name, row) else "no"
    each = ", ".join(f"{key} {value:.1e}" for key, value in row["errors"].items())
    numbers = [f"{row[key]:.0f}" if row[key] is not None else "" for key in ("steps", "train_time_s")]
    shown = f"{error:.1e}" if error is not None else str(row["status"])
    reference = str(row["reference"] or "")
    if row["reference_error"] is not None:
        reference += f" ({row['reference_error']:.1e})"
    return [name, shown, f"{target:.0e}" if target else "", answer, each, reference, *numbers, row["code"]]
