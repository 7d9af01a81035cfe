"""`python -m benchmark.peers_step`: pinnkit's step of Adam on a shipped problem, for the comparison with its peers."""

from __future__ import annotations

import argparse
import json
from importlib.metadata import version
from pathlib import Path

import torch

from benchmark.peers.step_timing import StepTimer
from benchmark.peers_comparison import posed
from benchmark.step_run import LENGTH, time_steps
from pinnkit.language.errors import Report
from pinnkit.runs.console import suppress_library_logs
from pinnkit.runs.factory import assemble
from pinnkit.settings import read_settings

CONF = Path(__file__).resolve().parents[2] / "conf"


def train(options: argparse.Namespace, timer: StepTimer) -> str:
    """Train by Adam on fixed points until the timer ends it; the engine that ran."""
    report = Report()
    settings = read_settings(
        {
            "network": {"width": options.width, "depth": options.depth, "activation": options.activation},
            "sampling": {
                "equations": options.equations,
                "conditions": options.conditions,
                "redraw_every": None,
            },
            "optimizer": "adam",
            "seed": options.seed,
            "trainer": {"max_steps": LENGTH},
        },
        report,
    )
    report.raise_if_any()
    problem, _ = posed(options.problem, CONF)
    module, data = assemble(problem, settings, threads=options.threads)
    time_steps(module, data, timer)
    return module.choice.engine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problem", required=True)
    parser.add_argument("--activation", required=True)
    parser.add_argument("--steps", type=int, default=100, help="timed steps at most")
    parser.add_argument("--seconds", type=float, required=True, help="timed seconds at most")
    for name in ("width", "depth", "equations", "conditions", "threads", "seed"):
        parser.add_argument(f"--{name}", type=int, required=True)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with suppress_library_logs():
        timer = StepTimer(options.steps, options.seconds)
        engine = train(options, timer)
    figures = timer.figures()
    found = {name: figures[name] for name in ("ms_per_step", "ms_min", "compile_s")}
    versions = {name: version(name) for name in ("pinnkit", "torch", "lightning")}
    print(json.dumps({**found, "engine": engine, "versions": versions}), flush=True)


if __name__ == "__main__":
    main()
