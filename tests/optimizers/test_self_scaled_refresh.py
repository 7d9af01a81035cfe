"""Self-scaled quasi-Newton methods on a loss that changes, and arguments that are refused."""

from __future__ import annotations

import math

import pytest
import torch

from pinnkit.optimizers.quasi_newton import FIRST_LENGTH
from pinnkit.optimizers.self_scaled import SelfScaled
from tests.optimizers.self_scaled_cases import classic_start, dense, rosenbrock, setting


def test_refresh_evaluates_again_and_keeps_the_inverse_hessian():
    x, optimizer, closure = setting(rosenbrock, classic_start(4))
    for _ in range(20):
        optimizer.step(closure)
    known, at = closure.losses[:], rosenbrock(x.detach()).item()
    inverse = dense(optimizer, x)
    optimizer.refresh()
    assert torch.equal(dense(optimizer, x), inverse)
    optimizer.step(closure)
    assert closure.losses[len(known)] == at  # the first call is at the present point
    optimizer.step(closure)
    assert closure.losses.count(at) <= 2


def test_refresh_follows_a_loss_that_has_changed():
    target = torch.zeros(3, dtype=torch.float64)
    scale = torch.arange(1, 4)
    x, optimizer, closure = setting(lambda x: ((x - target) ** 2 * scale).sum(), [3.0, 2.0, 1.0])
    for _ in range(30):
        optimizer.step(closure)
    target += 5.0
    optimizer.refresh()
    for _ in range(12):  # H still is the inverse Hessian, so this is quick
        optimizer.step(closure)
    assert float((x.detach() - 5.0).abs().max()) < 1e-7


@pytest.mark.parametrize("bounded", [True, False])
def test_the_first_step_on_another_loss_tries_the_last_length(bounded):
    """sin^2 along the second coordinate, after a loss that was flat there: the full step leaves its valley for one
    far behind thousands of hills. Where the search goes on from there is chance; its first trial is not."""
    other = False

    def loss(x):
        return x[0] ** 2 + (torch.sin(x[1]) ** 2 if other else 1e-6 * (x[1] + 3.0) ** 2)

    x, optimizer, closure = setting(loss, [3.0, 1.0])
    for _ in range(8):
        optimizer.step(closure)
    memory, start, trials = optimizer.state[x], x.detach().clone(), []
    last, share, inverse = memory["length"], memory["expected_step"], dense(optimizer, x)
    if not bounded:
        del memory["length"]

    def watched():
        trials.append(float((x.detach() - start).norm()))
        return closure()

    other = True
    optimizer.refresh()
    optimizer.step(watched)
    gradient = torch.stack([2.0 * start[0], torch.sin(2.0 * start[1])])
    full = share * float((inverse @ gradient).norm())
    assert trials[0] == 0.0
    assert last < FIRST_LENGTH < 1e-3 * full
    assert trials[1] == pytest.approx(FIRST_LENGTH if bounded else full, rel=1e-6)
    if bounded:
        assert float((x.detach() - start).norm()) < math.pi / 2


def test_refuses_more_than_max_parameters():
    x = torch.nn.Parameter(torch.zeros(101, dtype=torch.float64))
    with pytest.raises(ValueError, match=r"101 x 101.*8\.16e-05 GB.*max_parameters = 100.*SOAP.*L-BFGS"):
        SelfScaled([x], max_parameters=100)
    assert SelfScaled([x], max_parameters=101).state[x] == {}  # and no matrix before the first step


def test_refuses_what_it_cannot_treat():
    one, other = torch.nn.Parameter(torch.zeros(2)), torch.nn.Parameter(torch.zeros(2, dtype=torch.float64))
    with pytest.raises(ValueError, match=r"one dtype on one device.*float32 on cpu.*float64 on cpu"):
        SelfScaled([one, other])
    with pytest.raises(ValueError, match="unknown variant 'dfp'; the variants are bfgs, ssbfgs, ssbroyden"):
        SelfScaled([one], "dfp")
    with pytest.raises(ValueError, match="one parameter group, and got 2"):
        SelfScaled([{"params": [one]}, {"params": [other]}])


def test_a_restart_begins_with_a_share_of_the_first_step():
    x, optimizer, closure = setting(lambda x: (x**2).sum(), [3.0, 1.0])
    for _ in range(3):
        optimizer.step(closure)
    start, trials = x.detach().clone(), []

    def watched():
        trials.append(float((x.detach() - start).norm()))
        return closure()

    optimizer.restart(0.25)
    optimizer.step(watched)
    assert trials[0] == 0.0
    assert trials[1] == pytest.approx(0.25 * FIRST_LENGTH)


def test_loss_that_is_not_finite_at_the_start():
    _, optimizer, closure = setting(lambda x: torch.log(x).sum(), [-1.0, 2.0])
    with pytest.raises(FloatingPointError, match=r"the loss is nan .* at the start of a step of ssbroyden"):
        optimizer.step(closure)


def test_trials_with_losses_that_are_not_finite_are_refused():
    x, optimizer, closure = setting(lambda x: (x - torch.log(x)).sum(), [1e-3, 30.0])
    for _ in range(40):
        optimizer.step(closure)
    assert not all(map(math.isfinite, closure.losses))
    assert float((x.detach() - 1.0).abs().max()) < 1e-7


def test_negative_curvature_leaves_the_inverse_hessian():
    """Along -x^2 no step meets the curvature condition: the loss falls and y's < 0."""
    sign = torch.ones((), dtype=torch.float64)
    x, optimizer, closure = setting(lambda x: sign * (x * x).sum(), [1.0, 2.0], max_evaluations=3)
    optimizer.step(closure)
    inverse = dense(optimizer, x)
    sign.neg_()
    optimizer.refresh()
    optimizer.step(closure)
    assert closure.losses[-1] < closure.losses[-2] < 0.0
    assert torch.equal(dense(optimizer, x), inverse)
    assert math.isnan(optimizer.diagnostics["tau"])
    assert optimizer.finished is None
