"""Gauss-Newton methods in the space of the parameters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pinnkit.optimizers.settings import OPTIMIZERS, LeastSquares

STEP_WORTH = 25
"""Quasi-Newton steps that a step along a curve is worth, by the decrease of the objective on the same points."""


@OPTIMIZERS.register("gauss_newton")
@dataclass(frozen=True)
class GaussNewton(LeastSquares):
    """Levenberg-Marquardt along curves, with QR factorisations of J."""

    solver: str = field(
        default="qr",
        metadata={
            "choices": ("qr", "gram"),
            "help": "qr: steps along curves, with J = QR (all digits); gram: straight steps with J'J, 16 n^2 bytes",
        },
    )
    max_bytes: float = field(default=8e9, metadata={"above": 0, "help": "of J and its factorisations; more is refused"})
    max_parameters: int = field(
        default=6000, metadata={"minimum": 1, "help": "largest n accepted: time grows as N n^2 + n^3"}
    )

    @property
    def worth(self) -> int:
        return 1 if self.solver == "gram" else STEP_WORTH

    def build(self, parameters: Iterable[Any]) -> Any:
        options = self.options()
        if options.pop("solver") == "gram":
            from pinnkit.optimizers import gauss_newton

            del options["max_bytes"]
            return gauss_newton.GaussNewton(parameters, "dense", **options)
        from pinnkit.optimizers import curved_gauss_newton

        return curved_gauss_newton.CurvedGaussNewton(parameters, **options)

    def memory(self, parameters: int) -> tuple[str, float] | None:
        # more than `max_parameters` are refused when the optimizer is built; J is checked in a step, against max_bytes
        matrices = 2 if self.solver == "gram" else 4
        return ("max_parameters", matrices * float(parameters) ** 2) if parameters <= self.max_parameters else None


@OPTIMIZERS.register("gauss_newton_cg")
@dataclass(frozen=True)
class GaussNewtonCG(LeastSquares):
    """The same steps by conjugate gradients, without any matrix."""

    cg_iterations: int = field(default=200, metadata={"minimum": 1, "help": "products with J'J in a step at most"})
    cg_tolerance: float = field(default=1e-7, metadata={"above": 0, "help": "relative residual at which they end"})

    def build(self, parameters: Iterable[Any]) -> Any:
        from pinnkit.optimizers import gauss_newton

        return gauss_newton.GaussNewton(parameters, "cg", **self.options())
