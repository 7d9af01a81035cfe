"""L-BFGS against its definition, BFGS and SciPy; independence of the unit of the loss; the end of a run."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.optimize
import torch

from pinnkit.optimizers import quasi_newton
from pinnkit.optimizers.lbfgs import LBFGS
from pinnkit.optimizers.line_search import LineSearchResult, Outcome
from pinnkit.optimizers.self_scaled import SelfScaled


def rosenbrock(x):
    return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum()


def classic_start(n):
    return [-1.2, 1.0] * (n // 2)


def setting(function, start, history=50, kind=LBFGS, dtype=torch.float64, **options):
    """(x, optimizer, closure) with a list of the closure's losses as its attribute."""
    x = torch.nn.Parameter(torch.as_tensor(start, dtype=dtype).clone())
    optimizer = kind([x], history, **options)

    def closure():
        optimizer.zero_grad()
        loss = function(x)
        loss.backward()
        closure.losses.append(loss.item())
        return loss

    closure.losses = []
    return x, optimizer, closure


def path(function, start, steps, **options):
    x, optimizer, closure = setting(function, start, **options)
    found = []
    for _ in range(steps):
        optimizer.step(closure)
        found.append(x.detach().clone())
    return torch.stack(found)


def dense_inverse_hessian(pairs):
    """H by the product form of BFGS (Nocedal and Wright, 6.17), from the oldest pair to the newest."""
    s, y = pairs[-1]
    H = (y @ s) / (y @ y) * np.eye(len(s))
    for s, y in pairs:
        rho = 1.0 / (y @ s)
        left = np.eye(len(s)) - rho * np.outer(s, y)
        H = left @ H @ left.T + rho * np.outer(s, s)
    return H


@pytest.mark.parametrize("history", [1, 3, 100])
def test_each_direction_is_that_of_the_definition(history):
    x, optimizer, closure = setting(rosenbrock, classic_start(6), history)
    points, gradients = [], []
    for iteration in range(40):
        points.append(x.detach().numpy().copy())
        gradients.append(scipy.optimize.rosen_der(points[-1]))
        optimizer.step(closure)
        if iteration == 0:
            continue
        pairs = [(b - a, h - g) for a, b, g, h in zip(points, points[1:], gradients, gradients[1:], strict=False)]
        expected = -dense_inverse_hessian(pairs[-history:]) @ gradients[-1]
        seen = (x.detach().numpy() - points[-1]) / optimizer.diagnostics["step_length"]
        assert np.linalg.norm(seen - expected) < 1e-6 * np.linalg.norm(expected)
        assert optimizer.diagnostics["pairs"] == min(iteration + 1, history)


def quadratic(n, condition, seed=0):
    generator = torch.Generator().manual_seed(seed)
    q, _ = torch.linalg.qr(torch.randn(n, n, dtype=torch.float64, generator=generator))
    B = q @ torch.diag(torch.logspace(0, math.log10(condition), n, dtype=torch.float64)) @ q.T
    centre = torch.randn(n, dtype=torch.float64, generator=generator)
    return (lambda x: 0.5 * (x - centre) @ B @ (x - centre)), B, centre


@pytest.fixture
def exact_search(monkeypatch):
    """The minimiser along the line, as it is for a quadratic: from the slopes at 0 and 1."""

    def search(phi, loss, slope, **options):
        step = slope / (slope - phi(1.0)[1])
        return LineSearchResult(step, *phi(step), 2, Outcome.WOLFE)

    monkeypatch.setattr(quasi_newton, "strong_wolfe", search)


@pytest.mark.usefixtures("exact_search")
def test_on_a_quadratic_it_ends_in_n_steps_and_goes_the_way_of_bfgs():
    """With exact line searches all of them are conjugate gradients (Nocedal and Wright, theorem 6.4)."""
    n = 8
    function, _, centre = quadratic(n, condition=20.0)
    start = torch.zeros(n, dtype=torch.float64)
    dense = path(function, start, n, kind=SelfScaled, history="bfgs")
    for history in (1, n):
        ours = path(function, start, n, history=history)
        assert float((ours - dense).abs().max()) < 1e-8
    assert float((ours[-1] - centre).abs().max()) < 1e-8
    assert float((ours[-2] - centre).abs().max()) > 1e-4


@pytest.mark.parametrize("n", [2, 10, 40])
def test_rosenbrock_in_no_more_than_one_and_a_half_times_the_evaluations_of_scipy(n):
    start = classic_start(n)
    x, optimizer, closure = setting(rosenbrock, start, history=10)
    scipy_result = scipy.optimize.minimize(
        scipy.optimize.rosen, start, jac=scipy.optimize.rosen_der, method="L-BFGS-B",
        options={"maxcor": 10, "gtol": 1e-10, "ftol": 0.0},
    )  # fmt: skip
    while float((x.detach() - 1.0).abs().max()) > 1e-10:
        optimizer.step(closure)
        assert optimizer.evaluations <= 1.5 * scipy_result.nfev
    assert optimizer.evaluations == len(closure.losses)


