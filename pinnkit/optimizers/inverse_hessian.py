"""The update of the inverse Hessian in BFGS, SSBFGS and SSBroyden.

Al-Baali, Comput. Optim. Appl. 9 (1998); Urban, Stefanou and Pons 2025 (arXiv 2405.04230); Kiyani et al. 2025
(arXiv 2501.16371).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch

VARIANTS = ("bfgs", "ssbfgs", "ssbroyden")

BLOCK = 512
"""Rows of a block on a CPU: 2 MB in float64, the size of a core's cache."""


class Scaling(NamedTuple):
    """The scalars in which the variants differ."""

    tau: float
    theta: float
    phi: float


def scaling(variant: str, h: float, b: float, n: int) -> Scaling:
    """tau, theta and phi = (1 - theta) / (1 + A theta), for h = y'Hy / y's and b = s'H^-1 s / y's.

        BFGS       theta = 0, tau = 1
        SSBFGS     theta = 0, tau = min(1, 1/b)
        SSBroyden  A = h b - 1, c = sqrt(A / (1 + A)), rho_m = min(1, h (1 - c)),
                   theta_m = (rho_m - 1) / A, theta_p = 1 / rho_m,
                   theta = max(theta_m, min(theta_p, (1 - b) / b)),
                   sigma = 1 + A theta, q = sigma^(1 / (1 - n)),
                   tau = min(rho_m q, sigma) if theta <= 0, else rho_m min(q, 1 / theta)

    A >= 0 by Cauchy and Schwarz, and A -> 0 where s is parallel to Hy (always, for n = 1): there theta_m is
    0/0, so A is kept above the rounding of h b. As rho_m = 1 wherever b < 1/2, theta <= 1 and phi >= 0.

    >>> scaling("ssbfgs", h=1.0, b=4.0, n=10)
    Scaling(tau=0.25, theta=0.0, phi=1.0)
    """
    if variant == "bfgs":
        return Scaling(1.0, 0.0, 1.0)
    if variant == "ssbfgs":
        return Scaling(min(1.0, 1.0 / b), 0.0, 1.0)
    excess = max(h * b - 1.0, 1e-15)
    c = math.sqrt(excess / (1.0 + excess))
    rho_minus = min(1.0, h / ((1.0 + excess) * (1.0 + c)))  # h (1 - c), without the cancellation
    theta_minus = (rho_minus - 1.0) / excess
    theta = max(theta_minus, min(1.0 / rho_minus, (1.0 - b) / b))
    sigma = 1.0 + excess * theta
    q = sigma ** (1.0 / (1.0 - n)) if n > 1 else 1.0
    tau = min(rho_minus * q, sigma) if theta <= 0.0 else rho_minus * min(q, 1.0 / theta)
    return Scaling(tau, theta, max((1.0 - theta) / sigma, 0.0))


class InverseHessian:
    """A symmetric matrix H (n, n) by the blocks of its lower triangle, with an update that waits for the next product.

    An iteration reads and writes each block once: the update of the last step, and the product with the new gradient,
    while the block is in the cache. So it moves a quarter of the memory of an update and two products of a full matrix.

    Args:
        n: rows.
        state: what is kept from step to step: "blocks", row by row; "factor" (3, n) and "scale", the update that waits:
            H <- scale H + factor' diag(-1, 1, 1) factor. Only tensors and numbers, so that an optimizer's state can
            hold it.
    """

    def __init__(self, n: int, state: dict[str, Any]) -> None:
        self.n, self.state = n, state

    @staticmethod
    def identity(n: int, scale: float, like: torch.Tensor) -> dict[str, Any]:
        """The state of scale * I in the dtype and on the device of `like`."""
        blocks = []
        for rows, columns in _places(n, like.device):
            shape = (rows.stop - rows.start, columns.stop - columns.start)
            block = torch.zeros(shape, dtype=like.dtype, device=like.device)
            if rows == columns:
                block.fill_diagonal_(scale)
            blocks.append(block)
        return {"blocks": blocks}

    def product(self, vector: torch.Tensor) -> torch.Tensor:
        """H v (n,); the update that waits is made on the way."""
        factor, scale = self.state.pop("factor", None), self.state.pop("scale", 1.0)
        if factor is not None:
            signed = torch.stack((-factor[0], factor[1], factor[2]))
        found = torch.zeros_like(vector)
        for (rows, columns), block in zip(_places(self.n, vector.device), self.state["blocks"], strict=True):
            if factor is not None:
                block.addmm_(factor[:, rows].T, signed[:, columns], beta=scale)
            found[rows].addmv_(block, vector[columns])
            if rows != columns:
                found[columns].addmv_(block.T, vector[rows])
        return found

    def update(
        self,
        s: torch.Tensor,
        hy: torch.Tensor,
        ys: float,
        yhy: float,
        tau: float,
        phi: float,
        vector: torch.Tensor,
        h_vector: torch.Tensor,
    ) -> torch.Tensor:
        """With rho = 1 / (y's) and v = rho s - Hy / (y'Hy), for phi >= 0,

            H <- (1/tau) [H - (Hy)(Hy)' / (y'Hy) + phi (y'Hy) v v'] + rho s s'.

        Args:
            s, hy: (n,).
            vector, h_vector: some g (n,), and Hg with the H before the update.

        Returns:
            Hg (n,) with the H after the update.
        """
        v = s / ys - hy / yhy
        factor = torch.stack((hy / math.sqrt(yhy * tau), v * math.sqrt(phi * yhy / tau), s / math.sqrt(ys)))
        self.state["factor"], self.state["scale"] = factor, 1.0 / tau
        inner = torch.mv(factor, vector)
        inner[0].neg_()
        return torch.addmv(h_vector, factor.T, inner, beta=1.0 / tau)

    def spread(self) -> float:
        """The largest over the smallest diagonal entry, without the update that waits."""
        like = self.state["blocks"][0]
        places = _places(self.n, like.device)
        parts = [
            block.diagonal()
            for (rows, columns), block in zip(places, self.state["blocks"], strict=True)
            if rows == columns
        ]
        least, largest = torch.stack(torch.cat(parts).aminmax()).tolist()
        return largest / least if least > 0.0 else math.inf

    def dense(self) -> torch.Tensor:
        """H (n, n)."""
        found = self.product(torch.zeros(self.n).to(self.state["blocks"][0]))  # makes the update that waits
        full = found.new_empty(self.n, self.n)
        for (rows, columns), block in zip(_places(self.n, found.device), self.state["blocks"], strict=True):
            full[rows, columns] = block
            full[columns, rows] = block.T
        return full


def _places(n: int, device: torch.device) -> list[tuple[slice, slice]]:
    """Rows and columns of the blocks of the lower triangle; a GPU gains nothing by small ones, and has one."""
    size = BLOCK if device.type == "cpu" else n
    edges = [slice(start, min(start + size, n)) for start in range(0, n, size)]
    return [(rows, columns) for number, rows in enumerate(edges) for columns in edges[: number + 1]]
