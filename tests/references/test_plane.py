"""The spectral reference in two space coordinates: claimed errors against closed forms, and what is refused."""

import itertools

import numpy as np
import pytest

from pinnkit.language.errors import Report
from pinnkit.problem.problem import Problem
from pinnkit.references.budget import Budget
from pinnkit.references.choose import choose
from pinnkit.references.claimed_error import NotComputed
from pinnkit.references.plane import reference as tested
from pinnkit.references.plane.reference import PlaneSpectral, check_plane_system
from pinnkit.references.plane.refinement import difference, resolved
from pinnkit.references.plane.steady import Rectangle, SteadySolution
from pinnkit.references.plane.system import read_plane_system
from pinnkit.references.unsupported import UnsupportedProblem
from pinnkit.runs.validation import _check_reference
from pinnkit.settings import read_settings

FLOOR = 1e-10
"""A claimed error that is near rounding, where it may be any multiple of the true one."""
SQUARE = {"x": [0, 1], "y": [0, 1]}
TORUS = {"x": [0, "2*pi"], "y": [0, "2*pi"], "t": [0, 0.5]}
WALLS = {"walls": {"at": "boundary", "equations": "u = 0"}}


def problem(equations, conditions, coordinates=SQUARE, fields=("u",), **others):
    return Problem(coordinates=coordinates, fields=list(fields), equations=equations, conditions=conditions, **others)


def assert_honest(of, **exact):
    """The claimed error is at least the true one, and at most 20 times it."""
    reference = PlaneSpectral(of)
    grid = of.domain.grid(dict.fromkeys(of.coordinates, 9))
    found = reference(grid)
    truth = {name: function(**grid) for name, function in exact.items()}
    error = max(difference(found[name].reshape(1, -1), truth[name].reshape(1, -1)) for name in truth)
    assert error <= reference.claimed_error <= max(20 * error, FLOOR)
    return reference


def test_a_steady_problem_with_values_slopes_and_sums_of_both_on_its_sides():
    of = problem(
        "laplacian(u) - u^3 = -3*exp(x)*sin(2*y) - (exp(x)*sin(2*y))^3",
        {
            "values": {"at": ["x = 0", "y = 0"], "equations": "u = exp(x)*sin(2*y)"},
            "both": {"at": "x = 1", "equations": "u_n + u = 2*exp(x)*sin(2*y)"},
            "slopes": {"at": "y = 1", "equations": "u_n = 2*exp(x)*cos(2*y)"},
        },
    )
    assert "Newton" in assert_honest(of, u=lambda x, y: np.exp(x) * np.sin(2 * y)).name


def test_a_steady_system_that_is_periodic_in_one_coordinate():
    of = problem(
        ["laplacian(u) + u*v = cos(x)*sin(x)", "laplacian(v) + u_x - v = -sin(x)*exp(y) - sin(x)*exp(-y)"],
        {"ends": {"at": ["y = 0", "y = 1"], "equations": ["u = cos(x)*exp(y)", "v_n = -n_y*sin(x)*exp(-y)"]}},
        {"x": [0, "2*pi"], "y": [0, 1]},
        ("u", "v"),
        periodic=["x"],
    )
    assert_honest(of, u=lambda x, y: np.cos(x) * np.exp(y), v=lambda x, y: np.sin(x) * np.exp(-y))


def test_the_error_falls_exponentially_with_the_nodes():
    of = problem("laplacian(u) = 0", {"walls": {"at": "boundary", "equations": "u = exp(2*x)*sin(2*y)"}})
    system, points = read_plane_system(of), {"x": np.linspace(0, 1, 20), "y": np.linspace(0, 1, 20) ** 2}
    truth = np.exp(2 * points["x"]) * np.sin(2 * points["y"])
    errors = [np.abs(SteadySolution(system, n, Budget())(points)[0] - truth).max() for n in (6, 8, 10, 12)]
    assert all(finer < coarse / 20 for coarse, finer in itertools.pairwise(errors))


def test_an_evolution_with_sides(monkeypatch):
    monkeypatch.setitem(tested.NODES, "lines", (6, 8, 10, 12))
    of = problem(
        "u_t = laplacian(u)",
        {
            "start": {"at": "t = 0", "equations": "u = sin(x + 0.3)*cos(y)"},
            "values": {"at": ["x = 0", "y = 0"], "equations": "u = exp(-2*t)*sin(x + 0.3)*cos(y)"},
            "slopes": {
                "at": ["x = 1", "y = 1"],
                "equations": "u_n = exp(-2*t)*(n_x*cos(x + 0.3)*cos(y) - n_y*sin(x + 0.3)*sin(y))",
            },
        },
        {**SQUARE, "t": [0, 0.05]},
    )
    reference = PlaneSpectral(of)
    grid = of.domain.grid({"x": 7, "y": 7, "t": 5})
    truth = np.exp(-2 * grid["t"]) * np.sin(grid["x"] + 0.3) * np.cos(grid["y"])
    error = np.linalg.norm(reference(grid)["u"] - truth) / np.linalg.norm(truth)
    assert error <= reference.claimed_error <= 1e-7


