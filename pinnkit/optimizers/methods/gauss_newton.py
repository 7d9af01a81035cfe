"""Gauss-Newton methods in the space of the parameters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pinnkit.optimizers.settings import OPTIMIZERS, LeastSquares


@OPTIMIZERS.register("gauss_newton")
@dataclass(frozen=True)
class GaussNewton(LeastSquares):
    """Levenberg-Marquardt with a dense J'J, which costs 16 n^2 bytes in float64 with its factor."""

    max_parameters: int = field(
        default=6000, metadata={"minimum": 1, "help": "largest n accepted: time grows as N n^2 + n^3"}
    )

    def build(self, parameters: Iterable[Any]) -> Any:
        from pinnkit.optimizers import gauss_newton

        return gauss_newton.GaussNewton(parameters, "dense", **self.options())

    def memory(self, parameters: int) -> tuple[str, float] | None:
        # more than `max_parameters` are refused when the optimizer is built
        return ("max_parameters", 2 * float(parameters) ** 2) if parameters <= self.max_parameters else None


@OPTIMIZERS.register("gauss_newton_cg")
@dataclass(frozen=True)
class GaussNewtonCG(LeastSquares):
    """The same steps by conjugate gradients, without any matrix."""

    cg_iterations: int = field(default=200, metadata={"minimum": 1, "help": "products with J'J in a step at most"})
    cg_tolerance: float = field(default=1e-7, metadata={"above": 0, "help": "relative residual at which they end"})

    def build(self, parameters: Iterable[Any]) -> Any:
        from pinnkit.optimizers import gauss_newton

        return gauss_newton.GaussNewton(parameters, "cg", **self.options())
