"""Gauss-Newton in sample space (ENGD-W, SPRING): an N x N system for N residuals and n > N parameters.

Guzman-Cordero, Dangel, Goldshlager and Zeinhofer 2025 (arXiv 2505.12149); Goldshlager, Abrahamsen and Lin 2024
(arXiv 2401.10190).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import cast

import torch

from pinnkit.optimizers.gauss_newton import condition, damped_solution
from pinnkit.optimizers.least_squares import (
    SINGULAR_INCREASE,
    LeastSquares,
    LeastSquaresOptimizer,
    Model,
    Trial,
    lower_product,
)
from pinnkit.optimizers.line_search import relative_noise, strong_wolfe
from pinnkit.optimizers.threads import torch_threads

VARIANTS = ("engd_w", "spring")


class JacobianTooLargeError(ValueError):
    """J and the matrices of its rows would take more memory than `max_bytes`."""


class KernelModel(Model):
    """d = J'(JJ' + mu I)^-1 r, which is (J'J + mu I)^-1 J'r (Woodbury), by a Cholesky factorisation of N x N."""

    def __init__(self, r: torch.Tensor, jacobian: torch.Tensor, threads: int | None = None) -> None:
        self.r, self._jacobian, self._threads = r, jacobian, threads
        with torch_threads(threads):
            self._kernel = lower_product(jacobian)  # Cholesky reads no more
        self._diagonal = self._kernel.diagonal().clone()
        self._pivots = self._diagonal
        self.scale = float(torch.linalg.vector_norm(jacobian, dim=0).max()) ** 2  # largest diagonal entry of J'J

    def solve(self, damping: float) -> torch.Tensor:
        return self.solve_near(damping, None)

    def solve_near(self, damping: float, centre: torch.Tensor | None) -> torch.Tensor:
        """The d (n,) of least |r - J d|^2 + mu |d - centre|^2: centre + J'(JJ' + mu I)^-1 (r - J centre)."""
        with torch_threads(self._threads):
            right = self.r if centre is None else self.r - self._jacobian @ centre
            z, self._pivots = damped_solution(self._kernel, self._diagonal, damping, right)
            d = self._jacobian.T @ z
        return d if centre is None else d + centre

    def remainder(self, d: torch.Tensor) -> torch.Tensor:
        """|r - J d|^2."""
        return (self.r - self._jacobian @ d).square().sum()

    def diagnostics(self) -> dict[str, float]:
        return {"condition": condition(self._pivots)}


class SampleSpace(LeastSquaresOptimizer):
    """Gauss-Newton with matrices of N residuals rather than n parameters, for n > N; needs the rows of J at once.

        engd_w   d = J'(JJ' + mu I)^-1 r,  theta - d
        spring   d_k = m d_k-1 + J'(JJ' + mu I)^-1 (r - m J d_k-1),  theta - a d_k

    "engd_w" is Levenberg-Marquardt (the same steps as `GaussNewton` but for rounding), with mu by trials (see
    `LeastSquaresOptimizer`). "spring" is for points redrawn in every step, or nearly: d_k is the direction nearest to
    m d_k-1 that fits the present points, so that former points still count. There mu =
    `damping` times the largest diagonal entry of J'J (ten times more where the matrix is numerically not positive
    definite) and does not adapt otherwise; a comes from a strong-Wolfe line search, 1 first. If d_k does not point
    downhill, or after a failure, d_k-1 is dropped. Once found, a is multiplied by `step_factor`. In diagnostics,
    `step_length` is |a d_k| and `gain` compares with the model there.

    Attributes:
        step_factor: factor on a, at most 1.

    Raises ValueError at construction for an unknown variant, and for `momentum` outside [0, 1). `step` raises
    JacobianTooLargeError, before it computes J, where J (N, n) and two N x N matrices would take more than `max_bytes`.
    """

    def __init__(
        self,
        parameters: Iterable[torch.Tensor],
        variant: str = "engd_w",
        *,
        momentum: float = 0.7,
        damping: float = 1e-8,
        max_bytes: float = 8e9,
        max_evaluations: int = 25,
    ) -> None:
        if variant not in VARIANTS:
            raise ValueError(f"unknown variant {variant!r}; the variants are {', '.join(VARIANTS)}")
        if not 0.0 <= momentum < 1.0:
            raise ValueError(f"momentum = {momentum:g} must be at least 0 and below 1")
        super().__init__(parameters, variant, max_evaluations)
        self.variant = variant
        self._momentum, self._damping, self._max_bytes = momentum, damping, max_bytes
        self.step_factor = 1.0

    def _build_model(self, system: LeastSquares, gradient: torch.Tensor) -> KernelModel:
        samples, n = system.rows_shape()
        needed = (samples * n + 2 * samples**2) * self._parameters[0].element_size()
        if needed > self._max_bytes:
            raise JacobianTooLargeError(
                f"{self.name} would keep J, {samples} x {n}, and two matrices {samples} x {samples} "
                f"({needed / 1e9:.3g} GB), and max_bytes = {self._max_bytes:.3g}: draw "
                "fewer points, raise max_bytes if that memory is there, or take gauss_newton (n x n matrices, or with "
                "solver cg products only), lbfgs or adam"
            )
        return KernelModel(*system.rows(), self._threads)

    def _find_step(  # type: ignore[override]
        self, closure: Callable[[], torch.Tensor], model: KernelModel, origin: torch.Tensor
    ) -> Trial | str:
        if self.variant == "engd_w":
            return self._damped_steps(closure, model, origin)
        return self._spring(closure, model, origin)

    def _spring(self, closure: Callable[[], torch.Tensor], model: KernelModel, origin: torch.Tensor) -> Trial | str:
        memory = self._memory
        damping = max(self._damping, self._eps) * model.scale
        previous = memory.pop("previous", None)
        centre = self._momentum * previous if previous is not None and self._momentum > 0.0 else None
        for _ in range(self._max_evaluations):
            d = model.solve_near(damping, centre)
            slope = float(torch.dot(d, memory["gradient"]))
            if centre is not None and not slope > 0.0:
                d = model.solve(damping)
                slope = float(torch.dot(d, memory["gradient"]))
            if math.isfinite(slope):
                break
            damping *= SINGULAR_INCREASE
        else:
            return f"J J' + {damping:.2g} I is numerically not positive definite"
        memory["diagnostics"]["damping"] = damping
        if slope <= self._eps * memory["loss"]:
            return f"the model predicts a decrease of {slope / 2.0:.2g}, which is below rounding"

        def phi(step: float) -> tuple[float, float, torch.Tensor]:
            self._set_parameters(origin - step * d)
            loss, gradient = self._evaluate(closure)
            return *torch.stack((loss.to(d.dtype), -torch.dot(gradient, d))).tolist(), gradient

        found = strong_wolfe(
            phi,
            memory["loss"],
            -slope,
            max_evaluations=self._max_evaluations,
            tolerance=relative_noise(self._eps),
        )
        if not found.outcome.moved:
            return found.outcome.value
        step, loss, gradient = found.step, found.loss, found.gradient
        if self.step_factor < 1.0:
            step *= self.step_factor
            loss, _, gradient = phi(step)
        change = -step * d
        self._set_parameters(origin + change)
        predicted = memory["loss"] - float(model.remainder(-change))
        decrease = memory["loss"] - loss
        memory["diagnostics"] |= {
            "step_length": float(change.norm()),
            "gain": decrease / predicted if predicted > 0.0 else math.nan,
        }
        memory["previous"] = d
        return Trial(loss, decrease, cast(torch.Tensor, gradient))
