"""The optimizers that `optimizer=auto` stands for."""

from __future__ import annotations

import torch

from pinnkit.memory import free_memory
from pinnkit.optimizers.methods.adam import Adam
from pinnkit.optimizers.methods.lbfgs import LBFGS
from pinnkit.optimizers.methods.sample_space import Spring
from pinnkit.optimizers.methods.self_scaled import SSBroyden
from pinnkit.training.stages import Stage

QUASI_NEWTON_LIMIT = {"cpu": 12_000, "gpu": 40_000}
"""Most parameters for which `auto` keeps a dense inverse Hessian: a step passes over it three times."""
MANY_COORDINATES, SPRING_FROM = 4, 4000
"""Coordinates and parameters from which on SPRING is faster than a dense inverse Hessian on a CPU."""
SPRING_ROWS = 2000
"""Most residuals of its steps there: a step costs rows^2 * parameters."""
WIDE = Spring(momentum=0.9, damping=1e-13)
"""Its settings there, where parameters are many more than points; with fewer, the damping must be larger."""
MEMORY_SHARE = 0.5
"""The share of free memory that the inverse Hessian may take."""


def automatic(
    parameters: int, dtype: torch.dtype, device: str = "cpu", coordinates: int = 2, rows: int = 0
) -> tuple[tuple[Stage, ...], str]:
    """The stages that `optimizer=auto` stands for, and why.

    A short Adam stage brings any start into reach; then self-scaled Broyden where its dense inverse Hessian is
    affordable and float64 lets it work, L-BFGS otherwise. In many coordinates a CPU goes further with SPRING, whose
    matrices have the size of the residuals of a step, as long as these are few.

    Args:
        rows: residuals of a step of SPRING: of each equation and each condition at each of its points.
    """
    many = coordinates >= MANY_COORDINATES and parameters >= SPRING_FROM
    if device == "cpu" and dtype == torch.float64 and many and rows <= SPRING_ROWS:
        reason = f"its matrices have the size of a step's {rows} residuals, which pays for {parameters} parameters"
        return (Stage(WIDE),), f"{reason} on a cpu in {coordinates} coordinates"
    warm_up = Stage(Adam(learning_rate=5e-3, decay=0.5, decay_every=100, steps=200))
    needed, limit, free = 8 * parameters**2, QUASI_NEWTON_LIMIT[device], free_on(device)
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
        return (warm_up, Stage(SSBroyden(max_parameters=limit))), reason
    return (warm_up, Stage(LBFGS())), reason


def free_on(device: str) -> float:
    """Bytes that a run may take on a device."""
    if device == "gpu":
        return torch.cuda.mem_get_info()[0]
    return free_memory()
