"""From the name and the settings of an optimizer to the optimizer."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from pinnkit.optimizers import settings as kinds
from pinnkit.optimizers.self_scaled import SelfScaled

LBFGS_EVALUATIONS = 25  # in one step; torch would allow its line search none at all with max_iter = 1


def build(
    name: str, settings: kinds.Adam | kinds.LBFGS | kinds.SelfScaled, parameters: Iterable[torch.Tensor]
) -> torch.optim.Optimizer:
    """The optimizer called `name` in `settings.OPTIMIZERS`, on these parameters.

    One `step(closure)` of any of them is one iteration; the closure zeroes the gradients, computes the loss,
    calls `backward` and returns the loss.

    Raises ValueError for an unknown name, and TypeError for settings that belong to another optimizer.
    """
    if name not in kinds.OPTIMIZERS:
        raise ValueError(f"unknown optimizer {name!r}; the optimizers are {', '.join(kinds.OPTIMIZERS)}")
    expected = kinds.OPTIMIZERS[name]
    if not isinstance(settings, expected):
        raise TypeError(
            f"the settings of optimizer {name!r} are {type(settings).__name__}; it needs {expected.__name__}"
        )
    if isinstance(settings, kinds.Adam):
        return torch.optim.Adam(parameters, lr=settings.learning_rate, fused=True)  # one pass over all parameters
    if isinstance(settings, kinds.LBFGS):
        # The tolerances of torch (1e-7 on the gradient, 1e-9 on the step) would end a run long before
        # rounding does.
        return torch.optim.LBFGS(
            parameters,
            max_iter=1,
            max_eval=LBFGS_EVALUATIONS,
            history_size=settings.history,
            line_search_fn="strong_wolfe",
            tolerance_grad=0.0,
            tolerance_change=0.0,
        )
    return SelfScaled(
        parameters,
        variant=name,
        max_parameters=settings.max_parameters,
        gradient_tolerance=settings.gradient_tolerance,
        max_evaluations=settings.max_evaluations,
    )
