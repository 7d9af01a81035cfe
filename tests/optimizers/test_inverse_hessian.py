"""The update of the inverse Hessian against its formula."""

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
    """An InverseHessian that equals H, by a factor that is not triangular."""
    values, vectors = np.linalg.eigh(H)
    state = InverseHessian.identity(len(H), 1.0, torch.tensor(H))
    state["factor"].copy_(torch.tensor(vectors * np.sqrt(values)))
    return InverseHessian(len(H), state)


def updated(variant, H, s, y, g, a):
    """H after the update, and its scalars; the products with the gradient at the new point are compared on the way."""
    matrix = kept(H)
    g, y, st = torch.tensor(g), torch.tensor(y), torch.tensor(s)
    new = g + y
    half = matrix.transposed_product(g)
    assert np.abs(matrix.product(half)[0].numpy() + s / a).max() <= 1e-12 * np.abs(s / a).max()
    q = matrix.transposed_product(new)
    z, w = q - half, -a * half
    ys, yhy = float(y @ st), float(z @ z)
    found = scaling(variant, h=yhy / ys, b=float(w @ w) / ys, n=len(s))
    quarter, hg = matrix.update(q, z, w, st, yhy / ys, found.tau, found.phi)
    assert set(matrix.state) == {"factor", "left", "right", "scale"}  # the update waits
    once = matrix.transposed_product(new)
    assert set(matrix.state) == (
        {"factor"} if inverse_hessian.MAX_PENDING_UPDATES == 1 else {"factor", "left", "right", "scale"}
    )
    assert float((once - quarter).abs().max()) <= 1e-11 * float(once.abs().max())
    H_new = matrix.dense().numpy()
    assert np.abs(hg.numpy() - H_new @ new.numpy()).max() <= 1e-11 * np.abs(H_new).max() * float(new.abs().max())
    return H_new, found


@pytest.fixture(params=[2**20, 1, 3 * 7 * 8])
def blocks(request, monkeypatch):
    """All rows at once, one by one, and three by three, which does not divide the seven."""
    monkeypatch.setattr(inverse_hessian, "BLOCK_BYTES", request.param)
    monkeypatch.setattr(inverse_hessian, "MAX_PENDING_UPDATES", 1)  # made at the next product


def test_updates_that_wait_are_the_same_as_updates_that_are_made(monkeypatch):
    """Twenty of them, eight of which wait at most; the products with Z in between, and H at the end."""
    found = {}
    for pending in (1, 8):
        monkeypatch.setattr(inverse_hessian, "MAX_PENDING_UPDATES", pending)
        H, _, _, g, _ = random_case(3)
        matrix, stiffness, seen = kept(H), torch.linspace(1.0, 9.0, len(H), dtype=torch.float64), []
        g = torch.tensor(g)
        waiting = []
        for _ in range(20):
            half = matrix.transposed_product(g)
            s = -0.4 * matrix.product(half)[0]
            q = matrix.transposed_product(g + stiffness * s)
            waiting.append(matrix.state["left"].shape[1] // 2 if "left" in matrix.state else 0)
            z, ys = q - half, float((stiffness * s) @ s)
            b = float((0.4 * half).square().sum()) / ys
            rule = scaling("ssbroyden", h=float(z @ z) / ys, b=b, n=len(H))
            seen += matrix.update(q, z, -0.4 * half, s, float(z @ z) / ys, rule.tau, rule.phi)
            g = g + stiffness * s
        assert max(waiting) == pending - 1
        found[pending] = [*seen, matrix.dense()]
    for one, other in zip(found[1], found[8], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12 * float(one.abs().max()))


@pytest.mark.parametrize("variant", VARIANTS)
def test_one_parameter(variant):
    """s is parallel to Hy always; the secant equation alone fixes H."""
    new, _ = updated(variant, np.array([[3.0]]), np.array([-1.2]), np.array([-0.7]), np.array([0.8]), 0.5)
    assert new == pytest.approx(1.2 / 0.7, rel=1e-12)


def test_positive_definite_where_h_itself_would_not_be():
    """A hundred updates by steps along stiff and soft directions of a quadratic of condition 1e22."""
    n = 12
    generator = torch.Generator().manual_seed(0)
    basis, _ = torch.linalg.qr(torch.randn(n, n, dtype=torch.float64, generator=generator))
    stiffness = torch.logspace(0, 22, n, dtype=torch.float64)
    matrix = InverseHessian(n, InverseHessian.identity(n, 1.0, stiffness))
    full = torch.eye(n, dtype=torch.float64)
    for _ in range(100):
        g = basis @ (torch.randn(n, dtype=torch.float64, generator=generator) * stiffness.sqrt())
        half = matrix.transposed_product(g)
        s = -matrix.product(half)[0]
        y = basis @ (stiffness * (basis.T @ s))
        q = matrix.transposed_product(g + y)
        z, ys = q - half, float(y @ s)
        matrix.update(q, z, -half, s, float(z @ z) / ys, 1.0, 1.0)
        hy = full @ y
        full = full - torch.outer(hy, s) / ys - torch.outer(s, hy) / ys + (1 + y @ hy / ys) * torch.outer(s, s) / ys
    probe = torch.randn(n, 50, dtype=torch.float64, generator=generator)
    assert bool(((probe * (matrix.dense() @ probe)).sum(0) > 0.0).all())
    stiff = basis[:, -1]
    assert (
        float(matrix.transposed_product(stiff).square().sum()) < 1e-12
    )  # the eigenvalue 1e-22 is small, and not rounding noise
    assert float(torch.linalg.eigvalsh((full + full.T) / 2).min()) < 0.0  # what updates of H itself end in


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
