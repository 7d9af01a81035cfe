"""A small run of method=features, and corrections of a trained network whose numbers are known."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from pinnkit.networks.features import Features, RandomFeatures
from pinnkit.training.feature_state import network_of
from tests.runs.small import QUICK

SOLVED = {
    **{key: value for key, value in QUICK.items() if key not in ("network", "phases", "operators")},
    "method": "features",
    "features": {"kind": "sin", "range": 4.0, "count": 30},
}
POLISHED = {**QUICK, "polish": True}
ADDED = 1e-3
"""What a polish adds at the first point."""


def features(kind="tanh", count=7, columns=(0,), **others) -> Features:
    """Features on coordinates from 0 to 1."""
    size = len(columns)
    described = {"ranges": (2.0,) * size, "lower": (0.0,) * size, "upper": (1.0,) * size, "seed": 3, **others}
    return Features(kind=kind, count=count, columns=columns, **described)


@dataclass(frozen=True)
class Polished:
    accepted: bool
    residual_before: float = 1e-3
    residual_after: float = 1e-5
    text: str = "polish: residual 1.0e-03, then 1.0e-05"


@dataclass
class Answers:
    """Stands in the place of `FeatureAnswers`, and of what its methods give; it keeps the limits that it was given."""

    accepted: bool = True
    fields: dict[str, float | None] = field(default_factory=lambda: {"u": 2e-4})
    learned: dict[str, float | None] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    limits: list[float] = field(default_factory=list)
    estimates: int = 0
    unready: str = ""
    singular: str | None = None
    seconds: float = 0.25
    points: np.ndarray = field(default_factory=lambda: np.array([[0.9], [0.1], [0.5]]))

    def __call__(self, module: Any, settings: Any) -> Answers:
        self.model = module.model
        return self

    def polish(self, seconds: float) -> Polished:
        self.limits.append(seconds)
        if self.accepted:
            network = network_of(self.model)
            module = RandomFeatures(features(), len(network.members[0]))
            with torch.no_grad():
                module.coefficients.fill_(ADDED)
                for one in self.model.learned.values():
                    one += 0.5
            network.add(module, 0)
        return Polished(self.accepted)

    def estimate(self) -> Answers:
        self.estimates += 1
        return self

    @property
    def error(self) -> np.ndarray:
        return 1e-4 * np.repeat(self.points, len(self.fields), axis=1)
