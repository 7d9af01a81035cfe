#!/usr/bin/env python
"""Random features on shipped problems: error, residual and seconds of one process, in docs/results/features.md.

    python scripts/benchmark_features.py                       all problems of the table
    python scripts/benchmark_features.py heat kovasznay        some of them; the table keeps the others

Seconds are those that the processor worked, on one thread.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

import torch

import pinnkit
from pinnkit.features.settings import FeatureSettings
from pinnkit.features.solver import FeatureSolver
from pinnkit.references.choose import choose
from pinnkit.runs.evaluation import evaluate
from pinnkit.runs.factory import assemble
from pinnkit.settings import Settings

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "results" / "features.json"
SECONDS = 60.0
WAVE = {
    "coordinates": {"x": [0, 1], "t": [0, 1]},
    "fields": ["u"],
    "equations": "u_tt = 4*u_xx",
    "conditions": {
        "start": {"at": "t = 0", "equations": ["u = sin(pi*x) + 0.5*sin(4*pi*x)", "u_t = 0"]},
        "ends": {"at": ["x = 0", "x = 1"], "equations": "u = 0"},
    },
    "exact": {"u": "sin(pi*x)*cos(2*pi*t) + 0.5*sin(4*pi*x)*cos(8*pi*t)"},
}
HELMHOLTZ = {
    "coordinates": {"x": [0, 1], "y": [0, 1]},
    "fields": ["u"],
    "equations": "div(grad(u)) + u = (1 - 200*pi^2)*sin(10*pi*x)*sin(10*pi*y)",
    "conditions": {"sides": {"at": "boundary", "equations": "u = 0"}},
    "exact": {"u": "sin(10*pi*x)*sin(10*pi*y)"},
}
OWN = {"wave_4pi": WAVE, "helmholtz_10pi": HELMHOLTZ}
PROBLEMS = (
    "heat", "poisson_2d", "wave", "wave_4pi", "helmholtz_2d", "helmholtz_10pi", "advection", "convection",
    "poisson_disk", "poisson_two_materials", "plate", "elasticity_2d", "volterra", "oscillator", "lotka_volterra",
    "pendulum", "van_der_pol", "lorenz", "kovasznay", "klein_gordon", "fisher", "sine_gordon", "schrodinger",
    "heat_inverse", "darcy_inverse", "burgers_inverse", "heat_in_a_part", "beltrami_3d",
)  # fmt: skip


def solve(name: str) -> dict[str, Any]:
    """Error, residual and seconds of a problem."""
    problem = pinnkit.Problem(**OWN[name]) if name in OWN else pinnkit.read_problem(name)
    module, _ = assemble(problem, Settings(method="features"))
    solver = FeatureSolver(module.model, module.groups, FeatureSettings(), 0)
    began = time.process_time()
    levels = list(solver.levels(lambda: SECONDS - (time.process_time() - began)))
    seconds = time.process_time() - began
    errors = evaluate(module, choose(problem, None, 60.0)).errors()
    found = {key: max(errors.get(key, {}).values(), default=None) for key in ("relative_l2", "residual_rms")}
    slabs = {one.features.interval for one, _ in solver.network.added}
    return found | {
        "features": sum(one.size for one in solver.attached.expansions),
        "slabs": len(slabs),
        "residual": levels[-1].residual if levels else None,
        "seconds": seconds,
        "reason": solver.reason,
        "learned": solver.numbers(),
    }


def write(found: dict[str, Any]) -> None:
    """The table of all that is known."""
    RESULTS.write_text(json.dumps({name: found[name] for name in PROBLEMS if name in found}, indent=1) + "\n")
    lines = [
        "# Random features: shipped problems",
        "",
        "`python scripts/benchmark_features.py`: one thread, float64, seed 0, at most 60 s that the processor works.",
        "The error is the largest relative L2 error of a field, against the exact or the computed reference; slabs of",
        "time where there are several.",
        "",
        "| problem | coefficients | slabs | error | RMS residual | seconds | why it ended |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name in PROBLEMS:
        if one := found.get(name):
            error = "no reference" if one["relative_l2"] is None else f"{one['relative_l2']:.1e}"
            numbers = f"{one['residual_rms']:.1e} | {one['seconds']:.1f}"
            lines.append(f"| {name} | {one['features']} | {one['slabs']} | {error} | {numbers} | {one['reason']} |")
    RESULTS.with_suffix(".md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    logging.getLogger("pinnkit").setLevel(logging.ERROR)
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for chosen in sys.argv[1:] or PROBLEMS:
        known[chosen] = solve(chosen)
        print(chosen, known[chosen], flush=True)
        write(known)
