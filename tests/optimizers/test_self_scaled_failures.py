"""Self-scaled quasi-Newton methods: failed line searches, ends of a run, states, threads."""

from __future__ import annotations

import io

import pytest
import torch

from pinnkit.optimizers import inverse_hessian
from pinnkit.optimizers.self_scaled import SelfScaled
from tests.optimizers.self_scaled_cases import classic_start, dense, quadratic, rosenbrock, setting


class WrongGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x * x).sum()

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return -2.0 * upstream * x


def test_finished_after_two_line_searches_that_failed():
    x, optimizer, closure = setting(WrongGradient.apply, [1.0, 2.0])
    start = x.detach().clone()
    optimizer.step(closure)
    assert optimizer.finished is None
    assert optimizer.step(closure) == 5.0
    assert "failed 2 times in a row" in optimizer.finished
    assert "no step lowered the loss" in optimizer.finished
    assert "draw other points" in optimizer.finished
    assert torch.equal(x.detach(), start)
    calls = len(closure.losses)
    assert optimizer.step(closure) == 5.0
    assert len(closure.losses) == calls


class NoGradient(torch.autograd.Function):
    """The square of x, with a gradient at (1, 2) alone."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x * x).sum()

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return 2.0 * upstream * x / (x.tolist() == [1.0, 2.0])


def test_a_gradient_that_is_missing_at_every_trial_is_an_error_and_no_end():
    x, optimizer, closure = setting(NoGradient.apply, [1.0, 2.0], max_evaluations=5)
    assert optimizer.step(closure) == 5.0
    assert optimizer.finished is None
    with pytest.raises(FloatingPointError, match="loss is finite at the trials of a step of ssbroyden, its gradient"):
        optimizer.step(closure)
    assert x.tolist() != [1.0, 2.0]  # where it is missing, so that it can be looked into


def test_one_failure_restarts_from_a_scaled_identity():
    """The gradient is wrong for one step only; afterwards the optimizer must recover and converge."""
    sign = torch.ones((), dtype=torch.float64)

    def function(x):
        value = rosenbrock(x)
        return value.detach() + sign * (value - value.detach())

    x, optimizer, closure = setting(function, classic_start(4))
    for _ in range(5):
        optimizer.step(closure)
    sign.neg_()
    optimizer.refresh()
    optimizer.step(closure)
    assert "inverse_hessian" not in optimizer.state[x]
    assert optimizer.state[x]["expected_step"] == 1.0
    assert optimizer.diagnostics["step_length"] == 0.0
    sign.neg_()
    optimizer.refresh()
    for _ in range(100):
        optimizer.step(closure)
    assert float((x.detach() - 1.0).abs().max()) < 1e-9


def test_only_failures_in_a_row_finish():
    sign = torch.ones((), dtype=torch.float64)

    def function(x):
        value = rosenbrock(x)
        return value.detach() + sign * (value - value.detach())

    _, optimizer, closure = setting(function, classic_start(4))
    for wanted in (1.0, -1.0, 1.0, -1.0, 1.0):
        sign.fill_(wanted)
        optimizer.refresh()
        optimizer.step(closure)
        assert (optimizer.diagnostics["step_length"] > 0.0) == (wanted > 0.0)
    assert optimizer.finished is None


def test_gradient_tolerance_finishes():
    function, B, centre = quadratic(6, condition=10.0)
    x, optimizer, closure = setting(function, torch.zeros(6, dtype=torch.float64), gradient_tolerance=1e-3)
    before = []
    while optimizer.finished is None:
        before.append(float((B @ (x.detach() - centre)).abs().max()))
        optimizer.step(closure)
    assert "gradient_tolerance = 0.001" in optimizer.finished
    assert float((B @ (x.detach() - centre)).abs().max()) <= 1e-3
    assert min(before) > 1e-3


def test_zero_gradient_at_the_start_finishes():
    x, optimizer, closure = setting(rosenbrock, [1.0, 1.0])
    optimizer.step(closure)
    assert "every entry of the gradient is 0" in optimizer.finished
    assert torch.equal(x.detach(), torch.ones(2, dtype=torch.float64))


def test_max_evaluations_is_obeyed():
    costs = {}
    for allowed in (2, 25):
        _, optimizer, closure = setting(WrongGradient.apply, [1.0, 2.0], max_evaluations=allowed)
        optimizer.step(closure)
        costs[allowed] = optimizer.diagnostics["evaluations"]
    assert costs == {2: 3.0, 25: 26.0}


@pytest.mark.parametrize("moment", [0, 1, 15])
def test_a_failed_and_a_finished_state_survive_too(moment):
    """state_dict holds tensors and plain values only, at the start, mid-run, and after the end."""
    _, optimizer, closure = setting(WrongGradient.apply, [1.0, 2.0])
    for _ in range(moment):
        optimizer.step(closure)
    buffer = io.BytesIO()
    torch.save(optimizer.state_dict(), buffer)
    buffer.seek(0)
    _, again, _ = setting(WrongGradient.apply, [1.0, 2.0])
    again.load_state_dict(torch.load(buffer, weights_only=True))
    assert again.finished == optimizer.finished
    assert again.evaluations == optimizer.evaluations
    assert (again.finished is not None) == (moment == 15)


def test_a_following_phase_goes_on_with_h():
    function, _, _ = quadratic(8, condition=1e4)
    x, former, closure = setting(function, torch.zeros(8, dtype=torch.float64), "ssbfgs")
    for _ in range(14):
        former.step(closure)
    inverse = dense(former, x)
    following, fresh = SelfScaled([x], "ssbroyden"), SelfScaled([x], "ssbroyden")
    following.warm_start(former)
    assert torch.equal(dense(following, x), inverse)
    assert "inverse_hessian" not in former.state[x]
    at = x.detach().clone()
    losses = []
    for optimizer in (following, fresh):
        with torch.no_grad():
            x.copy_(at)
        losses.append([optimizer.step(closure) for _ in range(3)][-1])
    assert losses[0] < 0.25 * losses[1]


def test_the_rows_of_h_are_shared_among_threads_without_a_difference(monkeypatch):
    monkeypatch.setattr(inverse_hessian, "MIN_THREADED_BYTES", 0)
    ends = []
    for threads in (1, 2, 3):
        x, optimizer, closure = setting(rosenbrock, classic_start(20))
        optimizer.set_worker_threads(threads)
        for _ in range(30):
            optimizer.step(closure)
        ends.append(x.detach().clone())
    assert torch.equal(ends[0], ends[1])
    assert torch.equal(ends[0], ends[2])