def test_periodic_evolutions(monkeypatch):
    monkeypatch.setitem(tested.NODES, "ETDRK4", (12, 16, 24))
    linear = problem(
        "u_t = laplacian(u) - u_x",
        {"start": {"at": "t = 0", "equations": "u = sin(x + 2*y) + 1"}},
        TORUS,
        periodic=["x", "y"],
    )
    reference = assert_honest(linear, u=lambda x, y, t: 1 + np.exp(-5 * t) * np.sin(x + 2 * y - t))
    assert "ETDRK4" in reference.name
    logistic = problem(
        ["u_t = laplacian(u) + u - u^2", "v_t = -u*v"],
        {"start": {"at": "t = 0", "equations": ["u = 1/2", "v = cos(x)"]}},
        {**TORUS, "t": [0, 0.1]},
        ("u", "v"),
        periodic=["x", "y"],
    )
    assert_honest(
        logistic,
        u=lambda x, y, t: 1 / (1 + np.exp(-t)),
        v=lambda x, y, t: 2 * np.cos(x) / (1 + np.exp(t)),
    )


def test_grids_that_miss_a_source_count_for_nothing():
    narrow = problem("laplacian(u) = exp(-((x - 0.37)^2 + (y - 0.41)^2)/1e-4)", WALLS)
    assert not resolved(read_plane_system(narrow), 32)
    assert resolved(read_plane_system(problem("laplacian(u) = exp(x*y)", WALLS)), 12)
    with pytest.raises(NotComputed, match="do not resolve the functions of the problem"):
        PlaneSpectral(narrow)


def test_derivatives_on_the_tensor_grid_are_exact_for_polynomials():
    rectangle = Rectangle(read_plane_system(problem("laplacian(u) = 1", WALLS)), 8)
    x, y = rectangle.points.values()
    (partial,) = (
        one
        for one in problem("laplacian(u) + diff(u, x, y) = 1", WALLS).equations[0].residual.atoms()
        if str(one) == "u_xy"
    )
    values = x**3 * y**2
    assert rectangle.derivative(partial, values) == pytest.approx(6 * x**2 * y, abs=1e-11)
    assert rectangle.matrix(partial, np.arange(64)) @ values == pytest.approx(6 * x**2 * y, abs=1e-11)


@pytest.mark.parametrize(
    ("of", "message"),
    [
        (
            problem("laplacian(u) = 1", {"w": {"at": "boundary", "equations": "u_n = 0"}}),
            "do not determine one solution",
        ),
        (
            problem("laplacian(u) = 1", {"w": {"at": "x = 0", "equations": "u = 0"}}),
            "0 conditions at the upper end of x",
        ),
        (problem("laplacian(laplacian(u)) = 1", WALLS), "it takes derivatives up to the order 2 in"),
        (problem("u_x + u_y = 1", WALLS), "no equation holds u_xx"),
        (problem("laplacian(u) = integral(u, x)", WALLS), "the equation 'equation' holds an integral"),
        (
            problem("laplacian(u) = 1", {"w": {"at": "boundary", "equations": "u^2 = 1"}}),
            "'w' is not linear in the fields",
        ),
        (problem("laplacian(u) = u(x=0)", WALLS), "the equation 'equation' evaluates a field elsewhere"),
        (
            problem("laplacian(u) = 1", {"w": {"at": "boundary", "equations": "u = 0", "where": "x > 0.1"}}),
            "holds on a part",
        ),
        (
            problem(["u_t + p_x = laplacian(u)", "u_x = laplacian(p)"], WALLS, {**SQUARE, "t": [0, 1]}, ("u", "p")),
            "no equation holds a derivative of p in time",
        ),
        (
            problem("u_t = diff(u*u_x, x) + u_yy", {}, TORUS, periodic=["x", "y"]),
            "u has no initial condition",
        ),
        (
            problem(
                "u_t = diff(u*u_x, x) + u_yy",
                {"start": {"at": "t = 0", "equations": "u = 1"}},
                TORUS,
                periodic=["x", "y"],
            ),
            "must have constant coefficients",
        ),
    ],
)
def test_what_it_cannot_treat_is_told(of, message):
    with pytest.raises(UnsupportedProblem) as error:
        PlaneSpectral(of)
    assert message in str(error.value)


def test_it_is_chosen_and_checked_before_training():
    of = problem("laplacian(u) = 0", {"walls": {"at": "boundary", "equations": "u = x*y"}}, reference="spectral")
    assert choose(of).name.startswith("spectral: ")
    assert check_plane_system(read_plane_system(of)) is None
    report, settings = Report(), read_settings({}, Report())
    _check_reference(of, settings, report)
    assert report.mistakes == []
    _check_reference(problem("u_x + u_y = 1", WALLS, reference="spectral"), settings, report)
    assert "no equation holds u_xx" in str(report.mistakes[0])
