"""The update of the inverse Hessian in BFGS, SSBFGS and SSBroyden.

Al-Baali, Comput. Optim. Appl. 9 (1998); Urban, Stefanou and Pons 2025 (arXiv 2405.04230); Kiyani et al. 2025
(arXiv 2501.16371).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch

VARIANTS = ("bfgs", "ssbfgs", "ssbroyden")


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


def update_inverse_hessian(
    inverse_hessian: torch.Tensor,
    s: torch.Tensor,
    hy: torch.Tensor,
    ys: float,
    yhy: float,
    tau: float,
    phi: float,
) -> None:
    """In place, for rho = 1 / (y's) and v = rho s - Hy / (y'Hy),

        H <- (1/tau) [H - (Hy)(Hy)' / (y'Hy) + phi (y'Hy) v v'] + rho s s'.

    `inverse_hessian`: (n, n), symmetric; `s`, `hy`: (n,); phi >= 0. It is one pass over H: a product of a
    3-column factor with its own transpose, with the signs -, +, +, so H also stays symmetric.
    """
    v = s / ys - hy / yhy
    factor = torch.stack((hy / math.sqrt(yhy * tau), v * math.sqrt(phi * yhy / tau), s / math.sqrt(ys)))
    signed = torch.stack((-factor[0], factor[1], factor[2]))
    inverse_hessian.addmm_(factor.T, signed, beta=1.0 / tau)
