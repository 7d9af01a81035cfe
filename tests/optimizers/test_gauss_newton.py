"""Levenberg-Marquardt: steps and convergence of both solvers."""

from __future__ import annotations

import pytest
import torch

from pinnkit.optimizers.least_squares import FIRST_DAMPING
from tests.optimizers.least_squares_cases import (
    CLASSICS,
    brown_dennis,
    linear,
    rosenbrock,
    setting,
    with_damping,
)


@pytest.mark.parametrize("solver", ["dense", "cg"])
def test_a_linear_problem_is_solved_by_one_step_without_damping(solver):
    function, matrix, right = linear(30, 6)
    x, optimizer, closure = setting(function, torch.zeros(6), solver=solver, cg_tolerance=1e-14)
    with_damping(optimizer, closure, 1e-14)
    expected = torch.linalg.lstsq(matrix, right).solution
    assert float((x.detach() - expected).norm()) <= 1e-10 * float(expected.norm())
    assert optimizer.diagnostics["gain"] == pytest.approx(1.0, abs=1e-10)


def test_a_step_solves_the_damped_equations_and_diagnostics_are_those_of_the_step():
    x, optimizer, closure = setting(brown_dennis, [25.0, 5.0, -5.0, -1.0])
    r, jacobian = optimizer.system.rows()
    before, first = x.detach().clone(), float((r**2).sum())
    loss = optimizer.step(closure)
    seen = optimizer.diagnostics
    assert set(seen) == {"step_length", "evaluations", "damping", "gain", "condition"}
    d = before - x.detach()
    damped = jacobian.T @ jacobian + seen["damping"] * torch.eye(4)
    assert float((damped @ d - jacobian.T @ r).norm()) <= 1e-10 * float((jacobian.T @ r).norm())
    assert seen["damping"] == pytest.approx(FIRST_DAMPING * float((jacobian**2).sum(0).max()))
    assert seen["step_length"] == pytest.approx(float(d.norm()))
    assert seen["evaluations"] == len(closure.losses) == 2
    assert seen["gain"] == pytest.approx((first - loss) / (first - float(((r - jacobian @ d) ** 2).sum())))
    assert 1.0 < seen["condition"] <= 1.001 * float(torch.linalg.cond(damped))


@pytest.mark.parametrize("solver", ["dense", "cg"])
@pytest.mark.parametrize("name", CLASSICS)
def test_classical_problems_converge_in_few_steps(name, solver):
    function, start, minimum, tolerance, steps = CLASSICS[name]
    _, optimizer, closure = setting(function, start, solver=solver)
    for _ in range(steps):
        loss = optimizer.step(closure)
    assert loss == pytest.approx(minimum, rel=tolerance, abs=tolerance)
    assert optimizer.evaluations == len(closure.losses) < 10 * steps


def test_cg_takes_the_steps_of_the_dense_solver():
    paths = {}
    for solver in ("dense", "cg"):
        x, optimizer, closure = setting(brown_dennis, [25.0, 5.0, -5.0, -1.0], solver=solver, cg_tolerance=1e-14)
        with_damping(optimizer, closure, 10.0)
        for _ in range(4):
            optimizer.step(closure)
        paths[solver] = x.detach()
    assert float((paths["cg"] - paths["dense"]).norm()) <= 1e-8 * float(paths["dense"].norm())


def test_cg_uses_products_only_and_refused_trials_hardly_need_more():
    x, optimizer, closure = setting(rosenbrock, [-1.2, 1.0], solver="cg")
    with_damping(optimizer, closure, 0.01)
    assert optimizer.diagnostics["evaluations"] > 3.0
    assert optimizer.diagnostics["cg_iterations"] == optimizer.system.calls.count("product") == 2.0
    assert "gram" not in optimizer.system.calls
    assert float(x.detach()[0]) != -1.2


def test_cg_iterations_and_tolerance_bound_the_products():
    function, *_ = linear(40, 20)
    products = {}
    for key, options in {
        "tight": {"cg_tolerance": 1e-12},
        "loose": {"cg_tolerance": 0.1},
        "few": {"cg_tolerance": 1e-12, "cg_iterations": 3},
    }.items():
        _, optimizer, closure = setting(function, torch.zeros(20), solver="cg", **options)
        optimizer.step(closure)
        products[key] = optimizer.diagnostics["cg_iterations"]
    assert products["few"] == 3.0
    assert 1.0 <= products["loose"] < 8.0 < products["tight"] <= 20.0


@pytest.mark.parametrize("solver", ["dense", "cg"])
def test_a_jacobian_without_full_rank(solver):
    """x[0] + x[1] alone matters, and x[2] not at all: the step is the one of least length."""

    def function(x):
        total = x[0] + x[1] + 0.0 * x[2]
        return torch.stack((total - 4.0, 3.0 * (total - 4.0)))

    x, optimizer, closure = setting(function, [0.0, 0.0, 7.0], solver=solver)
    for _ in range(12):
        loss = optimizer.step(closure)
    assert loss < 1e-20
    assert float((x.detach() - torch.tensor([2.0, 2.0, 7.0])).abs().max()) < 1e-8
