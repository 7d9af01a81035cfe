"""Levenberg-Marquardt: failed steps, ends of a run, states, refused arguments."""

from __future__ import annotations

import io
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pinnkit.optimizers.gauss_newton import GaussNewton
from pinnkit.optimizers.least_squares import FIRST_DAMPING, MAX_FAILURES, MAX_STAGNANT_STEPS
from tests.optimizers.least_squares_cases import (
    CLASSICS,
    brown_dennis,
    linear,
    rosenbrock,
    setting,
    with_damping,
)
from tests.optimizers.systems import System


def test_a_trial_that_is_not_finite_is_refused():
    x, optimizer, closure = setting(lambda x: torch.log(x) - math.log(0.01), [1.0, 3.0])
    for _ in range(30):
        optimizer.step(closure)
    assert not all(map(math.isfinite, closure.losses))
    assert float((x.detach() - 0.01).abs().max()) < 1e-10


def test_a_start_that_is_not_finite():
    _, optimizer, closure = setting(torch.log, [-1.0, 2.0])
    with pytest.raises(FloatingPointError, match=r"the loss is nan .* at the start of a step of gauss_newton"):
        optimizer.step(closure)


@pytest.mark.parametrize("solver", ["dense", "cg"])
@pytest.mark.parametrize("name", ["rosenbrock", "brown dennis"])  # Powell's goes on to 1e-300
def test_at_the_minimum_it_finishes_with_a_reason(name, solver):
    function, start, minimum, _, _ = CLASSICS[name]
    x, optimizer, closure = setting(function, start, solver=solver)
    for _ in range(250):
        loss = optimizer.step(closure)
    assert loss == pytest.approx(minimum, rel=1e-12, abs=1e-25)
    assert any(words in optimizer.finished for words in ("at a minimum or at rounding level", "gradient is 0"))
    calls, end = len(closure.losses), x.detach().clone()
    assert optimizer.step(closure) == loss
    assert len(closure.losses) == calls
    assert torch.equal(x.detach(), end)


def test_two_failures_in_a_row_finish_and_one_starts_again():
    """A loss that only ever rises, whatever its derivative says."""
    x, optimizer, closure = setting(lambda x: x, [1.0, 2.0], max_evaluations=7)

    def rises():
        loss = closure()
        return loss + 1e3 * (x.detach() - torch.tensor([1.0, 2.0])).norm()

    for failure in range(MAX_FAILURES):
        assert optimizer.finished is None
        assert optimizer.step(rises) == 5.0
        assert "no step lowered the objective in 7 trials" in optimizer.note
        assert len(closure.losses) == 8 * (failure + 1)  # a fresh evaluation, and seven trials
        assert "damping" not in optimizer.state[x]
    assert "2 steps of gauss_newton failed in a row" in optimizer.finished
    assert "draw other points" in optimizer.finished
    assert torch.equal(x.detach(), torch.tensor([1.0, 2.0], dtype=torch.float64))


def test_a_gradient_that_is_missing_at_every_trial_is_an_error_and_no_end():
    x, optimizer, closure = setting(lambda x: x, [1.0, 2.0], max_evaluations=7)

    def no_gradient():
        loss = closure()
        if x.tolist() != [1.0, 2.0]:
            x.grad.fill_(math.nan)
        return loss

    assert optimizer.step(no_gradient) == 5.0
    with pytest.raises(
        FloatingPointError, match=r"loss is finite at the trials of a step of gauss_newton, its gradient"
    ):
        optimizer.step(no_gradient)
    assert x.tolist() != [1.0, 2.0]


def test_steps_that_gain_nothing_finish():
    """Trials are never refused here, and lower the loss by 1e-10 of itself each."""
    x, optimizer, closure = setting(lambda x: x, [1.0])
    optimizer.system.gram = lambda: (torch.ones(1, 1, dtype=torch.float64), torch.ones(1, dtype=torch.float64))
    count = 0

    def creeps():
        nonlocal count
        loss = closure()
        count += 1
        x.grad.fill_(2.0)
        return 0.0 * loss + 1.0 - 1e-10 * count

    for _ in range(MAX_STAGNANT_STEPS):
        assert optimizer.finished is None
        optimizer.step(creeps)
    assert "10 steps in a row lowered the objective by less than 1.5e-08" in optimizer.finished


def test_the_system_must_be_set():
    _, optimizer, closure = setting(rosenbrock, [-1.2, 1.0])
    optimizer.system = None
    with pytest.raises(RuntimeError, match=r"gauss_newton .* set the attribute `system` before a step"):
        optimizer.step(closure)


def test_a_restart_begins_with_more_damping():
    _, optimizer, closure = setting(brown_dennis, [25.0, 5.0, -5.0, -1.0])
    _, jacobian = optimizer.system.rows()
    optimizer.restart(0.25)
    optimizer.step(closure)
    assert optimizer.diagnostics["damping"] == pytest.approx(4 * FIRST_DAMPING * float((jacobian**2).sum(0).max()))


