"""What a program of the comparison is told, its clock, and the lines that it prints.

Needs the standard library and NumPy alone: it runs in the environments of all frameworks.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .accuracy_timing import TrainingTimer, say_versions
from .step_timing import StepTimer

SHARE_OF_ADAM = 0.4
"""Of the time, where a recipe is Adam and then L-BFGS."""
LEARNING_RATE = 1e-3
LBFGS = {
    "max_iter": 20,
    "history_size": 100,
    "line_search_fn": "strong_wolfe",
    "tolerance_grad": 0,
    "tolerance_change": 0,
}
"""Words for torch.optim.LBFGS with lr=1: it ends by the clock alone, which is read after 20 iterations."""
STEPS = 200_000
"""More steps than any budget holds."""

COORDINATES: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "heat": {"x": (-1, 1), "t": (0, 1)},
    "burgers": {"x": (-1, 1), "t": (0, 1)},
    "poisson_2d": {"x": (0, 1), "y": (0, 1)},
    "allen_cahn": {"x": (-1, 1), "t": (0, 1)},
    "back_step_flow": {"x": (0, 4), "y": (0, 2)},
}
"""The box of each problem; that of back_step_flow lacks its upper left part, x < 2 and y > 1."""
ALPHA, NU, EPSILON, VISCOSITY = 0.1, 0.01 / np.pi, 1e-4, 0.01
"""Of heat, burgers, allen_cahn, back_step_flow."""
WALLS = (("y", 0, "x", (0, 4)), ("y", 2, "x", (2, 4)), ("x", 2, "y", (1, 2)), ("y", 1, "x", (0, 2)))
"""The walls of back_step_flow: a coordinate, its value, and the range of the other."""


def fields(problem: str) -> tuple[str, ...]:
    """The unknown functions."""
    return ("u", "v", "p") if problem == "back_step_flow" else ("u",)


def arguments(description: str) -> argparse.Namespace:
    """The command-line arguments of every program."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--problem", choices=tuple(COORDINATES), required=True)
    parser.add_argument(
        "--task", choices=("error", "step"), required=True, help="train on a budget, or time Adam's steps"
    )
    parser.add_argument("--seconds", type=float, required=True, help="seconds of training, or of timed steps at most")
    parser.add_argument("--steps", type=int, default=100, help="timed steps at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--width", type=int, required=True)
    parser.add_argument("--depth", type=int, required=True)
    parser.add_argument("--activation", choices=("tanh", "sin"), required=True)
    parser.add_argument("--equations", type=int, required=True, help="points of the equations")
    parser.add_argument("--conditions", type=int, required=True, help="points of each condition")
    parser.add_argument("--data", required=True, help="points (n, d) and the solution there (n, fields)")
    return parser.parse_args()


def worst_relative_l2(found: np.ndarray, exact: np.ndarray) -> float:
    """The largest over the fields of |found - exact| / |exact|; both are (n, fields)."""
    return float(np.max(np.linalg.norm(found - exact, axis=0) / np.linalg.norm(exact, axis=0)))


class Clock:
    """Says how long to go on, for either task; it stands still while the error is measured.

    Args:
        options: of `arguments`.
        predict: points (n, d) to fields (n, fields), by the network as it is.
    """

    def __init__(self, options: argparse.Namespace, predict: Callable[[np.ndarray], np.ndarray]) -> None:
        with np.load(options.data) as file:
            self.points, self.exact = file["points"], file["values"]
        self.predict = predict
        self.timed = options.task == "step"
        self.step = 0
        self._step = StepTimer(options.steps, options.seconds) if self.timed else None
        self._training = TrainingTimer(options.seconds)

    def tick(self, steps: int = 1) -> bool:
        """So many steps have been made; returns whether training should go on."""
        self.step += steps
        if self._step is not None:
            return self._step.reached(self.step)
        self._training.look(self.step, lambda: worst_relative_l2(self.predict(self.points), self.exact))
        return not self._training.over

    @property
    def adam_is_over(self) -> bool:
        return self._step is None and self._training.time >= SHARE_OF_ADAM * self._training.seconds

    @property
    def over(self) -> bool:
        return self._step is not None or self._training.over

    def say(self, packages: Sequence[str], recipe: str, **more: float) -> None:
        """Print the versions, the optimizers, and the time of a step where that is the task."""
        say_versions(packages)
        figures: dict[str, Any] = {"recipe": recipe, **more}
        if self._step is not None:
            found = self._step.figures()
            figures = {**{name: found[name] for name in ("ms_per_step", "ms_min", "compile_s")}, **figures}
        print(json.dumps(figures), flush=True)


def torch_embedding(problem: str, torch: Any) -> Callable[[Any], Any]:
    """Each coordinate scaled to [-1, 1] as pinnkit does; x of allen_cahn periodic, cos(pi x) and sin(pi x)."""
    box = np.array(list(COORDINATES[problem].values()), dtype=float)
    low, high = (torch.as_tensor(column) for column in box.T)

    def embed(points: Any) -> Any:
        scaled = (2 * points - low - high) / (high - low)
        if problem != "allen_cahn":
            return scaled
        phase = torch.pi * points[:, 0:1]
        return torch.cat([scaled[:, 1:2], torch.cos(phase), torch.sin(phase)], dim=1)

    return embed


def inputs(problem: str) -> int:
    """Columns of the embedding."""
    return 3 if problem == "allen_cahn" else 2


def growth(u: Any, t: Any, exp: Callable[[Any], Any]) -> Any:
    """The weight of Allen and Cahn's equation: 1/sqrt(exp(-10 (1 - t)) + 27/4 u^2)."""
    return (exp(-10 * (1 - t)) + 27 / 4 * u**2) ** -0.5


def corner(x: Any, y: Any) -> Any:
    """The weight of the flow's equations: r^2/(r^2 + 0.1), by the distance r from the corner of the step."""
    square = (x - 2) ** 2 + (y - 1) ** 2
    return square / (square + 0.1)
