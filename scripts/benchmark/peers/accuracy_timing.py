"""A timer of training that stands still while the error is measured, and the lines that a program prints.

Needs the standard library and NumPy alone: it runs in the environments of all frameworks.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version

import numpy as np

WIDTH, DEPTH = 20, 3
"""The network: that many hidden layers of that many tanh units, in float64."""
POINTS = {"heat": (2000, 200, 200), "burgers": (8000, 200, 200)}
"""Collocation points of the equation, of both ends together, and of the start; drawn once."""
ALPHA, NU = 0.1, 0.01 / np.pi
"""u_t = ALPHA u_xx from u = sin(pi x); u_t + u u_x = NU u_xx from u = -sin(pi x). x in [-1, 1], u = 0 at its ends."""
EVERY = 2.0
"""Seconds of training between measurements."""


def arguments(description: str) -> argparse.Namespace:
    """The command-line arguments of every program."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--problem", choices=tuple(POINTS), required=True)
    parser.add_argument("--seconds", type=float, required=True, help="seconds of training")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--data", required=True, help="points (n, 2) in the order x, t, and the solution u (n, 1) there"
    )
    return parser.parse_args()


def reference(path: str) -> tuple[np.ndarray, np.ndarray]:
    """The points (n, 2) and values (n, 1) that the error is measured by."""
    with np.load(path) as file:
        return file["points"], file["u"]


def relative_l2(found: np.ndarray, exact: np.ndarray) -> float:
    return float(np.linalg.norm(found - exact) / np.linalg.norm(exact))


class TrainingTimer:
    """Seconds of training since it was made, less those in which the error was measured."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._began = time.perf_counter()
        self._next = EVERY

    @property
    def time(self) -> float:
        return time.perf_counter() - self._began

    @property
    def over(self) -> bool:
        return self.time >= self.seconds

    def look(self, step: int, measure: Callable[[], float]) -> None:
        """Print the error where it is due: every few seconds, and when the time is over."""
        now = self.time
        if now < min(self._next, self.seconds):
            return
        self._next = now + EVERY
        say(now, measure(), step)
        self._began += self.time - now


def say(seconds: float, error: float, step: int) -> None:
    """Print a measurement as the line that the benchmark reads."""
    print(json.dumps({"time": seconds, "error": error, "step": step}), flush=True)


def say_versions(packages: Sequence[str]) -> None:
    print(json.dumps({"versions": {package: version(package) for package in packages}}), flush=True)