def test_the_unit_of_the_loss_does_not_matter():
    """torch.optim.LBFGS forgets every pair with y's <= 1e-10, and falls back to steepest descent."""
    plain = path(rosenbrock, classic_start(4), 40)
    powers = path(lambda x: 2.0**-60 * rosenbrock(x), classic_start(4), 40)
    assert torch.equal(plain, powers)  # to the bit: a power of two rounds nothing
    tiny = path(lambda x: 1e-12 * rosenbrock(x), classic_start(4), 15)
    assert float((plain[:15] - tiny).abs().max()) < 1e-9
    assert float((plain[14] - plain[0]).abs().max()) > 0.1


def least_squares(x):
    """A sum of squares with zero minimum and an ill-conditioned valley, as a PINN has."""
    t = torch.linspace(0.0, 1.0, 40, dtype=x.dtype)
    fit = x[0] * torch.exp(-x[1] * t) + x[2] * torch.exp(-x[3] * t)
    return ((fit - (torch.exp(-t) + 2.0 * torch.exp(-4.0 * t))) ** 2).mean()


def test_loss_falls_far_below_1e_12():
    x, optimizer, closure = setting(least_squares, [1.5, 0.5, 1.0, 3.0])
    for _ in range(200):
        optimizer.step(closure)
    assert least_squares(x.detach()).item() < 1e-25


def test_a_longer_history_needs_fewer_steps():
    function, _, centre = quadratic(20, condition=1e3)
    errors = [(path(function, torch.zeros(20).double(), 60, history=m)[-1] - centre).norm() for m in (2, 50)]
    assert float(errors[1]) < 1e-2 * float(errors[0])


def test_memory_is_that_of_the_history():
    x, optimizer, closure = setting(rosenbrock, classic_start(4), history=3)
    for _ in range(10):
        optimizer.step(closure)
    state = optimizer.state[x]
    assert [len(state[name]) for name in ("s", "y", "ys")] == [3, 3, 3]
    assert state["ys"] == [pytest.approx(float(s @ y)) for s, y in zip(state["s"], state["y"], strict=True)]
    assert {one.dtype for one in state["s"] + state["y"]} == {torch.float64}


def test_pairs_of_negative_curvature_are_skipped():
    """Along -x^2 no step meets the curvature condition: the loss falls and y's < 0."""
    sign = torch.ones((), dtype=torch.float64)
    x, optimizer, closure = setting(lambda x: sign * (x * x).sum(), [1.0, 2.0], max_evaluations=3)
    optimizer.step(closure)
    sign.neg_()
    optimizer.refresh()
    optimizer.step(closure)
    assert closure.losses[-1] < closure.losses[-2] < 0.0
    assert len(optimizer.state[x]["s"]) == optimizer.diagnostics["pairs"] == 1
    assert math.isnan(optimizer.diagnostics["curvature"])
    assert optimizer.finished is None


def test_a_failed_search_forgets_the_pairs_and_the_second_in_a_row_finishes():
    sign = torch.ones((), dtype=torch.float64)

    def function(x):
        value = rosenbrock(x)
        return value.detach() + sign * (value - value.detach())

    def steps(wanted, count=1):
        sign.fill_(wanted)
        optimizer.refresh()
        for _ in range(count):
            optimizer.step(closure)

    x, optimizer, closure = setting(function, classic_start(4))
    steps(1.0, 5)
    steps(-1.0)
    assert "s" not in optimizer.state[x]
    assert optimizer.diagnostics["step_length"] == 0.0
    assert optimizer.finished is None
    steps(1.0, 60)
    assert float((x.detach() - 1.0).abs().max()) < 1e-9
    _, optimizer, closure = setting(function, classic_start(4))
    steps(-1.0, 2)
    assert "failed 2 times in a row" in optimizer.finished
    calls = len(closure.losses)
    optimizer.step(closure)
    assert len(closure.losses) == calls


def test_refresh_follows_a_loss_that_has_changed_and_keeps_the_pairs():
    target = torch.zeros(3, dtype=torch.float64)
    x, optimizer, closure = setting(lambda x: ((x - target) ** 2 * torch.arange(1, 4)).sum(), [3.0, 2.0, 1.0])
    for _ in range(15):
        optimizer.step(closure)
    target += 5.0
    kept = len(optimizer.state[x]["s"])
    optimizer.refresh()
    assert len(optimizer.state[x]["s"]) == kept > 3
    for _ in range(8):
        optimizer.step(closure)
    assert float((x.detach() - 5.0).abs().max()) < 1e-7


def test_gradient_tolerance_finishes():
    function, B, centre = quadratic(6, condition=10.0)
    x, optimizer, closure = setting(function, torch.zeros(6, dtype=torch.float64), gradient_tolerance=1e-3)
    while optimizer.finished is None:
        assert float((B @ (x.detach() - centre)).abs().max()) > 1e-3
        optimizer.step(closure)
    assert "gradient_tolerance = 0.001" in optimizer.finished
    assert float((B @ (x.detach() - centre)).abs().max()) <= 1e-3


def test_wrong_history_is_refused():
    with pytest.raises(ValueError, match="history = 0: at least 1 is needed"):
        LBFGS([torch.nn.Parameter(torch.zeros(2))], 0)
