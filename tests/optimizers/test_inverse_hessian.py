"""The update of the inverse Hessian against its formula, written out plainly."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pinnkit.optimizers import inverse_hessian
from pinnkit.optimizers.inverse_hessian import VARIANTS, InverseHessian, scaling


def plain_update(variant, H, s, y, g, a):
    """H_new, tau, theta as in Urban, Stefanou and Pons (2025), with s = a p and p = -H g."""
    n = len(s)
    rho = 1.0 / (y @ s)
    yHy = y @ H @ y
    h, b = rho * yHy, -a * rho * (s @ g)
    A = h * b - 1.0
    if variant == "bfgs":
        theta, tau = 0.0, 1.0
    elif variant == "ssbfgs":
        theta, tau = 0.0, min(1.0, 1.0 / b)
    else:
        c = np.sqrt(abs(A) / (1.0 + A))
        rho_m = min(1.0, h * (1.0 - c))
        theta_m, theta_p = (rho_m - 1.0) / A, 1.0 / rho_m
        theta = max(theta_m, min(theta_p, (1.0 - b) / b))
        sigma = 1.0 + A * theta
        q = abs(sigma) ** (1.0 / (1.0 - n))
        tau = min(rho_m * q, sigma) if theta <= 0.0 else rho_m * min(q, 1.0 / theta)
    v = rho * s - H @ y / yHy
    phi = (1.0 - theta) / (1.0 + A * theta)
    inner = H - np.outer(H @ y, H @ y) / yHy + phi * yHy * np.outer(v, v)
    return inner / tau + rho * np.outer(s, s), tau, theta


def random_case(seed, n=7):
    """H, s = -a H g and y = B s, where B is near or far from a multiple of the inverse of H."""
    rng = np.random.default_rng(seed)
    root, other = rng.standard_normal((2, n, n))
    H = root @ root.T + 0.1 * np.eye(n)
    B = (np.linalg.inv(H) + 10.0 ** rng.uniform(-4, 0) * other @ other.T) * 10.0 ** rng.uniform(-1, 1)
    g, a = rng.standard_normal(n), rng.uniform(0.1, 1.5)
    s = -a * H @ g
    return H, s, B @ s, g, a


def kept(H):
    """The state of an InverseHessian that equals H."""
    state = InverseHessian.identity(len(H), 1.0, torch.tensor(H))
    rest = torch.tensor(H)
    edges = range(0, len(H), inverse_hessian.BLOCK)
    places = [(row, column) for row in edges for column in edges if column <= row]
    for block, (row, column) in zip(state["blocks"], places, strict=True):
        block.copy_(rest[row : row + len(block), column : column + block.shape[1]])
    return InverseHessian(len(H), state)


def updated(variant, H, s, y, g, a):
    matrix = kept(H)
    st, yt = torch.tensor(s), torch.tensor(y)
    hy = matrix.product(yt)
    ys, yhy = float(yt @ st), float(yt @ hy)
    found = scaling(variant, h=yhy / ys, b=-a * float(st @ torch.tensor(g)) / ys, n=len(s))
    vector = torch.linspace(-1.0, 2.0, len(s), dtype=torch.float64)
    answered = matrix.update(st, hy, ys, yhy, found.tau, found.phi, vector, matrix.product(vector))
    new = matrix.dense().numpy()
    assert np.abs(answered.numpy() - new @ vector.numpy()).max() <= 1e-12 * np.abs(new).max()
    return new, found


@pytest.fixture(params=[512, 3])
def blocks(request, monkeypatch):
    """One block for all of H, and blocks of three rows that do not divide the seven."""
    monkeypatch.setattr(inverse_hessian, "BLOCK", request.param)


@pytest.mark.parametrize("n", [1, 3, 7])
@pytest.mark.usefixtures("blocks")
def test_the_product_and_the_update_that_waits(n):
    H, s, y, g, a = random_case(3, n)
    matrix = kept(H)
    assert np.abs(matrix.dense().numpy() - H).max() == 0.0
    hy, ys = matrix.product(torch.tensor(y)), float(y @ s)
    matrix.update(torch.tensor(s), hy, ys, float(y @ H @ y), 0.7, 0.4, torch.tensor(g), torch.tensor(H @ g))
    assert matrix.spread() == pytest.approx(H.diagonal().max() / H.diagonal().min())  # it waits
    v = s / ys - H @ y / (y @ H @ y)
    inner = H - np.outer(H @ y, H @ y) / (y @ H @ y) + 0.4 * (y @ H @ y) * np.outer(v, v)
    expected = inner / 0.7 + np.outer(s, s) / ys
    assert np.abs(matrix.product(torch.tensor(g)).numpy() - expected @ g).max() <= 1e-11 * np.abs(expected @ g).max()
    assert "factor" not in matrix.state
    assert np.abs(matrix.dense().numpy() - expected).max() <= 1e-12 * np.abs(expected).max()


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.usefixtures("blocks")
def test_update_equals_the_plain_formula(variant, seed):
    case = random_case(seed)
    new, found = updated(variant, *case)
    expected, tau, theta = plain_update(variant, *case)
    assert np.abs(new - expected).max() <= 1e-12 * np.abs(expected).max()
    assert found.tau == pytest.approx(tau, rel=1e-11)
    assert found.theta == pytest.approx(theta, rel=1e-11, abs=1e-12)


@pytest.mark.parametrize("variant", VARIANTS)
def test_secant_equation_symmetry_and_positive_definiteness(variant):
    for seed in range(20):
        H, s, y, g, a = random_case(seed)
        new, _ = updated(variant, H, s, y, g, a)
        assert np.abs(new @ y - s).max() <= 1e-11 * np.abs(new).max() * np.abs(y).max()
        assert np.abs(new - new.T).max() <= 1e-14 * np.abs(new).max()
        assert np.linalg.eigvalsh(new).min() > 0.0


def test_the_cases_reach_both_signs_of_theta_and_the_variants_differ():
    """Otherwise the comparisons above would leave branches of the formula unseen."""
    thetas = [updated("ssbroyden", *random_case(seed))[1].theta for seed in range(12)]
    assert min(thetas) < -0.05
    assert max(thetas) > 0.05
    case = next(case for case in map(random_case, range(12)) if updated("ssbfgs", *case)[1].tau < 0.5)
    news = [updated(variant, *case)[0] for variant in VARIANTS]
    assert np.abs(news[0] - news[1]).max() > 1e-2
    assert np.abs(news[1] - news[2]).max() > 1e-2


@pytest.mark.parametrize("b", [0.25, 1.0, 4.0])
def test_parallel_steps_leave_no_zero_over_zero(b):
    """h b = 1 (s parallel to Hy): A = 0 up to rounding of either sign, and for n = 1 always."""
    for h in (1.0 / b, (1.0 - 1e-16) / b, (1.0 + 1e-14) / b):
        for n in (1, 5):
            found = scaling("ssbroyden", h, b, n)
            assert np.isfinite(found).all()
            assert found.tau > 0.0
            assert found.theta == pytest.approx(min(1.0, (1.0 - b) / b), abs=1e-5)


def test_huge_excess_stays_finite():
    """h (1 - c) loses every digit to cancellation when A is above 1e16, and would divide by zero."""
    found = scaling("ssbroyden", h=1e12, b=1e8, n=50)
    assert np.isfinite(found).all()
    assert found.tau > 0.0
