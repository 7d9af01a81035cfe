"""Phases: one optimizer for some steps, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psutil
import torch

from pinnkit.optimizers.methods.adam import Adam
from pinnkit.optimizers.methods.lbfgs import LBFGS
from pinnkit.optimizers.methods.sample_space import Spring
from pinnkit.optimizers.methods.self_scaled import SSBroyden
from pinnkit.optimizers.schedule import learning_rate_factor, settling_factor
from pinnkit.optimizers.settings import Optimizer

QUASI_NEWTON_LIMIT = {"cpu": 12_000, "gpu": 40_000}
"""Most parameters for which `auto` keeps a dense inverse Hessian: a step passes over it three times."""
MANY_COORDINATES, SPRING_FROM = 4, 4000
"""Coordinates and parameters from which on SPRING is faster than a dense inverse Hessian on a CPU: on Poisson's
equation in five coordinates and 9861 parameters its error is 1e-4 after the 90 s in which SSBroyden reaches 8e-4."""
WIDE = Spring(momentum=0.9, damping=1e-13)
"""Its settings there, where parameters are many more than points; with fewer, the damping must be larger."""
MEMORY_SHARE = 0.5
"""The share of free memory that it may take."""


@dataclass(frozen=True)
class Phase:
    """An optimizer by name, and its settings (their `steps` bound the phase)."""

    name: str
    settings: Optimizer

    @property
    def first_order(self) -> bool:
        """Whether a step uses the gradient alone, at a rate that is given."""
        return self.settings.first_order

    @property
    def mini_batches(self) -> bool:
        """Whether a step may use points of its own: others learn their curvature from the same points in many."""
        return self.settings.mini_batches

    @property
    def fresh_points(self) -> bool:
        """Whether every step has points of its own, few of them, as a part of the method."""
        return self.settings.fresh_points

    @property
    def least_squares(self) -> bool:
        """Whether a step asks for the Jacobian of the residuals."""
        return self.settings.least_squares

    def optimizer(self, parameters: Sequence[torch.nn.Parameter]) -> torch.optim.Optimizer:
        return self.settings.build(parameters)

    def left(self, step: int) -> float:
        """The share of the phase that is left before a step of it; 1 where it has no steps of its own."""
        return 1.0 if self.settings.steps is None else 1.0 - step / self.settings.steps

    def settle(self, optimizer: torch.optim.Optimizer, step: int | None) -> None:
        """Shorten the next step, `step` steps after that began; None: it has not."""
        if self.fresh_points:
            optimizer.step_factor = 1.0 if step is None else settling_factor(step)

    def set_learning_rate(self, optimizer: torch.optim.Optimizer, step: int, share: float = 1.0) -> float | None:
        """Set the rate for this step of the phase: `share` of what warm-up and decay give.

        None where a line search chooses the step.
        """
        if not self.first_order:
            return None
        rate = share * self.settings.learning_rate * learning_rate_factor(step, self.settings)
        for group in optimizer.param_groups:
            group["lr"] = rate
        return rate


def automatic(
    parameters: int, dtype: torch.dtype, device: str = "cpu", coordinates: int = 2
) -> tuple[tuple[Phase, ...], str]:
    """The phases that `optimizer=auto` stands for, and why.

    A short Adam phase brings any start into reach; then self-scaled Broyden where its dense inverse Hessian is
    affordable and float64 lets it work, L-BFGS otherwise. In many coordinates a CPU goes further with SPRING, whose
    matrices have the size of the points of a step.
    """
    if device == "cpu" and dtype == torch.float64 and coordinates >= MANY_COORDINATES and parameters >= SPRING_FROM:
        reason = f"its matrices have the size of a step's points, which pays for {parameters} parameters on a cpu"
        return (Phase("spring", WIDE),), f"{reason} in {coordinates} coordinates"
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
        return (warm_up, Phase("ssbroyden", SSBroyden(max_parameters=limit))), reason
    return (warm_up, Phase("lbfgs", LBFGS())), reason


def free_memory(device: str) -> int:
    """Bytes that are free on a device."""
    if device == "gpu":
        return torch.cuda.mem_get_info()[0]
    return psutil.virtual_memory().available
