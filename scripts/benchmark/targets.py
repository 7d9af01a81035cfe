"""What the shipped problems are to reach: the error, and the seconds of training in which it is to be reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SPREAD = 10.0
"""The worst seed may have at most this many times the median error."""


@dataclass(frozen=True)
class Goal:
    """An error, and the seconds of training for it; None: a run with the defaults, which ends by itself."""

    seconds: float | None
    error: float


@dataclass(frozen=True)
class Target:
    """The goals of a problem, the shorter first, and on how many seeds they are judged."""

    goals: tuple[Goal, ...]
    seeds: int = 1

    @property
    def short(self) -> Goal:
        return self.goals[0]

    @property
    def long(self) -> Goal:
        return self.goals[-1]


TARGETS: Mapping[str, Target] = {
    "heat": Target((Goal(60, 1e-9),), seeds=3),
    "poisson_2d": Target((Goal(60, 1e-7), Goal(600, 1e-9)), seeds=3),
    "wave": Target((Goal(180, 1e-6),), seeds=3),
    "burgers": Target((Goal(180, 1e-5), Goal(1200, 5e-7)), seeds=3),
    "helmholtz_2d": Target((Goal(60, 1e-6),)),
    "allen_cahn": Target((Goal(300, 1e-4), Goal(1800, 5e-6))),
    "kdv": Target((Goal(600, 1e-3),)),
    "poisson_5d": Target((Goal(600, 1e-5), Goal(1800, 1e-6))),
    "oscillator": Target((Goal(30, 1e-8),)),
    "lotka_volterra": Target((Goal(30, 1e-6),)),
    "heat_inverse": Target((Goal(180, 1e-5),)),
    "burgers_inverse": Target((Goal(180, 1e-5),)),
    "advection": Target((Goal(None, 1e-5),)),
    "gradient_matching": Target((Goal(None, 1e-3),)),
    "heat_inverse_noisy": Target((Goal(None, 1e-2),)),
    "disk": Target((Goal(60, 1e-4),)),
}
"""The error is the relative L2 error of the worst field; of a problem with learned coefficients, the relative error of
the worst of them; of gradient_matching, that of the gradient."""
