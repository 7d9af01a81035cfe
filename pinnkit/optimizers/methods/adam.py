"""Adam."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pinnkit.optimizers.settings import OPTIMIZERS, FirstOrder


@OPTIMIZERS.register("adam")
@dataclass(frozen=True)
class Adam(FirstOrder):
    """Adam (Kingma and Ba 2015, arXiv 1412.6980)."""

    def build(self, parameters: Iterable[Any]) -> Any:
        import torch

        # fused: one pass over all parameters
        return torch.optim.Adam(parameters, self.learning_rate, (self.beta1, self.beta2), fused=True)
