"""Functions and helpers of the tests of the self-scaled methods."""

from __future__ import annotations

import math

import torch

from pinnkit.optimizers.inverse_hessian import InverseHessian
from pinnkit.optimizers.self_scaled import SelfScaled


def rosenbrock(x):
    return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum()


def setting(function, start, variant="ssbroyden", dtype=torch.float64, **options):
    """(x, optimizer, closure) with a list of the closure's losses as its attribute."""
    x = torch.nn.Parameter(torch.as_tensor(start, dtype=dtype).clone())
    optimizer = SelfScaled([x], variant, **options)

    def closure():
        optimizer.zero_grad()
        loss = function(x)
        loss.backward()
        closure.losses.append(loss.item())
        return loss

    closure.losses = []
    return x, optimizer, closure


def classic_start(n):
    return [-1.2, 1.0] * (n // 2)


def quadratic(n, condition, seed=0):
    generator = torch.Generator().manual_seed(seed)
    q, _ = torch.linalg.qr(torch.randn(n, n, dtype=torch.float64, generator=generator))
    B = q @ torch.diag(torch.logspace(0, math.log10(condition), n, dtype=torch.float64)) @ q.T
    centre = torch.randn(n, dtype=torch.float64, generator=generator)
    return (lambda x: 0.5 * (x - centre) @ B @ (x - centre)), B, centre


def dense(optimizer, x):
    """H as a full matrix of its own."""
    return InverseHessian(x.numel(), optimizer.state[x]["inverse_hessian"]).dense()
