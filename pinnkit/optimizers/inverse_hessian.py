"""Dense inverse Hessian in factored form, with the updates of BFGS, SSBFGS and SSBroyden.

Al-Baali, Comput. Optim. Appl. 9 (1998); Urban, Stefanou and Pons 2025 (arXiv 2405.04230); Kiyani et al. 2025
(arXiv 2501.16371).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, NamedTuple

import torch

from pinnkit.optimizers.threads import torch_threads

VARIANTS = ("bfgs", "ssbfgs", "ssbroyden")

BLOCK_BYTES = 2**20
"""Size of a block of rows on a CPU, small enough for a core's cache."""
STRIPS = 8
"""Strips of rows distributed over threads; their number is fixed so that sums do not depend on the threads."""
MAX_PENDING_UPDATES = 8
"""Updates that are collected before the factor is written, in one pass."""
MIN_THREADED_BYTES = 2**22
"""Size of a matrix above which its rows are distributed over threads."""


class Scaling(NamedTuple):
    """Scalars of the update, in which the variants differ."""

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
    """H = Z Z' by its factor Z (n, n), with deferred updates.

    Z Z' is positive definite by construction, while H updated in place ceases to be once its condition reaches 1 / eps.

    With q = Z'g and a step s = -a H g, w = Z^-1 s = -a q and z = Z'y are known, and H_new = Z N N' Z', where N differs
    from I / sqrt(tau) in the plane of z and w only. In its orthonormal basis (q1, q2), q1 = z / |z|,

        N = [[1 / sqrt(h), 0], [sqrt(A / h), sqrt((1 + phi A) / tau)]],    A = h b - 1,

    so that Z_new = Z / sqrt(tau) + Z (q1, q2) (N - I / sqrt(tau)) (q1, q2)'. An iteration passes over Z twice: once for
    Z_new'g and once for a product with two vectors. Updates are collected as Z = scale Z_0 + left right', up to
    `MAX_PENDING_UPDATES` of them, and then applied while the rows are in the cache for Z'g.

    Args:
        n: rows.
        state: "factor", Z_0; with k pending updates also "left" and "right" (n, 2 k) and "scale". Only tensors and
            numbers, so that an optimizer's state can hold it.
        pool, threads: a pool of `threads` - 1 threads besides the caller's; None for the caller's alone.
    """

    def __init__(self, n: int, state: dict[str, Any], pool: Executor | None = None, threads: int = 1) -> None:
        self.n, self.state, self.pool, self.threads = n, state, pool, threads

    @staticmethod
    def identity(n: int, scale: float, like: torch.Tensor) -> dict[str, Any]:
        """The state of scale * I in the dtype and on the device of `like`."""
        return {"factor": torch.eye(n, dtype=like.dtype, device=like.device).mul_(math.sqrt(scale))}

    def transposed_product(self, vector: torch.Tensor) -> torch.Tensor:
        """Z'v (n,); pending updates are applied on the way once there are enough."""
        state, factor = self.state, self.state["factor"]
        left: Any = state.get("left")
        right: Any = state.get("right")
        scale = state.get("scale", 1.0)
        due = left is not None and left.shape[1] >= 2 * MAX_PENDING_UPDATES
        blocks = due and factor.device.type == "cpu"
        rows = max(BLOCK_BYTES // (self.n * vector.element_size()), 1) if blocks else self.n

        def strip(start: int, stop: int) -> torch.Tensor:
            found = torch.zeros_like(vector)
            for first in range(start, stop, rows):
                span = slice(first, min(first + rows, stop))
                if due:
                    factor[span].addmm_(left[span], right.T, beta=scale)
                found.addmv_(factor[span].T, vector[span])
            return found

        found = torch.stack(self._strips(strip)).sum(0)
        if due:
            del state["left"], state["right"], state["scale"]
        elif left is not None:
            found = torch.addmv(found, right, left.T @ vector, beta=scale)
        return found

    def product(self, *vectors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Z v (n,) for each v."""
        state, factor, rows = self.state, self.state["factor"], torch.stack(vectors)
        # v' Z' is faster than Z v: a product with few columns is slow.
        found = torch.cat(self._strips(lambda start, stop: rows @ factor[start:stop].T), dim=1)
        if "left" in state:
            found = torch.addmm(found, rows @ state["right"], state["left"].T, beta=state["scale"])
        return found.unbind()

    def _strips(self, work: Callable[[int, int], torch.Tensor]) -> list[torch.Tensor]:
        """work(first row, last row + 1) for each strip of rows, on all threads."""
        factor = self.state["factor"]
        if factor.device.type != "cpu":  # a GPU distributes each operation by itself
            return [work(0, self.n)]
        spans = [(self.n * strip // STRIPS, self.n * (strip + 1) // STRIPS) for strip in range(STRIPS)]
        with torch_threads(1):  # as in the pool: torch's own threads may change the order of a sum
            if self.pool is None or factor.numel() * factor.element_size() < MIN_THREADED_BYTES:
                return [work(*span) for span in spans]
            # One task for each thread: passing on single strips takes as long as their work.
            threads = self.threads
            shares = [spans[STRIPS * one // threads : STRIPS * (one + 1) // threads] for one in range(threads)]
            others = [self.pool.submit(lambda share: [work(*span) for span in share], share) for share in shares[1:]]
            found = [work(*span) for span in shares[0]]
            return [*found, *(part for other in others for part in other.result())]

    def update(
        self, q: torch.Tensor, z: torch.Tensor, w: torch.Tensor, s: torch.Tensor, h: float, tau: float, phi: float
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """H <- (1/tau) [H - (Hy)(Hy)' / (y'Hy) + phi (y'Hy) v v'] + s s' / (y's), v = s / (y's) - Hy / (y'Hy).

        Args:
            q: Z'g of the gradient to come, z = Z'y, and w = Z^-1 s, (n,) each.
            s: the step (n,).
            h: y'Hy / y's.
            tau, phi: as from `scaling`; phi >= 0.

        Returns:
            Z'g and H g (n,) after the update.
        """
        q1 = z / z.norm()
        along = torch.dot(w, q1)
        rest = w - along * q1
        rest = rest - torch.dot(rest, q1) * q1  # once more: the first leaves the rounding of w
        beta = rest.norm()
        plane = beta > torch.finfo(w.dtype).eps * w.norm()  # where w is parallel to z, there is only a line, and A = 0
        beta = torch.where(plane, beta, 1.0)
        q2 = torch.where(plane, rest / beta, 0.0)
        excess = torch.where(plane, (beta / along).square(), 0.0)  # A
        shrunk = 1.0 / math.sqrt(tau)
        inner = torch.stack(
            (
                torch.full_like(excess, 1.0 / math.sqrt(h) - shrunk),
                torch.zeros_like(excess),
                (excess / h).sqrt(),
                ((1.0 + phi * excess) / tau).sqrt() - shrunk,
            )
        ).view(2, 2)  # N - I / sqrt(tau) in the basis (q1, q2)
        basis = torch.stack((q1, q2), dim=1)
        new = torch.addmv(q, basis, inner.T @ (basis.T @ q), beta=shrunk)  # N'q
        again = torch.addmv(new, basis, inner @ (basis.T @ new), beta=shrunk)  # N N'q
        hg, zq1 = self.product(again, q1)
        zq2 = torch.where(plane, (s - along * zq1) / beta, 0.0)
        left, state = torch.stack((zq1, zq2), dim=1) @ inner, self.state
        waits = "left" in state
        state["left"] = torch.cat((state["left"] * shrunk, left), dim=1) if waits else left
        state["right"] = torch.cat((state["right"], basis), dim=1) if waits else basis
        state["scale"] = state.get("scale", 1.0) * shrunk
        return new, hg

    def dense(self) -> torch.Tensor:
        """H (n, n)."""
        state, factor = self.state, self.state["factor"]
        if "left" in state:
            factor = torch.addmm(factor, state["left"], state["right"].T, beta=state["scale"])
        return factor @ factor.T
