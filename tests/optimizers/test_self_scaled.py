"""Self-scaled quasi-Newton methods as optimizers: trajectories, convergence, state, and how they end."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
import scipy.optimize
import torch

from pinnkit.optimizers import inverse_hessian
from pinnkit.optimizers.inverse_hessian import VARIANTS, InverseHessian
from pinnkit.optimizers.line_search import strong_wolfe
from pinnkit.optimizers.quasi_newton import FIRST_LENGTH, expected_step
from pinnkit.optimizers.self_scaled import SelfScaled


def rosenbrock(x):
    return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum()


def setting(function, start, variant="ssbroyden", dtype=torch.float64, **options):
    """(x, optimizer, closure) with a list of the closure's losses as its attribute."""
    x = torch.nn.Parameter(torch.as_tensor(start, dtype=dtype).clone())
    optimizer = SelfScaled([x], variant, **options)

    def closure():
        optimizer.zero_grad()
        loss = function(x)
        loss.backward()
        closure.losses.append(loss.item())
        return loss

    closure.losses = []
    return x, optimizer, closure


def classic_start(n):
    return [-1.2, 1.0] * (n // 2)


def textbook_bfgs(start, iterations, tolerance):
    """BFGS (Nocedal and Wright, 6.17) in NumPy, with the same line search and the same first trials."""

    def value_and_gradient(x):
        return scipy.optimize.rosen(x), scipy.optimize.rosen_der(x)

    x = np.array(start)
    loss, g = value_and_gradient(x)
    H = FIRST_LENGTH / np.linalg.norm(g) * np.eye(len(x))
    first, path = 1.0, []
    for iteration in range(iterations):
        p = -H @ g

        def phi(step, x=x, p=p):
            loss, g = value_and_gradient(x + step * p)
            return loss, g @ p, g

        found = strong_wolfe(phi, loss, g @ p, first=first, tolerance=tolerance)
        first = expected_step(first, found, g @ p)
        s, y = found.step * p, found.gradient - g
        rho = 1.0 / (y @ s)
        if iteration == 0:
            H = (y @ s) / (y @ y) * np.eye(len(x))
        left = np.eye(len(x)) - rho * np.outer(s, y)
        H = left @ H @ left.T + rho * np.outer(s, s)
        x, loss, g = x + s, found.loss, found.gradient
        path.append(x.copy())
    return np.array(path)


def test_bfgs_is_textbook_bfgs_step_for_step():
    x, optimizer, closure = setting(rosenbrock, classic_start(4), "bfgs")
    path = []
    for _ in range(25):
        optimizer.step(closure)
        path.append(x.detach().numpy().copy())
    expected = textbook_bfgs(classic_start(4), 25, torch.finfo(torch.float64).eps ** 0.4)
    assert np.abs(np.array(path) - expected).max() < 1e-10
    assert np.abs(expected[-1] - expected[0]).max() > 0.1


@pytest.mark.parametrize("n", [2, 10])
@pytest.mark.parametrize("variant", VARIANTS)
def test_rosenbrock_in_no_more_than_twice_the_iterations_of_scipy(variant, n):
    start = classic_start(n)
    scipy_result = scipy.optimize.minimize(
        scipy.optimize.rosen, start, jac=scipy.optimize.rosen_der, method="BFGS", options={"gtol": 1e-9}
    )
    x, optimizer, closure = setting(rosenbrock, start, variant)
    for _ in range(2 * scipy_result.nit):
        optimizer.step(closure)
        if float((x.detach() - 1.0).abs().max()) < 1e-10:
            break
    assert float((x.detach() - 1.0).abs().max()) < 1e-10
    assert optimizer.evaluations == len(closure.losses)
    assert optimizer.evaluations <= 2 * scipy_result.nfev


def quadratic(n, condition, seed=0):
    generator = torch.Generator().manual_seed(seed)
    q, _ = torch.linalg.qr(torch.randn(n, n, dtype=torch.float64, generator=generator))
    B = q @ torch.diag(torch.logspace(0, math.log10(condition), n, dtype=torch.float64)) @ q.T
    centre = torch.randn(n, dtype=torch.float64, generator=generator)
    return (lambda x: 0.5 * (x - centre) @ B @ (x - centre)), B, centre


def dense(optimizer, x):
    """H as a full matrix of its own."""
    return InverseHessian(x.numel(), optimizer.state[x]["inverse_hessian"]).dense()


@pytest.mark.parametrize("variant", VARIANTS)
def test_quadratic_converges_in_a_few_times_n_iterations(variant):
    """With exact line searches BFGS needs n iterations; with Wolfe steps, about twice as many."""
    n = 12
    function, _, centre = quadratic(n, condition=10.0)
    x, optimizer, closure = setting(function, torch.zeros(n, dtype=torch.float64), variant)
    for _ in range(28):
        optimizer.step(closure)
    assert float((x.detach() - centre).abs().max()) < 1e-10
    inverse = dense(optimizer, x)
    assert float((inverse - inverse.T).abs().max()) <= 1e-13 * float(inverse.abs().max())
    assert float(torch.linalg.eigvalsh(inverse).min()) > 0.0


def least_squares(x):
    """A sum of squares with zero minimum and an ill-conditioned valley, as a PINN has."""
    t = torch.linspace(0.0, 1.0, 40, dtype=x.dtype)
    fit = x[0] * torch.exp(-x[1] * t) + x[2] * torch.exp(-x[3] * t)
    return ((fit - (torch.exp(-t) + 2.0 * torch.exp(-4.0 * t))) ** 2).mean()


def test_loss_falls_far_below_1e_12():
    x, optimizer, closure = setting(least_squares, [1.5, 0.5, 1.0, 3.0])
    for _ in range(150):
        optimizer.step(closure)
    assert least_squares(x.detach()).item() < 1e-26


def test_most_iterations_cost_one_evaluation():
    _, optimizer, closure = setting(rosenbrock, classic_start(10))
    costs = []
    for _ in range(60):
        optimizer.step(closure)
        costs.append(optimizer.diagnostics["evaluations"])
    assert sum(costs) == optimizer.evaluations == len(closure.losses)
    assert np.median(costs) == 1.0


def test_returned_loss_belongs_to_the_parameters_that_were_left():
    x, optimizer, closure = setting(rosenbrock, classic_start(4))
    for _ in range(30):
        assert optimizer.step(closure) == rosenbrock(x.detach()).item()


def test_diagnostics_are_those_of_the_step():
    function, B, centre = quadratic(5, condition=10.0)
    x, optimizer, closure = setting(function, torch.zeros(5, dtype=torch.float64), "ssbroyden")
    optimizer.step(closure)
    before = x.detach().clone()
    direction = -dense(optimizer, x) @ B @ (before - centre)
    optimizer.step(closure)
    s = x.detach() - before
    seen = optimizer.diagnostics
    assert set(seen) == {"step_length", "evaluations", "curvature", "tau", "theta", "condition"}
    assert float((s - seen["step_length"] * direction).abs().max()) < 1e-12
    assert seen["curvature"] == pytest.approx(float(s @ B @ s / (s @ s)), rel=1e-10)
    assert seen["tau"] != 1.0


def test_float32():
    x, optimizer, closure = setting(rosenbrock, classic_start(4), dtype=torch.float32)
    for _ in range(80):
        optimizer.step(closure)
    assert float((x.detach() - 1.0).abs().max()) < 1e-3
    assert optimizer.state[x]["gradient"].dtype == torch.float32


def test_several_parameters_and_one_without_a_gradient():
    matrix, unused, vector = (
        torch.nn.Parameter(torch.zeros(shape, dtype=torch.float64)) for shape in [(2, 3), (4,), (3,)]
    )
    target = torch.arange(6, dtype=torch.float64).reshape(2, 3)
    optimizer = SelfScaled([matrix, unused, vector])

    def closure():
        optimizer.zero_grad()
        loss = ((matrix - target) ** 2).sum() + ((vector + 1.0) ** 4).sum() + (matrix[0] * vector).sum() ** 2
        loss.backward()
        return loss

    assert optimizer.step(closure) < 58.0
    for _ in range(40):
        loss = optimizer.step(closure)
    assert float(closure().detach()) == loss
    assert max(float(p.grad.abs().max()) for p in (matrix, vector)) < 1e-6
    assert torch.equal(unused.detach(), torch.zeros(4, dtype=torch.float64))


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


def test_walks_around_losses_that_are_not_finite():
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
