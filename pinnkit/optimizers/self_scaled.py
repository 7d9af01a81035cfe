"""Quasi-Newton methods with a dense inverse Hessian: BFGS, SSBFGS and SSBroyden.

Al-Baali, Comput. Optim. Appl. 9 (1998); Urban, Stefanou and Pons 2025 (arXiv 2405.04230); Kiyani et al. 2025
(arXiv 2501.16371).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from concurrent.futures import Executor, ThreadPoolExecutor

import torch

from pinnkit.optimizers.inverse_hessian import VARIANTS, InverseHessian, scaling
from pinnkit.optimizers.quasi_newton import QuasiNewton


class SelfScaled(QuasiNewton):
    """Quasi-Newton steps with a dense H, updated by `inverse_hessian.scaling` (BFGS, SSBFGS or SSBroyden).

    H starts as (y's / y'y) I (Nocedal and Wright, 6.20) after a first step along -g, and after a failed line search.

    Attributes:
        variant: "bfgs", "ssbfgs" or "ssbroyden".
        diagnostics: those of `QuasiNewton`, tau, theta, and condition, the largest over the smallest of three Rayleigh
            quotients of H (a lower bound of its condition number); NaN where H was not updated.

    Raises ValueError at construction for an unknown variant, and for more than `max_parameters` parameters.
    """

    def __init__(
        self,
        parameters: Iterable[torch.Tensor],
        variant: str = "ssbroyden",
        *,
        max_parameters: int = 12_000,
        gradient_tolerance: float = 0.0,
        max_evaluations: int = 25,
    ) -> None:
        if variant not in VARIANTS:
            raise ValueError(f"unknown variant {variant!r}; the variants are {', '.join(VARIANTS)}")
        super().__init__(parameters, variant, gradient_tolerance, max_evaluations)
        self.variant = variant
        self._pool: Executor | None = None
        self._threads = 1
        if self._n > max_parameters:
            gigabytes = self._n**2 * self._parameters[0].element_size() / 1e9
            raise ValueError(
                f"{variant} would keep a dense {self._n} x {self._n} matrix ({gigabytes:.3g} GB), and "
                f"max_parameters = {max_parameters}: use a smaller network, raise max_parameters if that "
                "memory is there, or take Gauss-Newton in sample space (engd_w, spring), SOAP (soap) or L-BFGS "
                "(lbfgs), whose memory does not grow as n^2"
            )

    def set_worker_threads(self, threads: int) -> None:
        """Set the number of CPU threads for products with H, on which results do not depend."""
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads - 1, "pinnkit", torch.set_num_threads, (1,)) if threads > 1 else None

    def warm_start(self, former: torch.optim.Optimizer) -> None:
        """Take H from a former phase with such a method, which then has none."""
        if isinstance(former, SelfScaled) and "inverse_hessian" in former._memory:
            self._memory["inverse_hessian"] = former._memory["inverse_hessian"]
            self._memory["expected_step"] = former._memory["expected_step"]
            former._reset_curvature()

    def _direction(self, gradient: torch.Tensor) -> torch.Tensor | None:
        memory = self._memory
        if "direction" not in memory and "inverse_hessian" in memory:
            memory["half"] = self._matrix().transposed_product(gradient)
            (product,) = self._matrix().product(memory["half"])
            memory["direction"] = -product
        return memory.get("direction")

    def refresh(self) -> None:
        """As in `QuasiNewton`; the direction goes with the gradient."""
        super().refresh()
        self._memory.pop("direction", None)

    def _reset_curvature(self) -> None:
        self._memory.pop("inverse_hessian", None)
        self._memory.pop("direction", None)

    def _matrix(self) -> InverseHessian:
        return InverseHessian(self._n, self._memory["inverse_hessian"], self._pool, self._threads)

    def _update_curvature(
        self, step: float, direction: torch.Tensor, old: torch.Tensor, new: torch.Tensor
    ) -> dict[str, float]:
        """Update H by s and y and compute the next direction; H stays if y's is within its rounding error."""
        memory = self._memory
        s, y, ys, yy, ss, reliable = self._curvature_pair(step, direction, old, new)
        memory.pop("direction", None)
        if not reliable:
            return {"curvature": math.nan, "tau": math.nan, "theta": math.nan, "condition": math.nan}
        if "inverse_hessian" in memory:
            matrix = self._matrix()
            q = matrix.transposed_product(new)
            w = memory["half"] * -step
            z = q - memory["half"]
        else:
            root = math.sqrt(ys / yy)
            memory["inverse_hessian"] = InverseHessian.identity(self._n, root**2, s)
            matrix = self._matrix()
            q, w, z = new * root, s / root, y * root
        yhy, shs, ghg, gg = torch.stack(
            (torch.dot(z, z), torch.dot(w, w), torch.dot(q, q), torch.dot(new, new))
        ).tolist()
        if not (yhy > 0.0 and shs > 0.0):  # Z'y or Z^-1 s has underflowed
            return {"curvature": ys / ss, "tau": math.nan, "theta": math.nan, "condition": math.nan}
        found = scaling(self.variant, h=yhy / ys, b=shs / ys, n=self._n)
        memory["half"], hg = matrix.update(q, z, w, s, yhy / ys, found.tau, found.phi)
        memory["direction"] = hg.neg_()
        seen = (yhy / yy, ss / shs, ghg / gg if gg > 0.0 else 1.0)  # Rayleigh quotients of H
        return {"curvature": ys / ss, "tau": found.tau, "theta": found.theta, "condition": max(seen) / min(seen)}