def test_refresh_evaluates_again_and_keeps_the_damping():
    target = torch.ones((), dtype=torch.float64)
    x, optimizer, closure = setting(lambda x: rosenbrock(x + target - 1.0), [-1.2, 1.0])
    for _ in range(40):
        optimizer.step(closure)
    damping = optimizer.state[x].get("damping")
    target += 0.5
    optimizer.refresh()
    assert optimizer.state[x].get("damping") == damping
    optimizer.param_groups[0]["finished"] = None
    calls = len(closure.losses)
    optimizer.step(closure)
    assert closure.losses[calls] > 1e-2  # the first call is at the present point, for the new objective
    for _ in range(40):
        optimizer.step(closure)
    assert float((x.detach() - 0.5).abs().max()) < 1e-10


@pytest.mark.parametrize("solver", ["dense", "cg"])
@pytest.mark.parametrize("moment", [0, 5, 100])
def test_continues_to_the_bit_from_its_state(solver, moment):
    whole, optimizer, closure = setting(brown_dennis, [25.0, 5.0, -5.0, -1.0], solver=solver)
    for _ in range(moment):
        optimizer.step(closure)
    buffer = io.BytesIO()
    torch.save({"x": whole.detach(), "optimizer": optimizer.state_dict()}, buffer)
    buffer.seek(0)
    saved = torch.load(buffer, weights_only=True)
    x, resumed, closure_resumed = setting(brown_dennis, saved["x"], solver=solver)
    resumed.load_state_dict(saved["optimizer"])
    assert (resumed.finished, resumed.evaluations) == (optimizer.finished, optimizer.evaluations)
    assert (resumed.finished is not None) == (moment == 100)
    for _ in range(5):
        optimizer.step(closure)
        resumed.step(closure_resumed)
    assert torch.equal(x, whole)
    assert resumed.diagnostics == optimizer.diagnostics
    assert resumed.evaluations == optimizer.evaluations


def test_float32_and_several_parameters_one_without_a_gradient():
    matrix, unused, vector = (torch.nn.Parameter(torch.zeros(shape)) for shape in [(2, 3), (4,), (3,)])
    optimizer = GaussNewton([matrix, unused, vector])

    def function(flat):
        m, v = flat[:6].view(2, 3), flat[10:]
        return torch.cat(((m - 1.0).flatten() ** 3, v + m[0] ** 2))

    def closure():
        optimizer.zero_grad()
        loss = (function(torch.cat((matrix.flatten(), torch.zeros(4), vector))) ** 2).sum()
        loss.backward()
        return loss

    for _ in range(40):
        optimizer.system = System(function, torch.cat([p.detach().flatten() for p in (matrix, unused, vector)]))
        optimizer.step(closure)
    assert float(closure().detach()) < 1e-8
    assert torch.equal(unused.detach(), torch.zeros(4))
    assert optimizer.state[matrix]["gradient"].dtype == torch.float32


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 6),
    rows=st.integers(1, 8),
    solver=st.sampled_from(["dense", "cg"]),
    bend=st.floats(0.0, 5.0),
)
def test_the_objective_never_rises(seed, n, rows, solver, bend):
    plain, *_ = linear(rows, n, seed)
    _, optimizer, closure = setting(lambda x: plain(x + bend * torch.sin(3.0 * x)), torch.ones(n), solver=solver)
    loss = float((optimizer.system.rows()[0] ** 2).sum())
    for _ in range(25):
        new = optimizer.step(closure)
        assert new <= loss * (1.0 + 1e-6)
        assert new == float((optimizer.system.rows()[0] ** 2).sum())
        loss = new


def test_refusals():
    one, other = torch.nn.Parameter(torch.zeros(101)), torch.nn.Parameter(torch.zeros(2, dtype=torch.float64))
    with pytest.raises(ValueError, match=r"101 x 101.*8\.16e-05 GB.*= 100.*engd_w or spring.*cg.*lbfgs or adam"):
        GaussNewton([one], max_parameters=100)
    assert GaussNewton([one], "cg", max_parameters=100).state[one] == {}
    with pytest.raises(ValueError, match=r"one dtype on one device.*float32 on cpu.*float64 on cpu"):
        GaussNewton([one, other])
    with pytest.raises(ValueError, match="unknown solver 'qr'; the solvers are dense, cg"):
        GaussNewton([one], "qr")
    with pytest.raises(ValueError, match="one parameter group, and got 2"):
        GaussNewton([{"params": [one]}, {"params": [other]}])


def test_a_following_phase_goes_on_with_the_damping():
    """On a linear problem any damping works, so the first that is tried is taken."""
    function, _, _ = linear(30, 6)
    x, former, closure = setting(function, torch.zeros(6))
    with_damping(former, closure, 1e-5)
    following, fresh = GaussNewton([x]), GaussNewton([x])
    following.warm_start(former)
    dampings = []
    for optimizer in (following, fresh):
        with torch.no_grad():
            x.fill_(1.0)
        optimizer.system = former.system
        optimizer.step(closure)
        dampings.append(optimizer.diagnostics["damping"])
    assert dampings[0] == pytest.approx(1e-6)
    assert dampings[1] > 1e-3
