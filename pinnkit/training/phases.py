"""Phases: one optimizer for some steps, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from pinnkit.optimizers.build import build
from pinnkit.optimizers.schedule import learning_rate_factor
from pinnkit.optimizers.settings import LBFGS, Adam, SelfScaled

QUASI_NEWTON_LIMIT = 4000
"""Most parameters for which `auto` keeps a dense inverse Hessian (128 MB in float64)."""


@dataclass(frozen=True)
class Phase:
    """An optimizer by name, and its settings (their `steps` bound the phase)."""

    name: str
    settings: Any

    @property
    def first_order(self) -> bool:
        """Whether a step uses the gradient alone, so that mini-batches make sense."""
        return isinstance(self.settings, Adam)

    def optimizer(self, parameters: Sequence[torch.nn.Parameter]) -> torch.optim.Optimizer:
        return build(self.name, self.settings, parameters)

    def set_learning_rate(self, optimizer: torch.optim.Optimizer, step: int) -> float | None:
        """Set the rate for this step of the phase, by warm-up and decay; None where a line search chooses the step."""
        if not isinstance(self.settings, Adam):
            return None
        rate = self.settings.learning_rate * learning_rate_factor(step, self.settings)
        for group in optimizer.param_groups:
            group["lr"] = rate
        return rate


def automatic(parameters: int, dtype: torch.dtype) -> tuple[tuple[Phase, ...], str]:
    """The phases that `optimizer=auto` stands for, and why.

    A short Adam phase brings any start into reach; then self-scaled Broyden where its dense inverse Hessian is
    affordable and float64 lets it work, L-BFGS otherwise.
    """
    warm_up = Phase("adam", Adam(learning_rate=5e-3, decay=0.5, decay_every=100, steps=200))
    if dtype == torch.float64 and parameters <= QUASI_NEWTON_LIMIT:
        reason = f"{parameters} parameters in float64: a dense inverse Hessian is affordable"
        return (warm_up, Phase("ssbroyden", SelfScaled())), reason
    reason = (
        f"{parameters} parameters in {str(dtype).removeprefix('torch.')}: a dense inverse Hessian is not worth its cost"
    )
    return (warm_up, Phase("lbfgs", LBFGS())), reason
