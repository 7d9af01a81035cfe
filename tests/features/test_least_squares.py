"""Least squares by blocks, and on several processes, against numpy."""

import numpy as np
import pytest
import torch

from pinnkit.features.least_squares import LeastSquares


def rows(size=12, count=90):
    rng = np.random.default_rng(0)
    return torch.as_tensor(rng.normal(size=(count, size))), torch.as_tensor(rng.normal(size=count))


def test_blocks_give_the_solution_of_lstsq(monkeypatch):
    monkeypatch.setattr("pinnkit.features.least_squares.BLOCK", -80.0)  # 40 rows are kept
    matrix, right = rows()
    problem = LeastSquares(12, matrix)
    for part in range(0, 90, 10):
        problem.add(matrix[part : part + 10], right[part : part + 10])
    assert problem.rows == 90
    assert len(problem.kept()) < 90
    solution, left = problem.solve()
    expected, squares, *_ = np.linalg.lstsq(matrix.numpy(), right.numpy(), rcond=None)
    np.testing.assert_allclose(solution.numpy(), expected, rtol=1e-12)
    assert left**2 == pytest.approx(float(squares[0]), rel=1e-12)


def test_columns_of_any_size_and_of_zeros():
    matrix, right = rows()
    matrix = matrix * torch.logspace(-12, 12, 12, dtype=torch.float64)
    matrix[:, 3] = 0.0
    problem = LeastSquares(12, matrix)
    problem.add(matrix, right)
    solution, _ = problem.solve()
    assert solution[3] == 0.0
    others = [index for index in range(12) if index != 3]
    scale = matrix.norm(dim=0)[others]
    expected = torch.linalg.lstsq(matrix[:, others] / scale, right[:, None]).solution[:, 0] / scale
    torch.testing.assert_close(solution[others], expected, rtol=1e-11, atol=0.0)


def test_dependent_columns_have_a_small_residual_and_a_bounded_solution():
    matrix, _ = rows()
    matrix = torch.cat([matrix, matrix[:, :4] @ torch.ones(4, 3, dtype=torch.float64)], dim=1)
    right = matrix.sum(dim=1)
    problem = LeastSquares(15, matrix)
    problem.add(matrix, right)
    solution, left = problem.solve()
    assert left < 1e-12 * float(right.norm())
    assert float(solution.norm()) < 100


def test_a_step_with_the_factor_solves_the_normal_equations():
    matrix, right = rows()
    problem = LeastSquares(12, matrix)
    problem.add(matrix, right)
    solution, _ = problem.solve()
    torch.testing.assert_close(problem.step([matrix.T @ right]), solution, rtol=1e-11, atol=1e-12)
