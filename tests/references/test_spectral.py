"""The method of lines: rates of convergence, claimed error, arguments."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from pinnkit.references import time_integration
from pinnkit.references.budget import Budget
from pinnkit.references.evolution_system import read_evolution_system
from pinnkit.references.manufactured import manufacture
from pinnkit.references.method_of_lines import MethodOfLines
from pinnkit.references.spectral import Spectral
from pinnkit.references.unsupported import UnsupportedProblem
from tests.references.rods import ENDS, ONE, SINE, TIME, heat, problem, start
from tests.references.spectral_errors import errors


def test_a_beam_is_stable_though_its_derivatives_are_of_fourth_order():
    hinged = {"at": "boundary", "equations": ["u = 0", "u_xx = 0"]}
    beam = problem("u_tt = -0.01*u_xxxx", {"initial": start("u = sin(pi*x)", "u_t = 0"), "ends": hinged})
    reference = Spectral(beam, nodes=32, rtol=1e-7, atol=1e-9)
    exact = {"u": lambda x, t: np.cos(0.1 * np.pi**2 * t) * np.sin(np.pi * x)}
    assert errors(reference, beam, exact) < 1e-7


def test_the_discrete_fourth_derivative_has_the_beams_frequencies():
    """u_xxxx with u = u_x = 0 at x = +-1: eigenvalues b^4 with tan b = -+ tanh b; the first has b = 2.36502037."""
    clamped = {"at": "boundary", "equations": ["u = 0", "u_n = 0"]}
    system = read_evolution_system(problem("u_tt = -u_xxxx", {"initial": start("u = 0", "u_t = 0"), "ends": clamped}))
    lines = MethodOfLines(system, 32, Budget())
    eigenvalues = np.linalg.eigvals(lines.jacobian(0.0, lines.start()))
    assert np.abs(eigenvalues.real).max() < 1e-6 * np.abs(eigenvalues).max()
    assert np.abs(eigenvalues.imag).min() == pytest.approx(2.365020372431352**2, rel=1e-7)


def test_error_falls_exponentially_with_the_nodes():
    """u = exp(-t) / (x^2 + 1/4) has poles at +-i/2, so the error falls as (1/2 + sqrt(5)/2)^-n."""
    pole = problem(
        "u_t = 0.01*u_xx - u - 0.01*exp(-t)*(8*x^2/(x^2 + 1/4)^3 - 2/(x^2 + 1/4)^2)",
        {"initial": start("u = 1/(x^2 + 1/4)"), "ends": {"at": "boundary", "equations": "u = exp(-t)/(x^2 + 1/4)"}},
        coordinates={"x": [-1, 1], "t": [0, 0.25]},
    )
    exact = {"u": lambda x, t: np.exp(-t) / (x**2 + 0.25)}
    counts = np.array([16, 20, 24, 28])
    found = [errors(Spectral(pole, nodes=int(n), rtol=1e-6, atol=1e-8), pole, exact) for n in counts]
    slope = np.polyfit(counts, np.log(found), 1)[0]
    assert slope == pytest.approx(-np.log((1 + np.sqrt(5)) / 2), rel=0.15)


def test_error_in_time_falls_with_the_tolerance():
    wave = problem("u_tt = -u", {"start": start("u = 1", "u_t = 0")}, coordinates={"t": [0, 200]})
    loose = Spectral(wave, rtol=1e-5, atol=1e-7)
    tight = Spectral(wave, rtol=1e-9, atol=1e-11)
    exact = {"u": lambda t: np.cos(t)}
    assert errors(tight, wave, exact) < 1e-3 * errors(loose, wave, exact)
    assert tight.claimed_error < 1e-3 * loose.claimed_error


def test_a_poor_reference_warns_with_a_true_claimed_error(caplog):
    # -a tanh(a x/(2 nu)) is at rest, and 32 nodes are too few for it
    step = problem(
        "u_t + u*u_x = 0.1*u_xx",
        {"initial": start("u = -tanh(5*x)"), "ends": {"at": "boundary", "equations": "u = -tanh(5*x)"}},
    )
    with caplog.at_level(logging.WARNING, "pinnkit.references"):
        reference = Spectral(step, nodes=32, rtol=1e-8)
    assert f"(spectral: Chebyshev, 32 nodes, {reference.name.split(', ', 2)[2]}) has a claimed error of" in caplog.text
    error = errors(reference, step, {"u": lambda x, t: -np.tanh(5 * x) + 0 * t})
    assert 1e-5 < error < reference.claimed_error


def test_refines_until_the_claim_is_good():
    step = problem(
        "u_t + u*u_x = 0.1*u_xx",
        {"initial": start("u = -tanh(5*x)"), "ends": {"at": "boundary", "equations": "u = -tanh(5*x)"}},
        coordinates={"x": [-1, 1], "t": [0, 0.25]},
    )
    reference = Spectral(step, rtol=1e-9)
    assert "128 nodes" in reference.name
    assert reference.claimed_error < 3e-8
    assert errors(reference, step, {"u": lambda x, t: -np.tanh(5 * x) + 0 * t}) < 1e-9


def test_tolerances_are_loosened_where_they_take_too_many_steps(monkeypatch):
    monkeypatch.setattr(
        time_integration, "MAX_RATE_EVALUATIONS", {time_integration.EXPLICIT: 100, time_integration.IMPLICIT: 2000}
    )
    monkeypatch.setattr(
        time_integration, "CHECK_EVERY", {time_integration.EXPLICIT: 100, time_integration.IMPLICIT: 500}
    )
    burst = problem("u_t = -1e4*(u - exp(-100*(t - 0.5)^2))", {"start": start("u = 0")}, coordinates={"t": [0, 1]})
    reference = Spectral(burst)
    used = float(reference.name.split()[-1])
    assert 1e-10 < used < 1e-5
    times = {"t": np.linspace(0, 1, 50)}
    monkeypatch.undo()
    better = Spectral(burst)
    assert float(better.name.split()[-1]) == 1e-10
    difference = np.linalg.norm(reference(times)["u"] - better(times)["u"]) / np.linalg.norm(better(times)["u"])
    assert 0 < difference < reference.claimed_error


def test_a_problem_that_takes_too_many_steps_is_refused(monkeypatch):
    monkeypatch.setattr(
        time_integration, "MAX_RATE_EVALUATIONS", {time_integration.EXPLICIT: 10, time_integration.IMPLICIT: 10}
    )
    monkeypatch.setattr(time_integration, "CHECK_EVERY", {time_integration.EXPLICIT: 10, time_integration.IMPLICIT: 10})
    with pytest.raises(UnsupportedProblem, match="too many steps in time, even with rtol 1e-06"):
        Spectral(problem("u_t = -u", ONE, coordinates=TIME))


def test_manufactured_solutions_are_found():
    """Nonlinear, two fields, all kinds of conditions: the source of each is whatever the chosen fields need."""
    system = problem(
        {"a": "u_t = (1 + v^2)*u_xx + u*v_x - u^3", "b": "2*v_tt + v_t*u = v_xx - exp(v)*u_x"},
        {
            "initial": start("u = 0", "v = 0", "v_t = 0"),
            "left": {"at": "x = -1", "equations": {"c": "u = v", "d": "v_n = u"}},
            "right": {"at": "x = 1", "equations": {"e": "u_n + 2*u = 0", "f": "v = 0"}},
        },
        fields="uv",
    )
    made = manufacture(system, {"u": "cos(x - t)/2", "v": "sin(2*x + t)/2"})
    exact = {"u": lambda x, t: np.cos(x - t) / 2, "v": lambda x, t: np.sin(2 * x + t) / 2}
    assert errors(Spectral(made, nodes=32), made, exact) < 1e-9


def test_learned_parameters_take_their_exact_values():
    learned = problem(
        "u_t = alpha*u_xx",
        {"initial": SINE, "ends": ENDS},
        parameters={"alpha": {"learn": 3.0}},
        exact={"alpha": 0.1},
    )
    at = {"x": np.array([0.3, -0.7]), "t": np.array([0.5, 1.0])}
    assert np.array_equal(Spectral(learned, nodes=32)(at)["u"], Spectral(heat(), nodes=32)(at)["u"])


def test_scattered_points_and_grids_agree_and_shapes_are_kept():
    reference = Spectral(heat(), nodes=32)
    grid = heat().domain.grid({"x": 21, "t": 7})
    on_grid = reference(grid)["u"]
    assert on_grid.shape == (21, 7)
    order = np.random.default_rng(0).permutation(147)[:40]
    points = {name: values.ravel()[order].reshape(8, 5) for name, values in grid.items()}
    assert np.allclose(reference(points)["u"], on_grid.ravel()[order].reshape(8, 5), rtol=0, atol=1e-14)
    assert np.array_equal(on_grid[:, 0], np.sin(np.pi * grid["x"][:, 0]))


def test_points_outside_the_domain_are_refused():
    reference = Spectral(heat(), nodes=32)
    with pytest.raises(ValueError, match=r"t ranges from 0 to 2; the reference is defined in \[0, 1\]"):
        reference({"x": np.zeros(2), "t": np.array([0.0, 2.0])})
    with pytest.raises(ValueError, match="x ranges from nan"):
        reference({"x": np.array([np.nan]), "t": np.zeros(1)})


@pytest.mark.parametrize("words", [{"nodes": 17}, {"nodes": 8}, {"rtol": 1e-16}, {"atol": 0.0}])
def test_arguments_are_checked(words):
    (name,) = words
    with pytest.raises(ValueError, match=name):
        Spectral(heat(), **words)


@pytest.mark.parametrize(
    ("equations", "conditions", "words"),
    [
        ("u_t = u*u_xx + x*u_x^2 - exp(u)*sin(t)", {"i": SINE, "e": ENDS}, {}),
        ("u_tt = u*u_xx - u_t^3 + u_x", {"i": start("u = sin(pi*x)", "u_t = x"), "e": ENDS}, {}),
        ("u_t = u*u_xx - u_xxx", {"i": SINE}, {"periodic": ["x"]}),
        (
            ["u_t = u_xx*v + v_x", "v_tt = u*v_t - u_x + v"],
            {"i": start("u = sin(pi*x)", "v = x^2", "v_t = 1"), "e": {"at": "boundary", "equations": "u_n = v"},
             "l": {"at": "x = -1", "equations": "v = 1"}},
            {"fields": "uv"},
        ),
        (
            ["u_t = v_t + u_xx", "v_tt = -u*v"],
            {"i": start("u = sin(pi*x)", "v = x^2", "v_t = x^3"), "e": ENDS},
            {"fields": "uv"},
        ),
    ],
)  # fmt: skip
def test_jacobian_is_the_derivative_of_the_rate(equations, conditions, words):
    lines = MethodOfLines(read_evolution_system(problem(equations, conditions, **words)), 16, Budget())
    y = lines.start()
    direction = np.random.default_rng(1).normal(size=lines.size)
    step = 1e-6
    difference = (lines.rate(0.3, y + step * direction) - lines.rate(0.3, y - step * direction)) / (2 * step)
    assert np.allclose(lines.jacobian(0.3, y) @ direction, difference, rtol=1e-6, atol=1e-6 * np.abs(difference).max())
