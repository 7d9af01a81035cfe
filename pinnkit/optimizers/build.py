"""From the name and the settings of an optimizer to the optimizer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

import torch

from pinnkit.optimizers import settings as kinds
from pinnkit.optimizers.gauss_newton import GaussNewton
from pinnkit.optimizers.lbfgs import LBFGS
from pinnkit.optimizers.sample_space import SampleSpace
from pinnkit.optimizers.self_scaled import SelfScaled
from pinnkit.optimizers.soap import SOAP

BY_PHASE = ("steps", "settle")
"""Settings that the phase heeds, not the optimizer."""


def build(
    name: str, settings: kinds.FirstOrder | kinds.LineSearch | kinds.LeastSquares, parameters: Iterable[torch.Tensor]
) -> torch.optim.Optimizer:
    """The optimizer called `name` in `settings.OPTIMIZERS`, on these parameters.

    One `step(closure)` of any of them is one iteration; the closure zeroes the gradients, computes the loss,
    calls `backward` and returns the loss. Those of the Gauss-Newton methods need their attribute `system` set before.

    Raises ValueError for an unknown name, and TypeError for settings that belong to another optimizer.
    """
    if name not in kinds.OPTIMIZERS:
        raise ValueError(f"unknown optimizer {name!r}; the optimizers are {', '.join(kinds.OPTIMIZERS)}")
    expected = kinds.OPTIMIZERS[name]
    if not isinstance(settings, expected):
        raise TypeError(
            f"the settings of optimizer {name!r} are {type(settings).__name__}; it needs {expected.__name__}"
        )
    options = {one.name: getattr(settings, one.name) for one in fields(settings) if one.name not in BY_PHASE}
    if isinstance(settings, kinds.FirstOrder):
        rate, betas = settings.learning_rate, (settings.beta1, settings.beta2)
        if isinstance(settings, kinds.SOAP):
            return SOAP(parameters, rate, betas, settings.precondition_every)
        return torch.optim.Adam(parameters, rate, betas, fused=True)  # one pass over all parameters
    if isinstance(settings, kinds.LBFGS):
        return LBFGS(parameters, **options)
    if isinstance(settings, kinds.SelfScaled):
        return SelfScaled(parameters, name, **options)
    if isinstance(settings, kinds.SampleSpace):
        return SampleSpace(parameters, name, **options)
    return GaussNewton(parameters, "cg" if isinstance(settings, kinds.GaussNewtonCG) else "dense", **options)
