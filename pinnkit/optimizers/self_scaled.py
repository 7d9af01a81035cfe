"""Self-scaled quasi-Newton methods with a dense inverse Hessian: BFGS, SSBFGS and SSBroyden.

Al-Baali, Comput. Optim. Appl. 9 (1998); Urban, Stefanou and Pons 2025 (arXiv 2405.04230); Kiyani et al. 2025
(arXiv 2501.16371).
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch

from pinnkit.optimizers.inverse_hessian import VARIANTS, InverseHessian, scaling
from pinnkit.optimizers.quasi_newton import QuasiNewton


class SelfScaled(QuasiNewton):
    """Quasi-Newton steps with a dense H, updated by `inverse_hessian.scaling` (BFGS, SSBFGS or SSBroyden).

    H starts as (y's / y'y) I (Nocedal and Wright, 6.20) after a first step along -g, and again after a line search
    that failed; this halves the iterations of BFGS on quadratics and changes little for the self-scaled variants.
    An iteration makes one pass over H: the product H g_new gives Hy = H g_new + p as well as the next direction.

    Attributes:
        variant: "bfgs", "ssbfgs" or "ssbroyden".
        diagnostics: besides those of `QuasiNewton`: tau, theta, and condition, the largest over the smallest
            diagonal entry of H (a lower bound of its condition number); NaN where H was not updated.

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
        if self._n > max_parameters:
            gigabytes = self._n**2 / 2 * self._parameters[0].element_size() / 1e9
            raise ValueError(
                f"{variant} would keep a dense symmetric {self._n} x {self._n} matrix ({gigabytes:.3g} GB), and "
                f"max_parameters = {max_parameters}: use a smaller network, raise max_parameters if that "
                "memory is there, or take Gauss-Newton in sample space (engd_w, spring), SOAP (soap) or L-BFGS "
                "(lbfgs), whose memory does not grow as n^2"
            )

    def _direction(self, gradient: torch.Tensor) -> torch.Tensor | None:
        memory = self._memory
        if "direction" not in memory and "inverse_hessian" in memory:
            memory["direction"] = self._matrix().product(gradient).neg_()
        return memory.get("direction")

    def refresh(self) -> None:
        """As in `QuasiNewton`; the direction belongs to the gradient that is forgotten."""
        super().refresh()
        self._memory.pop("direction", None)

    def _forget(self) -> None:
        self._memory.pop("inverse_hessian", None)
        self._memory.pop("direction", None)

    def _matrix(self) -> InverseHessian:
        return InverseHessian(self._n, self._memory["inverse_hessian"])

    def _learn(self, step: float, direction: torch.Tensor, old: torch.Tensor, new: torch.Tensor) -> dict[str, float]:
        """Update H by s and y, and find the next direction; leave H where y's is not above its own rounding error."""
        memory = self._memory
        s, y = direction * step, new - old
        starts = "inverse_hessian" not in memory
        # H g_new and H y; without an H as yet, they are taken with the identity and scaled below
        hg = new if starts else self._matrix().product(new)
        hy = y if starts else hg + direction
        ys, yhy, sg, ss, rounding, largest = torch.stack(
            (
                torch.dot(y, s),
                torch.dot(y, hy),
                torch.dot(s, old),
                torch.dot(s, s),
                s.norm() * (new.norm() + old.norm()) * torch.finfo(s.dtype).eps,
                new.abs().max(),
            )
        ).tolist()
        self._finish_if_flat(largest)
        if not (ys > rounding and yhy > 0.0):
            memory.pop("direction", None)
            if not starts:
                memory["direction"] = -hg
            return {"curvature": math.nan, "tau": math.nan, "theta": math.nan, "condition": math.nan}
        b = -step * sg / ys
        if starts:
            scale = ys / yhy  # y's / y'y
            memory["inverse_hessian"] = InverseHessian.identity(self._n, scale, s)
            hg, hy, yhy, b = hg * scale, hy * scale, ys, ss / (scale * ys)
        found = scaling(self.variant, h=yhy / ys, b=b, n=self._n)
        matrix = self._matrix()
        memory["direction"] = matrix.update(s, hy, ys, yhy, found.tau, found.phi, new, hg).neg_()
        return {"curvature": ys / ss, "tau": found.tau, "theta": found.theta, "condition": matrix.spread()}
