"""Levenberg-Marquardt along curves: its curve, its steps, its ends."""

from __future__ import annotations

import math

import pytest
import torch

from pinnkit.optimizers.curved_gauss_newton import (
    BOLDER,
    DAMPING_UP,
    JUMPS,
    CurvedGaussNewton,
    interpolated,
)
from pinnkit.optimizers.gauss_newton import GaussNewton
from pinnkit.optimizers.least_squares import FIRST_DAMPING
from tests.optimizers.least_squares_cases import CLASSICS, brown_dennis, linear, rosenbrock, with_damping
from tests.optimizers.systems import prepare


def setting(function, start, dtype=torch.float64, **options):
    return prepare(function, start, lambda parameters: CurvedGaussNewton(parameters, **options), dtype)


def valley(x):
    """A curved valley, narrow and flat along its ground: straight steps must be short in it."""
    return torch.stack((100.0 * (x[1] - 0.5 * x[0] ** 2), 0.1 * (x[0] - 2.0)))


def test_a_linear_problem_is_solved_by_one_step_with_little_damping():
    function, matrix, right = linear(30, 6)
    x, optimizer, closure = setting(function, torch.zeros(6))
    with_damping(optimizer, closure, 1e-14)
    expected = torch.linalg.lstsq(matrix, right).solution
    assert float((x.detach() - expected).norm()) <= 1e-10 * float(expected.norm())
    assert optimizer.diagnostics["gain"] == pytest.approx(1.0, abs=1e-10)


def test_a_step_ends_on_the_curve():
    """J' r(theta - d) = mu d with J of the start, on the ground of the valley, where a straight step leads off it."""
    x, optimizer, closure = setting(valley, [0.0, 0.0])
    before = x.detach().clone()
    with_damping(optimizer, closure, 0.03)
    damping, end = optimizer.diagnostics["damping"], x.detach()
    d = before - end
    r, jacobian = valley(before), torch.func.jacrev(valley)(before)
    assert float((jacobian.T @ valley(end) - damping * d).norm()) < 1e-6 * float((jacobian.T @ r).norm())
    assert float(end[0]) > 0.5
    assert float(end[1]) == pytest.approx(0.5 * float(end[0]) ** 2, abs=1e-4)
    straight = torch.linalg.solve(jacobian.T @ jacobian + damping * torch.eye(2), jacobian.T @ r)
    assert float((valley(before - straight) ** 2).sum()) > 1e3 * float((r**2).sum())


def test_diagnostics_are_those_of_the_step():
    x, optimizer, closure = setting(brown_dennis, [25.0, 5.0, -5.0, -1.0])
    r, jacobian = optimizer.system.rows()
    before, first = x.detach().clone(), float((r**2).sum())
    loss = optimizer.step(closure)
    seen = optimizer.diagnostics
    assert set(seen) == {"step_length", "evaluations", "damping", "gain", "condition", "residual_evaluations"}
    damped = jacobian.T @ jacobian + seen["damping"] * torch.eye(4)
    d = torch.linalg.solve(damped, jacobian.T @ r)  # of the straight step, for the linear model
    assert seen["step_length"] == pytest.approx(float((before - x.detach()).norm()))
    assert seen["evaluations"] == len(closure.losses) == 2
    assert seen["residual_evaluations"] == optimizer.system.calls.count("residuals")
    assert seen["gain"] == pytest.approx((first - loss) / (first - float(((r - jacobian @ d) ** 2).sum())))
    assert seen["damping"] == pytest.approx(FIRST_DAMPING * float((jacobian**2).sum(0).max()))


@pytest.mark.parametrize("name", CLASSICS)
def test_classical_problems_converge_in_few_steps(name):
    function, start, minimum, tolerance, steps = CLASSICS[name]
    _, optimizer, closure = setting(function, start)
    for _ in range(steps):
        loss = optimizer.step(closure)
    assert loss == pytest.approx(minimum, rel=tolerance, abs=tolerance)


def test_a_curved_valley_takes_fewer_steps_than_straight_ones():
    _, optimizer, closure = setting(valley, [0.0, 0.0])
    for _ in range(12):
        loss = optimizer.step(closure)
    assert loss < 1e-12
    _, optimizer, closure = prepare(valley, [0.0, 0.0], GaussNewton)
    for _ in range(36):
        loss = optimizer.step(closure)
    assert loss > 1e-3


