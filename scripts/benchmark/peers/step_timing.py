"""The work that a program is given, how it takes the time of its steps, and the line that it prints.

Needs the standard library and NumPy alone: it runs in the environments of all frameworks.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

BLOCK = 10
"""Steps between two readings of the timer, and steps of warm-up: Lightning's segments in pinnkit have as many."""


class Unsupported(Exception):
    """A framework cannot do a problem; the message says why."""


def arguments(description: str) -> argparse.ArgumentParser:
    """The command-line arguments of every program."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--problem", required=True)
    parser.add_argument("--width", type=int, default=64, help="neurons of a hidden layer")
    parser.add_argument("--depth", type=int, default=4, help="hidden layers")
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    parser.add_argument("--steps", type=int, default=60, help=f"measured steps, after a warm-up of {BLOCK}")
    parser.add_argument("--seconds", type=float, default=30.0, help="measured time after which no block is begun")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    return parser


@dataclass(frozen=True)
class Targets:
    """A condition: its points (n, d), and by operator (a field's name, or laplacian) the values (n, 1) there."""

    points: np.ndarray
    values: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Work:
    """A problem's points as pinnkit draws them: coordinates and fields by name, `equations` (n, d), conditions."""

    coordinates: tuple[str, ...]
    fields: tuple[str, ...]
    equations: np.ndarray
    conditions: Mapping[str, Targets]


def read_work(path: str, dtype: str) -> Work:
    """The points that benchmark_step.py wrote; arrays are named condition/operator, or condition/points."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    coordinates, fields = (tuple(map(str, arrays.pop(name))) for name in ("coordinates", "fields"))
    equations = arrays.pop("equations").astype(dtype)
    parts: dict[str, dict[str, np.ndarray]] = {}
    for key, values in arrays.items():
        condition, _, operator = key.partition("/")
        parts.setdefault(condition, {})[operator] = values.astype(dtype)
    conditions = {name: Targets(values.pop("points"), values) for name, values in parts.items()}
    return Work(coordinates, fields, equations, conditions)


def source(problem: str, x: Any, y: Any, sin: Callable[[Any], Any]) -> Any:
    """The load q of the plate whose deflection is sin(pi x) sin(pi y)."""
    if problem != "plate":
        raise ValueError(f"the problem '{problem}' has no source: plate is the one that has")
    return 4 * np.pi**4 * sin(np.pi * x) * sin(np.pi * y)


class StepTimer:
    """Takes the time at the end of each block of steps; the first block is the warm-up, compilation included.

    Args:
        steps: measured steps.
        seconds: measured time after which training may end early.
        synchronize: waits until the device has done what it was given.
    """

    def __init__(self, steps: int, seconds: float, synchronize: Callable[[], Any] = lambda: None) -> None:
        self.total = BLOCK + BLOCK * max(1, round(steps / BLOCK))
        self.seconds = seconds
        self.synchronize = synchronize
        self.step = 0
        self.start_mib = peak_mib()
        self.marks = [time.perf_counter()]

    def tick(self) -> bool:
        """A step has been made; returns whether training should go on."""
        return self.reached(self.step + 1)

    def reached(self, step: int) -> bool:
        """This many steps have been made; returns whether training should go on."""
        self.step = step
        if step % BLOCK == 0:
            self.synchronize()
            self.marks.append(time.perf_counter())
        return step < self.total and (len(self.marks) < 3 or self.marks[-1] - self.marks[1] < self.seconds)

    def figures(self) -> dict[str, float]:
        """Milliseconds a step (median and least of the blocks), seconds before the first ordinary step, memory."""
        blocks = [later - earlier for earlier, later in zip(self.marks[1:], self.marks[2:], strict=False)]
        median = statistics.median(blocks)
        return {
            "ms_per_step": 1e3 * median / BLOCK,
            "ms_min": 1e3 * min(blocks) / BLOCK,
            "compile_s": max(0.0, self.marks[1] - self.marks[0] - median),
            "start_mib": self.start_mib,
            "peak_mib": peak_mib(),
        }


def peak_mib() -> float:
    """The largest resident memory of this process so far."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def use_torch(options: argparse.Namespace) -> Callable[[], Any]:
    """Set PyTorch's threads and dtype; returns what waits for its device."""
    import torch

    torch.set_num_threads(options.threads)
    torch.set_default_dtype(getattr(torch, options.dtype))
    torch.manual_seed(0)
    return torch.cuda.synchronize if options.device == "cuda" else lambda: None


def torch_memory(options: argparse.Namespace) -> dict[str, float]:
    """The largest memory that PyTorch took on the device, where it is not the CPU."""
    import torch

    return {"device_mib": torch.cuda.max_memory_allocated() / 2**20} if options.device == "cuda" else {}


def jax_memory(options: argparse.Namespace) -> dict[str, float]:
    """The same for JAX."""
    import jax

    if options.device == "cpu":
        return {}
    return {"device_mib": jax.devices()[0].memory_stats()["peak_bytes_in_use"] / 2**20}


def say(name: str, packages: Sequence[str], **figures: Any) -> None:
    """Print the line that benchmark_step.py reads."""
    versions = {package: version(package) for package in packages}
    print(json.dumps({"name": name, **figures, "versions": versions}), flush=True)


def say_unsupported(name: str, reason: Unsupported) -> None:
    print(json.dumps({"name": name, "error": str(reason)}), flush=True)
