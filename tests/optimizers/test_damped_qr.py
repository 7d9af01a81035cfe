"""Orthogonal factorisations of damped problems against NumPy, where J'J would lose the answer."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pinnkit.optimizers import damped_qr
from pinnkit.optimizers.damped_qr import DampedQR, HouseholderQR


def matrix(rows, n, condition, seed=0):
    """(rows, n) with singular values from 1 down to 1 / condition."""
    generator = torch.Generator().manual_seed(seed)
    left, _ = torch.linalg.qr(torch.randn(rows, min(rows, n), generator=generator, dtype=torch.float64))
    right, _ = torch.linalg.qr(torch.randn(n, min(rows, n), generator=generator, dtype=torch.float64))
    return (left * torch.logspace(0, -np.log10(condition), min(rows, n), dtype=torch.float64)) @ right.T


@pytest.mark.parametrize(("rows", "n"), [(40, 17), (17, 17), (9, 17)])
def test_solutions_are_those_of_the_stacked_problem(rows, n, monkeypatch):
    monkeypatch.setattr(damped_qr, "PANEL", 5)
    jacobian, damping = matrix(rows, n, 1e3), 1e-4
    generator = torch.Generator().manual_seed(1)
    r = torch.randn(rows, generator=generator, dtype=torch.float64)
    centre = torch.randn(n, generator=generator, dtype=torch.float64)
    factor = HouseholderQR(jacobian)
    torch.testing.assert_close(factor.triangle.T @ factor.triangle, jacobian.T @ jacobian)
    damped = DampedQR(factor.triangle, damping)
    stacked = torch.cat((jacobian, damping**0.5 * torch.eye(n, dtype=torch.float64)))
    for middle in (None, centre):
        below = torch.zeros(n, dtype=torch.float64) if middle is None else damping**0.5 * middle
        expected, *_ = np.linalg.lstsq(stacked.numpy(), torch.cat((r, below)).numpy(), rcond=None)
        found = damped.solution(factor.rotated(r), middle)
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-10, atol=1e-12)
    size = torch.linalg.qr(stacked, mode="r")[1].diagonal().abs()
    torch.testing.assert_close(damped.diagonal, size)


def test_directions_count_that_are_lost_in_the_rounding_of_a_product():
    """Singular values down to 1e-11: their squares lie below eps, and Cholesky's factor of J'J + mu I has none."""
    n, damping = 30, 1e-26
    jacobian = matrix(90, n, 1e11)
    truth = torch.ones(n, dtype=torch.float64)
    r = jacobian @ truth
    factor = HouseholderQR(jacobian)
    found = DampedQR(factor.triangle, damping).solution(factor.rotated(r))
    assert float((found - truth).abs().max()) < 1e-3
    gram = jacobian.T @ jacobian
    gram.diagonal().add_(damping)
    cholesky, info = torch.linalg.cholesky_ex(gram)
    lost = torch.cholesky_solve((jacobian.T @ r)[:, None], cholesky)[:, 0]
    assert int(info) > 0 or float((lost - truth).abs().max()) > 1.0
