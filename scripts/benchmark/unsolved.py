"""Ten runs whose answer is no solution: what every verdict is tried on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from pinnkit.runs.shipped import problems

HEAT: Mapping[str, Any] = {
    "coordinates": {"x": [0, 1], "t": [0, 1]},
    "fields": ["u"],
    "parameters": {"alpha": 0.1},
    "equations": {"heat": "u_t = alpha*u_xx"},
    "conditions": {
        "initial": {"at": "t = 0", "equations": "u = sin(pi*x)"},
        "ends": {"at": ["x = 0", "x = 1"], "equations": "u = 0"},
    },
    "exact": {"u": "exp(-alpha*pi^2*t)*sin(pi*x)"},
}
MODES = "sin(pi*x)*cos(2*pi*t) + sin(4*pi*x)*cos(8*pi*t)/2"


@dataclass(frozen=True)
class Trial:
    """A run that must be called unsolved.

    Attributes:
        problem: the keys of its problem.
        settings: what differs from the defaults.
        seconds: of training; None: its steps end it.
        table: values of a reference that no closed form may give, as the problem has another solution; (x, t) -> u.
        blind: whether it must be called so without a reference too.
    """

    problem: Mapping[str, Any]
    settings: Mapping[str, Any] = field(default_factory=dict)
    seconds: float | None = 60.0
    table: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None
    blind: bool = True


def shipped(name: str, **changes: Any) -> dict[str, Any]:
    """The keys of a shipped problem, with changes."""
    return yaml.safe_load(problems()[name].read_text(encoding="utf-8")) | changes


def _heat(**changes: Any) -> dict[str, Any]:
    """The heat equation with changes; of conditions those that are None are left out."""
    conditions = {**HEAT["conditions"], **changes.pop("conditions", {})}
    return {**HEAT, **changes, "conditions": {key: one for key, one in conditions.items() if one is not None}}


def _wave() -> dict[str, Any]:
    """The shipped wave with a second mode, twice as fast, and over twenty times the time."""
    conditions = {
        **shipped("wave")["conditions"],
        "shape": {"at": "t = 0", "equations": "u = sin(pi*x) + sin(4*pi*x)/2"},
    }
    changes = {"coordinates": {"x": [0, 1], "t": [0, 20]}, "parameters": {"c": 2}, "exact": {"u": MODES}}
    return shipped("wave", conditions=conditions, **changes)


def _cooled(x: np.ndarray, t: np.ndarray) -> np.ndarray:
    return np.exp(-0.1 * np.pi**2 * t) * np.sin(np.pi * x)


def trials() -> dict[str, Trial]:
    """Name -> run."""
    return {
        "van der Pol, mu = 3, to t = 20": Trial(
            shipped("van_der_pol", coordinates={"t": [0, 20]}, parameters={"mu": 3})
        ),
        "Lorenz to t = 3": Trial(shipped("lorenz", coordinates={"t": [0, 3]})),
        "wave with a mode of 4 pi, c = 2, to t = 20": Trial(_wave()),
        "Kuramoto-Sivashinsky, 60 s": Trial(shipped("kuramoto_sivashinsky")),
        "conditions that contradict": Trial(
            _heat(conditions={"other": {"at": "x = 0", "equations": "u = 1"}}, exact=None), seconds=20.0
        ),
        "too few conditions": Trial(_heat(conditions={"initial": None}), seconds=20.0),
        "a learning rate that is too large": Trial(
            HEAT, {"phases": [{"name": "adam", "learning_rate": 1.0}]}, seconds=20.0
        ),
        "10 steps": Trial(HEAT, {"trainer": {"max_steps": 10}}, seconds=None),
        "diffusion of the wrong sign": Trial(
            _heat(equations={"heat": "u_t = -alpha*u_xx"}, exact=None), seconds=20.0, table=_cooled
        ),
        "a constant added to the residual": Trial(
            _heat(equations={"heat": "u_t - alpha*u_xx + 1 = 0"}, exact=None), seconds=20.0, table=_cooled, blind=False
        ),
    }  # fmt: skip


def write_table(path: Path, values: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> None:
    """A table of a function of x and t on the unit square."""
    x, t = np.meshgrid(np.linspace(0, 1, 101), np.linspace(0, 1, 101), indexing="ij")
    np.savez(path, x=x, t=t, u=values(x, t))