def test_bolder_trials_grow_with_success_and_wait_after_refusals(monkeypatch):
    _, optimizer, closure = setting(valley, [0.0, 0.0])
    dampings, follow = [], CurvedGaussNewton._curve

    def seen(self, system, model, origin, damping, below):
        dampings.append(damping)
        return follow(self, system, model, origin, damping, below if lower or len(dampings) % 2 else -1.0)

    monkeypatch.setattr(CurvedGaussNewton, "_curve", seen)
    lower = True
    for _ in range(3):
        optimizer.step(closure)
    ratios = [one / other for one, other in zip(dampings[::2], dampings[1::2], strict=True)]
    assert ratios == pytest.approx([BOLDER, BOLDER**2, BOLDER**3])
    lower, tried, ratios = False, [], []
    for _ in range(7):  # a refused one and a step without, another and two steps without, another and a step without
        dampings.clear()
        optimizer.step(closure)
        tried.append(len(dampings))
        ratios += [dampings[0] / one for one in dampings[1:]]
    assert tried == [2, 1, 2, 1, 1, 2, 1]
    assert ratios == pytest.approx([BOLDER**3, *JUMPS[:2]])


def test_more_damping_after_a_refused_trial():
    _, optimizer, closure = setting(lambda x: torch.log(x) - math.log(0.01), [1.0, 3.0])
    with_damping(optimizer, closure, 1e-3)  # whose step leads below zero
    steps = math.log(optimizer.diagnostics["damping"] / 1e-3, DAMPING_UP)
    assert steps == pytest.approx(round(steps))
    assert steps > 0.5


def test_a_trial_that_is_not_finite_is_refused_with_more_damping():
    x, optimizer, closure = setting(lambda x: torch.log(x) - math.log(0.01), [1.0, 3.0])
    for _ in range(40):
        optimizer.step(closure)
    assert float((x.detach() - 0.01).abs().max()) < 1e-10


@pytest.mark.parametrize("name", ["rosenbrock", "brown dennis"])
def test_at_the_minimum_it_finishes_with_a_reason(name):
    function, start, _, _, _ = CLASSICS[name]
    _, optimizer, closure = setting(function, start)
    for _ in range(200):
        optimizer.step(closure)
    assert any(words in optimizer.finished for words in ("at a minimum or at rounding level", "gradient is 0"))
    calls = len(closure.losses)
    optimizer.step(closure)
    assert len(closure.losses) == calls


def test_a_loss_that_no_step_lowers_ends_it_after_two_failures():
    """The derivative has the wrong sign."""
    x, optimizer, closure = setting(lambda x: x, [1.0, 2.0], max_evaluations=3)
    optimizer.system.rows = lambda: (x.detach().clone(), -torch.eye(2, dtype=torch.float64))
    for _ in range(2):
        assert optimizer.step(closure) == 5.0
        assert "no step lowered the objective in 3 trials" in optimizer.note
    assert "2 steps of gauss_newton failed in a row" in optimizer.finished
    assert torch.equal(x.detach(), torch.tensor([1.0, 2.0], dtype=torch.float64))


def test_more_parameters_than_residuals_and_a_jacobian_without_full_rank():
    def function(x):
        total = x[0] + x[1] + 0.0 * x[2]
        return torch.stack((total - 4.0, 3.0 * (total - 4.0)))

    x, optimizer, closure = setting(function, [0.0, 0.0, 7.0])
    for _ in range(12):
        loss = optimizer.step(closure)
    assert loss < 1e-20
    assert float((x.detach() - torch.tensor([2.0, 2.0, 7.0])).abs().max()) < 1e-8


def test_float32():
    x, optimizer, closure = setting(rosenbrock, [-1.2, 1.0], torch.float32)
    for _ in range(40):
        optimizer.step(closure)
    assert float((x.detach() - 1.0).abs().max()) < 1e-3


def test_interpolation_is_exact_for_polynomials():
    places = [0.0, 0.1, 0.4, 0.7]
    values = [torch.tensor([p**3 - p, 2.0 * p], dtype=torch.float64) for p in places]
    torch.testing.assert_close(interpolated(places, values, 1.0), torch.tensor([0.0, 2.0], dtype=torch.float64))
