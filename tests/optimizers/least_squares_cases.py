"""Least-squares problems of the tests of Levenberg-Marquardt."""

from __future__ import annotations

import math

import torch

from pinnkit.optimizers.gauss_newton import GaussNewton
from tests.optimizers.systems import prepare


def setting(function, start, dtype=torch.float64, **options):
    return prepare(function, start, lambda parameters: GaussNewton(parameters, **options), dtype)


def rosenbrock(x):
    return torch.stack((10.0 * (x[1] - x[0] ** 2), 1.0 - x[0]))


def powell_singular(x):
    return torch.stack(
        (
            x[0] + 10.0 * x[1],
            math.sqrt(5.0) * (x[2] - x[3]),
            (x[1] - 2.0 * x[2]) ** 2,
            math.sqrt(10.0) * (x[0] - x[3]) ** 2,
        )
    )


def brown_dennis(x):
    t = torch.arange(1, 21, dtype=x.dtype) / 5.0
    return (x[0] + t * x[1] - torch.exp(t)) ** 2 + (x[2] + x[3] * torch.sin(t) - torch.cos(t)) ** 2


def linear(rows, n, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    matrix = torch.randn(rows, n, generator=generator, dtype=dtype)
    right = torch.randn(rows, generator=generator, dtype=dtype)
    return (lambda x: matrix @ x - right), matrix, right


def with_damping(optimizer, closure, damping):
    """Make the next step start from this damping."""
    memory = optimizer._memory
    memory["damping"] = damping
    return optimizer.step(closure)


CLASSICS = {
    "rosenbrock": (rosenbrock, [-1.2, 1.0], 0.0, 1e-20, 30),
    "powell singular": (powell_singular, [3.0, -1.0, 0.0, 1.0], 0.0, 1e-16, 30),
    "brown dennis": (brown_dennis, [25.0, 5.0, -5.0, -1.0], 85822.2016263563, 1e-8, 60),
}
