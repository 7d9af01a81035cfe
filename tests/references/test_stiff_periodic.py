"""Stiff periodic equations by exponential integrators."""

from __future__ import annotations

import numpy as np
import pytest

from pinnkit.references import refinement
from pinnkit.references.budget import Budget
from pinnkit.references.dop853 import StepTooSmallError, dop853
from pinnkit.references.etdrk4 import ETDRK4
from pinnkit.references.evolution_system import read_evolution_system
from pinnkit.references.fourier_modes import FourierModes
from pinnkit.references.semilinear import semilinear_form
from pinnkit.references.shipped_tables import allen_cahn, kdv
from pinnkit.references.spectral import Spectral
from tests.references.rods import SINE, problem, start

PERIODIC = {"periodic": ["x"]}
KDV = problem("u_t + u*u_x + 0.022^2*u_xxx = 0", {"i": start("u = cos(pi*x)")}, **PERIODIC)
KS = problem("u_t + 5*u*u_x + 0.5*u_xx + 0.005*u_xxxx = 0", {"i": start("u = -sin(pi*x)")}, **PERIODIC)
SCHROEDINGER = problem(
    ["u_t = -0.5*v_xx - (u^2 + v^2)*v", "v_t = 0.5*u_xx + (u^2 + v^2)*u"],
    {"i": start("u = 2/cosh(x)", "v = 0")},
    coordinates={"x": [-5, 5], "t": [0, "pi/2"]},
    fields="uv",
    **PERIODIC,
)


def test_the_linear_part_with_constant_coefficients_is_split_off():
    parts = semilinear_form(read_evolution_system(SCHROEDINGER))
    assert {field: {str(one): number for one, number in part.items()} for field, part in parts.linear.items()} == {
        "u": {"v_xx": -0.5},
        "v": {"u_xx": 0.5},
    }
    assert parts.complete
    assert not semilinear_form(read_evolution_system(problem("u_t = u*u_xx", {"i": SINE}, **PERIODIC))).complete
    assert not semilinear_form(read_evolution_system(problem("u_t = (2 + x)*u_xx", {"i": SINE}, **PERIODIC))).complete


@pytest.mark.parametrize("of", [KDV, KS, SCHROEDINGER], ids=["KdV", "KS", "Schroedinger"])
def test_the_parts_add_up_to_the_rate(of):
    """d/dt of the fields at the nodes, by the modes and by the equations themselves."""
    system = read_evolution_system(of)
    modes = FourierModes(system, 64, semilinear_form(system), Budget())
    y = modes.start()
    w = y.reshape(modes.eigenvalues.shape)
    rate = modes.eigenvalues * w + modes.nonlinear(0.0, w)
    x = modes.grid.nodes
    if of is SCHROEDINGER:
        u = modes.fields(0.0, y)[0]
        expected = np.stack([0 * x, 0.5 * modes.grid.derivative(u, 2) + u**3])
    elif of is KDV:
        expected = 0.5 * np.pi * np.sin(2 * np.pi * x) - 0.022**2 * np.pi**3 * np.sin(np.pi * x)
    else:
        s = np.sin(np.pi * x)
        expected = -2.5 * np.pi * np.sin(2 * np.pi * x) + (-0.5 * np.pi**2 + 0.005 * np.pi**4) * s
    kept = modes.fields(0.0, rate.ravel())
    assert np.allclose(kept, expected, rtol=0, atol=2e-3 if of is SCHROEDINGER else 1e-11)


def test_etdrk4_is_of_order_four():
    system = read_evolution_system(KS)
    modes = FourierModes(system, 32, semilinear_form(system), Budget())
    runs = [ETDRK4(modes, (0.0, 0.05), modes.start(), 1e9, Budget(), steps) for steps in (100, 200, 400, 1600)]
    ends = [run(np.array([0.05])) for run in runs]
    errors = [np.linalg.norm(end - ends[-1]) for end in ends[:-1]]
    slopes = np.log2(np.array(errors[:-1]) / errors[1:])
    assert slopes == pytest.approx([4, 4], abs=0.3)


def test_etdrk4_is_exact_without_a_rest_and_between_its_steps():
    decay = problem("u_t = u_xx - u_xxxx", {"i": SINE}, **PERIODIC)
    reference = Spectral(decay)
    assert "ETDRK4" in reference.name
    t, x = np.array([0.001234, 0.01, 0.0777]), np.array([0.3, -0.4, 0.9])
    exact = np.exp(-(np.pi**2 + np.pi**4) * t) * np.sin(np.pi * x)
    assert np.allclose(reference({"x": x, "t": t})["u"], exact, rtol=0, atol=1e-12)


