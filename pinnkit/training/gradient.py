"""The gradient as one flat tensor, and a guard against one that is not finite."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from pinnkit.engines.model import Model


class FlatGradient:
    """Hands the flat gradient to the parameters, as views of one tensor."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._flat: Tensor | None = None

    def set(self, gradient: Tensor) -> None:
        """Give each parameter its part of the gradient (parameters,)."""
        if self._flat is None or self._flat.device != gradient.device:
            self._flat = torch.empty_like(gradient)
            parameters = list(self._model.trainable().values())
            parts = self._flat.split([one.numel() for one in parameters])
            for one, part in zip(parameters, parts, strict=True):
                one.grad = part.view_as(one)
        self._flat.copy_(gradient)


class NonFiniteGradientGuard:
    """Keeps the weights where a step would spoil them, without asking the device whether it would.

    torch's fused Adam makes no step where `found_inf` is 1, as it does for gradient scaling; SOAP does likewise. So the
    weights stay those that gave the infinite loss until the end of the block of steps, where it is reported.

    Attributes:
        steps: how many were refused, on the device.
    """

    def __init__(self) -> None:
        self.steps = torch.zeros((), dtype=torch.int64)

    def check(self, optimizer: Any, objective: Tensor, gradient: Tensor) -> None:
        """Refuse this step where objective or gradient are not finite, or an earlier one was refused."""
        if self.steps.device != gradient.device:
            self.steps = self.steps.to(gradient.device)
        infinite = (gradient.sum() + objective) * 0 != 0
        self.steps.add_(infinite.logical_or_(self.steps))
        optimizer.optimizer.found_inf = infinite.to(torch.float32)
