"""Gauss-Newton in sample space: the same steps as Levenberg-Marquardt, and SPRING against its formula."""

from __future__ import annotations

import io
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pinnkit.optimizers.gauss_newton import GaussNewton
from pinnkit.optimizers.sample_space import VARIANTS, KernelModel, SampleSpace
from pinnkit.optimizers.schedule import settling_factor
from tests.optimizers.systems import prepare


def setting(function, start, variant, **options):
    return prepare(function, start, lambda parameters: SampleSpace(parameters, variant, **options))


def network(points, width=12):
    """A fit of sin(3 x) by a network with 3 width + 1 parameters, at points (N,): x (n,) -> r (N,)."""

    def residual(x):
        a, b, c = x[: 3 * width].view(3, width)
        hidden = torch.tanh(points[:, None] * a + b)
        return (hidden @ c + x[-1] - torch.sin(3.0 * points)) / math.sqrt(len(points))

    return residual


def start(width=12, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(3 * width + 1, generator=generator, dtype=torch.float64)


POINTS = torch.linspace(-1.0, 1.0, 20, dtype=torch.float64)


def test_engd_w_takes_the_steps_of_levenberg_marquardt():
    x, samples, closure = setting(network(POINTS), start(), "engd_w")
    y, parameters, closure_y = prepare(network(POINTS), start(), GaussNewton)
    for _ in range(5):
        assert samples.step(closure) == pytest.approx(parameters.step(closure_y), rel=1e-8)
        assert float((x - y).detach().norm()) <= 1e-8 * float(y.detach().norm())
        assert samples.diagnostics["damping"] == pytest.approx(parameters.diagnostics["damping"], rel=1e-8)
    assert float((y.detach() - start()).norm()) > 0.1


@pytest.mark.parametrize("make", [GaussNewton, *VARIANTS])
def test_matrices_have_all_threads_and_the_residuals_those_that_there_are(make, monkeypatch):
    asked = {"residuals": set(), "matrices": set()}
    factorise = torch.linalg.cholesky_ex

    def watched(matrix):
        asked["matrices"].add(torch.get_num_threads())
        return factorise(matrix)

    def residual(x):
        asked["residuals"].add(torch.get_num_threads())
        return network(POINTS)(x)

    monkeypatch.setattr(torch.linalg, "cholesky_ex", watched)
    _, optimizer, closure = prepare(
        residual, start(), make if make is GaussNewton else lambda parameters: SampleSpace(parameters, make)
    )
    optimizer.set_matrix_threads(3)
    former = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        optimizer.step(closure)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(former)
    assert asked == {"residuals": {1}, "matrices": {3}}


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 40])
def test_the_kernel_is_the_rows_by_the_rows(rows):
    jacobian = torch.randn(rows, 50, generator=torch.Generator().manual_seed(rows), dtype=torch.float64)
    kernel = KernelModel(jacobian[:, 0], jacobian)._kernel
    torch.testing.assert_close(kernel.tril(), (jacobian @ jacobian.T).tril(), rtol=1e-13, atol=1e-13)


def test_engd_w_step_is_that_of_the_damped_normal_equations():
    x, optimizer, closure = setting(network(POINTS), start(), "engd_w")
    r, jacobian = optimizer.system.rows()
    optimizer.step(closure)
    damped = jacobian.T @ jacobian + optimizer.diagnostics["damping"] * torch.eye(x.numel())
    expected = torch.linalg.solve(damped, jacobian.T @ r)
    assert float((start() - x.detach() - expected).norm()) <= 1e-8 * float(expected.norm())
    assert optimizer.diagnostics["step_length"] == pytest.approx(float(expected.norm()))


def test_engd_w_fits_to_rounding():
    _, optimizer, closure = setting(network(POINTS[::4]), start(), "engd_w")
    for _ in range(30):
        loss = optimizer.step(closure)
    assert loss < 1e-20
    assert optimizer.evaluations == len(closure.losses)


def test_spring_without_momentum_is_engd_w():
    x, spring, closure = setting(network(POINTS), start(), "spring", momentum=0.0, damping=1e-3)
    y, engd, closure_y = setting(network(POINTS), start(), "engd_w")
    for _ in range(3):
        spring.step(closure)
        if "damping" in engd._memory:
            engd._memory["damping"] = spring.diagnostics["damping"]
        engd.step(closure_y)
        assert spring.diagnostics["damping"] == pytest.approx(engd.diagnostics["damping"], rel=1e-12)
        assert float((x - y).detach().norm()) <= 1e-12 * float(y.detach().norm())


