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
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.integrate import solve_ivp

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
START = {"at": "t = 0"}
VAN_DER_POL = {
    "coordinates": {"t": [0, 20]},
    "fields": ["u"],
    "equations": "u_tt - 3*(1 - u^2)*u_t + u = 0",
    "conditions": {"start": START | {"equations": ["u = 2", "u_t = 0"]}},
}
LORENZ = {
    "coordinates": {"t": [0, 3]},
    "fields": ["x", "y", "z"],
    "equations": ["x_t = 10*(y - x)", "y_t = x*(15 - z) - y", "z_t = x*y - 8/3*z"],
    "conditions": {"start": START | {"equations": ["x = 1", "y = 1", "z = 1"]}},
}
OWN: dict[str, dict[str, Any]] = {
    "wave_4pi": WAVE,
    "helmholtz_10pi": HELMHOLTZ,
    "van_der_pol_20": VAN_DER_POL,
    "lorenz_15": LORENZ,
}


def van_der_pol(mu: float) -> Callable[[float, np.ndarray], list[float]]:
    return lambda t, y: [y[1], mu * (1 - y[0] ** 2) * y[1] - y[0]]


def lorenz(rho: float) -> Callable[[float, np.ndarray], list[float]]:
    return lambda t, y: [10 * (y[1] - y[0]), y[0] * (rho - y[2]) - y[1], y[0] * y[1] - 8 / 3 * y[2]]


SYSTEMS: dict[str, tuple[Callable[[float, np.ndarray], list[float]], list[float]]] = {
    "van_der_pol": (van_der_pol(2), [2, 0]),
    "van_der_pol_20": (van_der_pol(3), [2, 0]),
    "lorenz": (lorenz(28), [1, 1, 1]),
    "lorenz_15": (lorenz(15), [1, 1, 1]),
}
"""Right-hand sides and initial values, whose solution by SciPy is the reference."""
PROBLEMS = (
    "heat", "poisson_2d", "wave", "wave_4pi", "helmholtz_2d", "helmholtz_10pi", "advection", "convection",
    "poisson_disk", "poisson_two_materials", "plate", "elasticity_2d", "volterra", "oscillator", "lotka_volterra",
    "pendulum", "van_der_pol", "van_der_pol_20", "lorenz", "lorenz_15", "kovasznay", "klein_gordon", "fisher",
    "sine_gordon", "schrodinger", "heat_inverse", "darcy_inverse", "burgers_inverse", "heat_in_a_part",
    "beltrami_3d",
)  # fmt: skip


def solve(name: str) -> dict[str, Any]:
    """Error, residual and seconds of a problem."""
    problem = pinnkit.Problem(**OWN[name]) if name in OWN else pinnkit.read_problem(name)
    module, _ = assemble(problem, Settings(method="features"))
    solver = FeatureSolver(module.model, module.groups, FeatureSettings(), 0)
    began = time.process_time()
    levels = list(solver.levels(lambda: SECONDS - (time.process_time() - began)))
    seconds = time.process_time() - began
    reference = None if name in SYSTEMS else choose(problem, None, 60.0)
    errors = evaluate(module, reference).errors()
    found = {key: max(errors.get(key, {}).values(), default=None) for key in ("relative_l2", "residual_rms")}
    if name in SYSTEMS:
        found["relative_l2"] = _of_system(name, solver)
    slabs = {one.features.interval for one, _ in solver.network.added}
    return found | {
        "features": sum(one.size for one in solver.attached.expansions),
        "slabs": len(slabs),
        "residual": levels[-1].residual if levels else None,
        "seconds": seconds,
        "reason": solver.reason,
        "learned": solver.numbers(),
    }


def _of_system(name: str, solver: FeatureSolver) -> float:
    """The largest relative L2 error of a field, against the method of Dormand and Prince of order 8."""
    slopes, start = SYSTEMS[name]
    times = np.linspace(0, float(solver.problem.domain.upper[0]), 1001)
    exact = solve_ivp(slopes, (0, times[-1]), start, "DOP853", times, rtol=3e-14, atol=1e-15).y
    with torch.no_grad():
        values = solver.network(torch.as_tensor(times[:, None])).numpy().T
    own = range(len(values))
    return float(max(np.linalg.norm(values[k] - exact[k]) / np.linalg.norm(exact[k]) for k in own))


def write(found: dict[str, Any]) -> None:
    """The table of all that is known."""
    RESULTS.write_text(json.dumps({name: found[name] for name in PROBLEMS if name in found}, indent=1) + "\n")
    lines = [
        "# Random features: shipped problems",
        "",
        "`python scripts/benchmark_features.py`: one thread, float64, seed 0, at most 60 s that the processor works.",
        "The core had no other work, and the other core of the machine had some.",
        "The error is the largest relative L2 error of a field, against the exact or the computed reference (van der",
        "Pol's and Lorenz' equations: SciPy's DOP853 with `rtol=3e-14`); slabs of time where there are several.",
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
