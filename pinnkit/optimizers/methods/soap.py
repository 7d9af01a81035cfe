"""SOAP."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pinnkit.optimizers.settings import BETA1, DECAY, OPTIMIZERS, RATE, FirstOrder


@OPTIMIZERS.register("soap")
@dataclass(frozen=True)
class SOAP(FirstOrder):
    """SOAP (Vyas et al. 2024, arXiv 2409.11321; for PINNs arXiv 2502.00604): Adam in Shampoo's eigenbasis."""

    learning_rate: float = field(default=1e-2, metadata=RATE)
    decay: float = field(default=0.9, metadata=DECAY)
    beta1: float = field(default=0.95, metadata=BETA1)
    precondition_every: int = field(
        default=2, metadata={"minimum": 1, "help": "steps for one turn of the eigenbasis, which costs a QR a layer"}
    )

    def build(self, parameters: Iterable[Any]) -> Any:
        from pinnkit.optimizers import soap

        return soap.SOAP(parameters, self.learning_rate, (self.beta1, self.beta2), self.precondition_every)