def test_spring_steps_are_those_of_its_formula():
    """Every direction against the dense formula, with the momentum of the last one; points are new for each step."""
    generator = torch.Generator().manual_seed(5)
    points = POINTS.clone()
    x, optimizer, closure = setting(network(points), start(), "spring", momentum=0.9, damping=1e-2)
    previous, remembered = torch.zeros_like(x.detach()), 0
    for _ in range(6):
        points.copy_(2.0 * torch.rand(20, generator=generator, dtype=torch.float64) - 1.0)
        optimizer.refresh()
        r, jacobian = optimizer.system.rows()
        before = x.detach().clone()
        optimizer.step(closure)
        mu = 1e-2 * float((jacobian**2).sum(0).max())
        damped = jacobian.T @ jacobian + mu * torch.eye(x.numel())
        d = 0.9 * previous + torch.linalg.solve(damped, jacobian.T @ (r - jacobian @ (0.9 * previous)))
        if float(d @ (jacobian.T @ r)) <= 0.0:
            d = torch.linalg.solve(damped, jacobian.T @ r)
        elif float(previous.norm()) > 0.0:
            remembered += 1
        kept = optimizer.state[x]["previous"]
        assert float((kept - d).norm()) <= 1e-8 * float(d.norm())
        change = before - x.detach()
        assert float((change / change.norm() - d / d.norm()).norm()) <= 1e-7
        assert optimizer.diagnostics["step_length"] == pytest.approx(float(change.norm()))
        previous = d
    assert remembered >= 3


def test_spring_learns_from_points_that_are_new_for_every_step():
    generator = torch.Generator().manual_seed(1)
    points = POINTS[:8].clone()
    x, optimizer, closure = setting(network(points), start(), "spring")
    held_out = network(torch.linspace(-1.0, 1.0, 200, dtype=torch.float64))
    before = float((held_out(x.detach()) ** 2).sum())
    for _ in range(150):
        points.copy_(2.0 * torch.rand(8, generator=generator, dtype=torch.float64) - 1.0)
        optimizer.refresh()
        optimizer.step(closure)
        assert optimizer.finished is None
    assert float((held_out(x.detach()) ** 2).sum()) < 1e-4 * before


def test_the_share_shortens_the_step_that_the_line_search_found():
    lengths = []
    for step_factor in (1.0, 0.25):
        x, optimizer, closure = setting(network(POINTS), start(), "spring", damping=1e-3)
        optimizer.step_factor = step_factor
        loss = optimizer.step(closure)
        assert loss == pytest.approx(float((network(POINTS)(x.detach()) ** 2).sum()), rel=1e-12)
        lengths.append(float((x.detach() - start()).norm()))
        assert optimizer.diagnostics["step_length"] == pytest.approx(lengths[-1], rel=1e-12)
    assert lengths[1] == pytest.approx(0.25 * lengths[0], rel=1e-12)


def test_steps_that_settle_average_the_noise_of_their_points_away():
    """A fit of |x| by a polynomial, which fits no draw of points: full steps stay scattered about the best."""
    powers = torch.arange(5, dtype=torch.float64)
    grid = torch.linspace(-1.0, 1.0, 4001, dtype=torch.float64)
    best = torch.linalg.lstsq(grid[:, None] ** powers, grid.abs()[:, None]).solution[:, 0]

    def distance(settles):
        generator = torch.Generator().manual_seed(2)
        points = torch.empty(100, dtype=torch.float64)

        def residual(x):
            return (points[:, None] ** powers @ x - points.abs()) / math.sqrt(len(points))

        x, optimizer, closure = setting(residual, torch.zeros(5, dtype=torch.float64), "spring", momentum=0.0)
        found = []
        for step in range(400):
            points.copy_(2.0 * torch.rand(100, generator=generator, dtype=torch.float64) - 1.0)
            optimizer.refresh()
            optimizer.step_factor = settling_factor(max(step - 100, 0)) if settles else 1.0
            optimizer.step(closure)
            found.append(float((x.detach() - best).norm()))
        return math.fsum(found[-200:]) / 200

    assert distance(settles=True) < 0.5 * distance(settles=False)