def test_dop853_is_scipys():
    from scipy.integrate import solve_ivp

    def pendulum(t, y):
        return np.array([y[1], -np.sin(y[0])])

    start_ = np.array([2.0, 0.0])
    steps = list(dop853(pendulum, 0.0, 10.0, start_, 1e-9, 1e-9, lambda t: 1.0))
    theirs = solve_ivp(pendulum, (0, 10), start_, method="DOP853", rtol=1e-9, atol=1e-9, max_step=1.0)
    tight = solve_ivp(pendulum, (0, 10), start_, method="DOP853", rtol=1e-13, atol=1e-13)
    assert abs(len(steps) - len(theirs.t)) <= 2
    assert np.abs(steps[-1][1] - tight.y[:, -1]).max() < 1e-8


def against(reference: Spectral, table, t: np.ndarray) -> float:
    x = np.linspace(-1, 1, 101)
    grid = np.meshgrid(x, t, indexing="ij")
    truth = table(x, t)
    found = reference({"x": grid[0], "t": grid[1]})["u"]
    return float(np.linalg.norm(found - truth) / np.linalg.norm(truth))


def test_korteweg_and_de_vries_against_the_table(monkeypatch):
    monkeypatch.setattr(refinement, "STIFF", (10.0, 10.0))  # so short a time is not stiff
    short = problem(
        "u_t + u*u_x + 0.022^2*u_xxx = 0",
        {"i": start("u = cos(pi*x)")},
        coordinates={"x": [-1, 1], "t": [0, 0.1]},
        **PERIODIC,
    )
    reference = Spectral(short)
    assert "DOP853 with an integrating factor" in reference.name
    assert against(reference, kdv, np.array([0.0, 0.03, 0.077, 0.1])) < reference.claimed_error < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize(
    ("of", "bound"), [(KDV, 1e-6), (KS, 1e-7), (SCHROEDINGER, 3e-5)], ids=["KdV", "KS", "Schroedinger"]
)
def test_the_claim_covers_the_distance_to_a_finer_run(of, bound):
    reference = Spectral(of)
    assert reference.claimed_error < bound
    finer = Spectral(of, nodes=2 * reference._solution.nodes, rtol=1e-11, max_time=600)
    grid = of.domain.grid({"x": 101, "t": 41})
    found, truth = reference(grid), finer(grid)
    for name in truth:
        assert np.linalg.norm(found[name] - truth[name]) < reference.claimed_error * np.linalg.norm(truth[name])


@pytest.mark.slow
def test_allen_and_cahn_against_the_table():
    of = problem("u_t = 0.0001*u_xx + 5*(u - u^3)", {"i": start("u = x^2*cos(pi*x)")}, **PERIODIC)
    reference = Spectral(of)
    assert against(reference, allen_cahn, np.array([0.1, 0.5, 1.0])) < reference.claimed_error < 1e-6


@pytest.mark.parametrize("size", [0.0, 1e-12], ids=["rest", "nearly rest"])
def test_a_forced_wave_from_rest_is_computed(size):
    forced = problem(
        "u_tt = u_xx + sin(2*pi*x)*cos(t)",
        {"i": start(f"u = {size}*cos(2*pi*x)", "u_t = 0")},
        coordinates={"x": [0, 1], "t": [0, 3]},
        **PERIODIC,
    )
    reference = Spectral(forced)
    x, t = np.meshgrid(np.linspace(0, 1, 41), np.linspace(0.1, 3, 30), indexing="ij")
    truth = np.sin(2 * np.pi * x) * (np.cos(t) - np.cos(2 * np.pi * t)) / (4 * np.pi**2 - 1)
    truth += size * np.cos(2 * np.pi * x) * np.cos(2 * np.pi * t)
    error = np.linalg.norm(reference({"x": x, "t": t})["u"] - truth) / np.linalg.norm(truth)
    assert error < 2 * reference.claimed_error < 1e-8


@pytest.mark.parametrize("source", ["cos(t)", "sin(t)", "0"], ids=["at once", "later", "never"])
def test_a_forced_korteweg_de_vries_equation_from_rest_is_computed(source):
    forced = problem(
        f"u_t + u*u_x + u_xxx = sin(x)*{source}",
        {"i": start("u = 0")},
        coordinates={"x": [0, "2*pi"], "t": [0, 1]},
        **PERIODIC,
    )
    assert Spectral(forced).claimed_error < 1e-8


def test_a_rate_that_is_no_number_ends_the_steps():
    steps = dop853(lambda t, y: y * np.nan, 0.0, 1.0, np.ones(1), 1e-8, 1e-10, lambda t: 0.1)
    with pytest.raises(StepTooSmallError):
        list(steps)
