"""A small run of method=features, and corrections of a trained network whose numbers are known."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

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
    steps: int = 1
    text: str = "residual 1.0e-03, then 1.0e-05"


@dataclass
class Corrector:
    """Stands for polish and estimate: it keeps what they were given."""

    accepted: bool = True
    fields: dict[str, float | None] = field(default_factory=lambda: {"u": 2e-4})
    learned: dict[str, float | None] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    limits: list[float] = field(default_factory=list)
    estimates: int = 0
    seconds: float = 0.25

    def polish(self, model: Any, groups: Any, seed: int, seconds: float) -> Polished:
        self.limits.append(seconds)
        if self.accepted:
            module = RandomFeatures(features(), len(network_of(model).members[0]))
            with torch.no_grad():
                module.coefficients.fill_(ADDED)
                for one in model.learned.values():
                    one += 0.5
            network_of(model).add(module, 0)
        return Polished(self.accepted)

    def estimate(self, model: Any, groups: Any, seed: int) -> Corrector:
        self.estimates += 1
        return self

    def correction(self, points: torch.Tensor) -> torch.Tensor:
        return 1e-4 * points[:, :1].expand(-1, len(self.fields))
