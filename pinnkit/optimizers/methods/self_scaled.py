"""BFGS, SSBFGS and SSBroyden with a dense inverse Hessian."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pinnkit.optimizers.settings import OPTIMIZERS, LineSearch


@dataclass(frozen=True)
class SelfScaled(LineSearch):
    """A dense inverse Hessian, by its factor: 8 n^2 bytes in float64."""

    max_parameters: int = field(
        default=12_000, metadata={"minimum": 1, "help": "largest n accepted: memory and time grow as n^2"}
    )

    def build(self, parameters: Iterable[Any]) -> Any:
        from pinnkit.optimizers import self_scaled

        return self_scaled.SelfScaled(parameters, self.name, **self.options())

    def set_threads(self, optimizer: Any, rows: int, matrices: int | None) -> None:
        optimizer.set_worker_threads(rows)

    def memory(self, parameters: int) -> tuple[str, float] | None:
        # more than `max_parameters` are refused when the optimizer is built
        return ("max_parameters", float(parameters) ** 2) if parameters <= self.max_parameters else None


@OPTIMIZERS.register("bfgs")
@dataclass(frozen=True)
class BFGS(SelfScaled):
    """BFGS."""


@OPTIMIZERS.register("ssbfgs")
@dataclass(frozen=True)
class SSBFGS(SelfScaled):
    """Self-scaled BFGS (Al-Baali 1998)."""


@OPTIMIZERS.register("ssbroyden")
@dataclass(frozen=True)
class SSBroyden(SelfScaled):
    """Self-scaled Broyden (Al-Baali 1998; for PINNs arXiv 2405.04230)."""
