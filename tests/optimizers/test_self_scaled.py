"""Self-scaled quasi-Newton methods: steps, convergence, diagnostics."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize
import torch

from pinnkit.optimizers.inverse_hessian import VARIANTS
from pinnkit.optimizers.line_search import strong_wolfe
from pinnkit.optimizers.quasi_newton import FIRST_LENGTH, expected_step
from pinnkit.optimizers.self_scaled import SelfScaled
from tests.optimizers.self_scaled_cases import classic_start, dense, quadratic, rosenbrock, setting


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
