"""Phases: one optimizer for some steps, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psutil
import torch

from pinnkit.optimizers.build import build
from pinnkit.optimizers.schedule import learning_rate_factor
from pinnkit.optimizers.settings import LBFGS, Adam, FirstOrder, LeastSquares, SampleSpace, SelfScaled

QUASI_NEWTON_LIMIT = {"cpu": 12_000, "gpu": 40_000}
"""Most parameters for which `auto` keeps a dense inverse Hessian: a step passes over it three times."""
MEMORY_SHARE = 0.5
"""The share of free memory that it may take."""


@dataclass(frozen=True)
class Phase:
    """An optimizer by name, and its settings (their `steps` bound the phase)."""

    name: str
    settings: Any

    @property
    def first_order(self) -> bool:
        """Whether a step uses the gradient alone, at a rate that is given."""
        return isinstance(self.settings, FirstOrder)

    @property
    def mini_batches(self) -> bool:
        """Whether a step may use points of its own: others learn their curvature from the same points in many."""
        return isinstance(self.settings, FirstOrder | SampleSpace)

    @property
    def least_squares(self) -> bool:
        """Whether a step asks for the Jacobian of the residuals."""
        return isinstance(self.settings, LeastSquares)

    def optimizer(self, parameters: Sequence[torch.nn.Parameter]) -> torch.optim.Optimizer:
        return build(self.name, self.settings, parameters)

    def set_learning_rate(self, optimizer: torch.optim.Optimizer, step: int) -> float | None:
        """Set the rate for this step of the phase, by warm-up and decay; None where a line search chooses the step."""
        if not isinstance(self.settings, FirstOrder):
            return None
        rate = self.settings.learning_rate * learning_rate_factor(step, self.settings)
        for group in optimizer.param_groups:
            group["lr"] = rate
        return rate


def automatic(parameters: int, dtype: torch.dtype, device: str = "cpu") -> tuple[tuple[Phase, ...], str]:
    """The phases that `optimizer=auto` stands for, and why.

    A short Adam phase brings any start into reach; then self-scaled Broyden where its dense inverse Hessian is
    affordable and float64 lets it work, L-BFGS otherwise.
    """
    warm_up = Phase("adam", Adam(learning_rate=5e-3, decay=0.5, decay_every=100, steps=200))
    needed, limit, free = 8 * parameters**2, QUASI_NEWTON_LIMIT[device], free_memory(device)
    if dtype != torch.float64:
        reason = f"{str(dtype).removeprefix('torch.')} has too few digits for a dense inverse Hessian"
    elif parameters > limit:
        reason = (
            f"{parameters} parameters: the inverse Hessian of more than {limit} is not worth its cost on a {device}"
        )
    elif needed > MEMORY_SHARE * free:
        reason = f"{parameters} parameters: their inverse Hessian needs {needed / 1e9:.2g} of {free / 1e9:.2g} GB"
    else:
        reason = f"the inverse Hessian of {parameters} parameters in float64 ({needed / 1e6:.3g} MB) is affordable"
        return (warm_up, Phase("ssbroyden", SelfScaled(max_parameters=limit))), reason
    return (warm_up, Phase("lbfgs", LBFGS())), reason


def free_memory(device: str) -> int:
    """Bytes that are free on a device."""
    if device == "gpu":
        return torch.cuda.mem_get_info()[0]
    return psutil.virtual_memory().available
