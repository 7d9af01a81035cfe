"""AMSGrad."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pinnkit.optimizers.settings import OPTIMIZERS, FirstOrder


@OPTIMIZERS.register("amsgrad")
@dataclass(frozen=True)
class AMSGrad(FirstOrder):
    """Adam with the largest second moment so far (Reddi et al. 2018, arXiv 1904.09237)."""

    def build(self, parameters: Iterable[Any]) -> Any:
        import torch

        betas = (self.beta1, self.beta2)
        return torch.optim.Adam(parameters, self.learning_rate, betas, amsgrad=True, fused=True)
