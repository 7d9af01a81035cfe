"""L-BFGS."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pinnkit.optimizers.settings import OPTIMIZERS, LineSearch


@OPTIMIZERS.register("lbfgs")
@dataclass(frozen=True)
class LBFGS(LineSearch):
    """L-BFGS, one iteration a step; its memory is 2 history n numbers."""

    history: int = field(default=50, metadata={"minimum": 1, "help": "pairs (s, y) that are remembered"})

    def build(self, parameters: Iterable[Any]) -> Any:
        from pinnkit.optimizers import lbfgs

        return lbfgs.LBFGS(parameters, **self.options())

    def memory(self, parameters: int) -> tuple[str, float]:
        return "history", 2 * float(self.history) * parameters