def test_spring_drops_a_momentum_that_points_uphill():
    x, optimizer, closure = setting(network(POINTS), start(), "spring", damping=10.0)
    optimizer.step(closure)
    optimizer.state[x]["previous"].mul_(-50.0)
    r, jacobian = optimizer.system.rows()
    loss = float((r**2).sum())
    assert optimizer.step(closure) < loss
    mu = optimizer.diagnostics["damping"]
    expected = torch.linalg.solve(jacobian.T @ jacobian + mu * torch.eye(x.numel()), jacobian.T @ r)
    assert float((optimizer.state[x]["previous"] - expected).norm()) <= 1e-8 * float(expected.norm())


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_finishes_with_a_reason(variant):
    _, optimizer, closure = setting(network(POINTS[::4]), start(), variant)
    for _ in range(250):
        loss = optimizer.step(closure)
    assert loss < 1e-24
    assert "at a minimum or at rounding level" in optimizer.finished
    calls = len(closure.losses)
    optimizer.step(closure)
    assert len(closure.losses) == calls


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_trial_that_is_not_finite_and_a_start_that_is_not(variant):
    x, optimizer, closure = setting(lambda x: torch.log(x[:2]) - math.log(0.01), [1.0, 3.0, 1.0], variant)
    for _ in range(30):
        optimizer.step(closure)
    assert not all(map(math.isfinite, closure.losses))
    assert float((x.detach()[:2] - 0.01).abs().max()) < 1e-8
    _, optimizer, closure = setting(torch.log, [-1.0, 2.0], variant)
    with pytest.raises(FloatingPointError, match=f"the loss is nan .* at the start of a step of {variant}"):
        optimizer.step(closure)


@pytest.mark.parametrize("variant", VARIANTS)
def test_continues_to_the_bit_from_its_state(variant):
    whole, optimizer, closure = setting(network(POINTS), start(), variant)
    for _ in range(5):
        optimizer.step(closure)
    buffer = io.BytesIO()
    torch.save({"x": whole.detach(), "optimizer": optimizer.state_dict()}, buffer)
    buffer.seek(0)
    saved = torch.load(buffer, weights_only=True)
    x, resumed, closure_resumed = setting(network(POINTS), saved["x"], variant)
    resumed.load_state_dict(saved["optimizer"])
    for _ in range(5):
        optimizer.step(closure)
        resumed.step(closure_resumed)
    assert torch.equal(x, whole)
    assert not torch.equal(x.detach(), saved["x"])
    assert resumed.diagnostics == optimizer.diagnostics
    assert resumed.evaluations == optimizer.evaluations


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 12), variant=st.sampled_from(VARIANTS))
def test_the_objective_never_rises(seed, count, variant):
    function = network(POINTS[:count], width=4)
    x, optimizer, closure = setting(function, start(4, seed), variant)
    loss = float((function(x.detach()) ** 2).sum())
    for _ in range(15):
        new = optimizer.step(closure)
        assert new <= loss * (1.0 + 1e-6)
        assert new == float((function(x.detach()) ** 2).sum())
        loss = new


def test_refuses_rows_that_are_too_large_before_it_computes_them():
    _, optimizer, closure = setting(network(POINTS), start(), "engd_w", max_bytes=12319)
    with pytest.raises(ValueError, match=r"engd_w.*20 x 37.*20 x 20 \(1\.23e-05 GB\).*gauss_newton.*cg.*lbfgs or adam"):
        optimizer.step(closure)
    assert optimizer.system.calls == []
    _, optimizer, closure = setting(network(POINTS), start(), "engd_w", max_bytes=12320)
    optimizer.step(closure)
    assert optimizer.system.calls == ["rows"]


def test_refusals():
    one = torch.nn.Parameter(torch.zeros(3))
    with pytest.raises(ValueError, match="unknown variant 'kaczmarz'; the variants are engd_w, spring"):
        SampleSpace([one], "kaczmarz")
    with pytest.raises(ValueError, match="momentum = 1 must be at least 0 and below 1"):
        SampleSpace([one], "spring", momentum=1.0)
    with pytest.raises(ValueError, match="spring takes one parameter group, and got 2"):
        SampleSpace([{"params": [one]}, {"params": [torch.nn.Parameter(torch.zeros(2))]}], "spring")
