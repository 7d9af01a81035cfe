"""Finite elements against closed forms: the claimed error is at least the true one and at most 20 times it."""

from __future__ import annotations

import numpy as np
import pytest

from pinnkit.problem.problem import Problem
from pinnkit.references.fem import refinement
from pinnkit.references.fem.reference import Fem
from tests.problem.two_materials import PLATE
from tests.references.fem import problems
from tests.references.fem.problems import errors, needs_fem

pytestmark = needs_fem

CASES = {
    "poisson_disk": (problems.poisson_disk, {"size": 0.5}, 2e-5),
    "l_shape": (problems.l_shape, {"size": 0.5}, 1e-4),
    "robin": (problems.robin, {"size": 0.5}, 4e-5),
    "cubic": (problems.cubic, {"size": 0.5}, 4e-5),
    "up_to_a_constant": (problems.up_to_a_constant, {"size": 0.3}, 2e-4),
    "condition_that_changes": (problems.condition_that_changes, {"size": 0.5}, 1e-3),
    "kirsch": (problems.kirsch, {"size": 0.7}, 1e-4),
    "kovasznay": (problems.kovasznay, {"size": 1.0}, 5e-2),
    "heat": (problems.heat, {"size": 0.4}, 1e-3),
    "coupled": (problems.coupled, {"size": 0.5}, 1e-4),
    "two_materials": (lambda: Problem(**PLATE), {"size": 0.3}, 1e-4),
    "ball": (problems.ball, {"size": 0.7, "levels": 2}, 1e-2),
}


@pytest.mark.parametrize("name", CASES)
def test_the_claimed_error_bounds_the_true_one(name):
    make, settings, largest = CASES[name]
    problem = make()
    reference = Fem(problem, **{"levels": 3} | settings)
    true = max(errors(problem, reference).values())
    assert true < largest
    assert true <= reference.claimed_error <= 20 * true


@pytest.mark.parametrize(
    "outlet",
    [
        ("u_n - p*n_x = 0", "v_n = 0"),
        ("p = 0", "u_n = 0", "v_n = 0"),
        ("p = 0", "v = 0"),
        ("2*u_x - p = 0", "u_y + v_x = 1 - 2*y"),
    ],
)
def test_outlets_of_a_channel(outlet):
    """Quadratic velocities and linear pressures hold Poiseuille's flow exactly."""
    problem = problems.channel(*outlet)
    assert max(errors(problem, Fem(problem, levels=2, size=0.5)).values()) < 1e-10


def test_coefficients_may_hold_the_field():
    """(1 + u^2) is differentiated by parts; the solution is quadratic, so that elements hold it exactly."""
    problem = problems.quasilinear()
    assert errors(problem, Fem(problem, levels=2, size=0.5))["u"] < 1e-10


def test_a_constant_may_be_given_by_an_integral():
    problem = Problem(
        coordinates={"x": [0, 1], "y": [0, 2]},
        fields=["u"],
        equations="laplacian(u) = 2",
        conditions={
            "sides": {"at": "boundary", "equations": "u_n = 2*x*n_x"},
            "total": {"equations": "2*integral(u, domain) = 3"},
        },
        exact={"u": "x^2 + 5/12"},
    )
    assert errors(problem, Fem(problem, levels=2, size=0.5))["u"] < 1e-10


def test_a_complex_field_in_front_of_an_absorbing_boundary():
    problem = Problem(
        coordinates=problems.SQUARE,
        fields={"h": "complex"},
        equations="laplacian(h) + 2*h = 0",
        conditions={
            "low": {"at": ["x = 0", "y = 0"], "equations": "h = exp(i*(x + y))"},
            "absorbing": {"at": ["x = 1", "y = 1"], "equations": "h_n = i*h"},
        },
        exact={"h": "exp(i*(x + y))"},
    )
    reference = Fem(problem, levels=2, size=0.5)
    assert reference.fields == ("h",)
    assert reference({"x": np.array([0.5]), "y": np.array([0.5])})["h"].dtype == complex
    assert errors(problem, reference)["h"] < 1e-4


def test_the_error_in_space_falls_with_the_third_power():
    problem = problems.cubic()
    found = [errors(problem, Fem(problem, levels=levels, size=0.5))["u"] for levels in (2, 3)]
    assert np.log2(found[0] / found[1]) == pytest.approx(3, abs=0.4)


def test_values_at_the_boundary_move_in_time(monkeypatch):
    monkeypatch.setattr(refinement, "FIRST_STEPS", 8)
    problem = problems.reaction()
    reference = Fem(problem, levels=2, size=0.5)
    true = errors(problem, reference)["u"]
    assert true < 2e-3
    assert true <= reference.claimed_error <= 20 * true


def test_outside_the_domain_there_are_no_numbers():
    reference = Fem(problems.poisson_disk(), levels=2, size=0.5)
    x, y = np.array([[0.0, 0.7, 0.8]]), np.array([[1.0, 0.714142842854285, 0.8]])
    found = reference({"x": x, "y": y})["u"]
    assert found.shape == (1, 3)
    assert np.isfinite(found).tolist() == [[True, True, False]]
    assert np.abs(found[0, :2]).max() < 1e-3


def test_a_pressure_has_no_number_at_corners_and_a_reported_integral_is_left_out():
    flow = problems.channel("p = 0", "v = 0")
    words = dict(flow.config)
    flux = {"flux": {"equations": "flux = integral(p*n_x - 2*u_x*n_x - (u_y + v_x)*n_y, boundary)"}}
    reported = Problem(**words | {"conditions": words["conditions"] | flux, "parameters": {"flux": {"learn": 0}}})
    found = Fem(reported, levels=2, size=0.5)({"x": np.array([0.0, 0.0, 2.0]), "y": np.array([0.0, 0.25, 1.0])})
    np.testing.assert_allclose(found["u"], [0, 3 / 16, 0], atol=1e-10)
    np.testing.assert_allclose(found["p"], [np.nan, 4, np.nan], atol=1e-10)


def test_two_computations_are_equal_to_the_bit():
    x, y = np.random.default_rng(0).uniform(-0.7, 0.7, (2, 50))
    first, second = (Fem(problems.poisson_disk(), levels=2, size=0.5)({"x": x, "y": y})["u"] for _ in range(2))
    assert np.array_equal(first, second)
