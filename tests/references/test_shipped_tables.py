"""The shipped tables against their formulas, the spectral reference, and published tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pinnkit.problem.problem import Problem
from pinnkit.references.budget import Budget
from pinnkit.references.evolution_system import read_evolution_system
from pinnkit.references.shipped_tables import allen_cahn, burgers, burgers_at, kdv
from pinnkit.references.time_integration import GridSolution

ROOT = Path(__file__).resolve().parents[2]
OTHERS = ROOT.parent / "shared" / "references"


def shipped(name: str) -> dict[str, np.ndarray]:
    path = ROOT / "conf" / "pde" / "tables" / f"{name}.npz"
    assert path.stat().st_size < 300_000
    with np.load(path) as archive:
        return {key: archive[key] for key in archive.files}


def others(name: str) -> Path:
    if not (OTHERS / name).is_file():
        pytest.skip(f"there is no {OTHERS / name}: the tables by others are not shipped")
    return OTHERS / name


def relative(values: np.ndarray, truth: np.ndarray) -> float:
    return float(np.linalg.norm(values - truth) / np.linalg.norm(truth))


@pytest.mark.parametrize("name", ["burgers", "allen_cahn", "kdv"])
def test_a_table_is_a_grid_with_both_ends(name):
    table = shipped(name)
    assert list(table) == ["x", "t", "u"]
    assert np.array_equal(table["x"], np.linspace(-1, 1, 257))
    assert np.array_equal(table["t"], np.linspace(0, 1, 101))
    assert table["u"].shape == (257, 101)
    assert all(values.dtype == np.float64 for values in table.values())


def test_burgers_table_is_the_formula():
    table = shipped("burgers")
    u = burgers(table["x"][::8], table["t"][::10], nodes=400)
    assert np.abs(table["u"][::8, ::10] - u).max() < 1e-12
    assert np.array_equal(table["u"][[0, 128, 256]], np.zeros((3, 101)))
    assert np.allclose(table["u"][:, 0], -np.sin(np.pi * table["x"]), rtol=0, atol=1e-15)
    assert np.abs(table["u"] + table["u"][::-1]).max() < 1e-13


def test_doubling_the_quadrature_does_not_move_burgers():
    x, t = np.linspace(-1, 1, 33), np.linspace(0, 1, 6)
    assert np.abs(burgers(x, t, nodes=100) - burgers(x, t, nodes=200)).max() < 1e-12


def test_the_formula_solves_burgers_equation():
    """The residual with Chebyshev derivatives in t and Fourier ones in x, and it is no zero field."""
    nodes, viscosity = 512, 0.05 / np.pi
    x, s = -1 + 2 * np.arange(nodes) / nodes, np.polynomial.chebyshev.chebpts2(24)
    t = 0.35 + 0.15 * s  # 0.2 to 0.5
    u = burgers(x, t, viscosity)
    k = 1j * np.pi * np.fft.fftfreq(nodes, 1 / nodes)[:, None]
    u_x, u_xx = (np.fft.ifft(k**order * np.fft.fft(u, axis=0), axis=0).real for order in (1, 2))
    series = np.polynomial.chebyshev.chebfit(s, u.T, len(s) - 1)
    u_t = np.polynomial.chebyshev.chebval(s, np.polynomial.chebyshev.chebder(series)) / 0.15
    residual = u_t + u * u_x - viscosity * u_xx
    assert np.abs(residual).max() < 1e-8 * np.abs(u * u_x).max()
    assert np.abs(u_t).max() > 0.1


def test_burgers_table_against_the_method_of_lines():
    """The periodic extension of the same problem, by Fourier collocation: up to t = 0.5, past the steepest moment."""
    problem = Problem(
        coordinates={"x": [-1, 1], "t": [0, 0.5]},
        fields=["u"],
        equations="u_t + u*u_x = 0.01/pi*u_xx",
        conditions={"initial": {"at": "t = 0", "equations": "u = -sin(pi*x)"}},
        periodic=["x"],
    )
    table = shipped("burgers")
    march = GridSolution(read_evolution_system(problem), 1024, 1e-8, 1e-10, Budget())
    x, t = np.meshgrid(table["x"], table["t"][:51:5], indexing="ij")
    u = march(x.ravel(), t.ravel())[0].reshape(x.shape)
    assert relative(u, table["u"][:, :51:5]) < 1e-8


def test_burgers_at_points_is_burgers_on_the_grid():
    x, t = np.linspace(-1, 1, 33), np.linspace(0, 1, 6)
    meshes = np.meshgrid(x, t, indexing="ij")
    assert np.array_equal(burgers_at(*map(np.ravel, meshes)).reshape(33, 6), burgers(x, t))


def test_burgers_against_the_table_of_deepxde():
    with np.load(others("burgers_deepxde.npz")) as archive:
        u = burgers(archive["x"].ravel(), archive["t"].ravel())
        assert relative(u, archive["usol"]) < 1e-11


def test_allen_cahn_table_is_a_fresh_solution_with_half_the_modes():
    table = shipped("allen_cahn")
    u = allen_cahn(table["x"], table["t"], modes=1024)
    assert relative(u, table["u"]) < 1e-10
    assert np.array_equal(table["u"][:, 0], table["x"] ** 2 * np.cos(np.pi * table["x"]))
    assert np.abs(table["u"] - table["u"][::-1]).max() < 1e-14


def test_allen_cahn_table_against_the_method_of_lines():
    """Fourier collocation knows nothing of the symmetry, the exact coefficients or the padding."""
    problem = Problem(
        coordinates={"x": [-1, 1], "t": [0, 1]},
        fields=["u"],
        equations="u_t = 0.0001*u_xx + 5*(u - u^3)",
        conditions={"initial": {"at": "t = 0", "equations": "u = x^2*cos(pi*x)"}},
        periodic=["x"],
    )
    table = shipped("allen_cahn")
    x, t = np.meshgrid(table["x"], table["t"], indexing="ij")
    # the kink at x = +-1 sets the rate: what it excites above the grid's frequencies is lost at first
    for nodes, bound in ((512, 1e-5), (2048, 1e-8)):
        march = GridSolution(read_evolution_system(problem), nodes, 1e-10, 1e-12, Budget())
        u = march(x.ravel(), t.ravel())[0].reshape(x.shape)
        assert relative(u, table["u"]) < bound
        assert np.abs(u - table["u"])[:, -1].max() < bound


def test_allen_cahn_against_the_table_of_jaxpi2():
    """They differ at the kink, x = +-1, which that table's 512 plain samples do not resolve while t is small."""
    io = pytest.importorskip("scipy.io")
    table = io.loadmat(others("allen_cahn_jaxpi2.mat"))
    x, t = table["x"].ravel(), table["t"].ravel()
    u = allen_cahn(x, t, modes=1024)
    truth = table["usol"].T
    inside = np.abs(x) < 0.95
    assert relative(u[inside], truth[inside]) < 1e-7
    assert relative(u, truth) < 2e-5


def test_kdv_table_is_a_fresh_solution_with_half_the_modes_and_larger_tolerances():
    table = shipped("kdv")
    coarse = kdv(table["x"], table["t"][::20], modes=128, rtol=1e-9)
    assert relative(coarse, table["u"][:, ::20]) < 1e-8
    assert np.abs(coarse - table["u"][:, ::20]).max() < 3e-8
    assert np.allclose(table["u"][:, 0], np.cos(np.pi * table["x"]), rtol=0, atol=1e-14)
    assert np.abs(table["u"][0] - table["u"][-1]).max() < 1e-12  # periodic


def test_kdv_keeps_mass_momentum_and_energy():
    """The means of u, u^2 and u^3/3 - mu^2 u_x^2 over a period do not depend on time; the solution does."""
    table = shipped("kdv")
    u = table["u"][:-1]
    k = 1j * np.pi * np.fft.rfftfreq(len(u), 1 / len(u))[:, None]
    u_x = np.fft.irfft(k * np.fft.rfft(u, axis=0), n=len(u), axis=0)
    for density, start in ((u, 0.0), (u**2, 0.5), (u**3 / 3 - 0.022**2 * u_x**2, -(0.022**2) * np.pi**2 / 2)):
        assert np.abs(density.mean(axis=0) - start).max() < 1e-8
    assert np.ptp(np.mean(u**4, axis=0)) > 0.1


def test_error_of_kdv_falls_exponentially_with_the_modes():
    x, t = np.linspace(-1, 1, 129), np.array([0.0, 0.5])
    truth = kdv(x, t, modes=96, rtol=1e-9)
    errors = [relative(kdv(x, t, modes=modes, rtol=1e-9), truth) for modes in (32, 48, 64)]
    assert errors[0] < 0.02
    assert errors[1] < 0.1 * errors[0]
    assert errors[2] < 0.1 * errors[1]


def test_kdv_table_against_the_method_of_lines():
    """Fourier collocation knows nothing of the integrating factor or the padding."""
    problem = Problem(
        coordinates={"x": [-1, 1], "t": [0, 1]},
        fields=["u"],
        equations="u_t + u*u_x + 0.022^2*u_xxx = 0",
        conditions={"initial": {"at": "t = 0", "equations": "u = cos(pi*x)"}},
        periodic=["x"],
    )
    table = shipped("kdv")
    x, t = np.meshgrid(table["x"], table["t"], indexing="ij")
    u = GridSolution(read_evolution_system(problem), 256, 1e-8, 1e-10, Budget())(x.ravel(), t.ravel())[0].reshape(
        x.shape
    )
    assert relative(u, table["u"]) < 1e-7
    assert np.abs(u - table["u"]).max() < 5e-7


def test_kdv_table_against_the_table_of_jaxpi2():
    """At its places by trigonometric interpolation: 256 values a period hold all modes up to rounding."""
    io = pytest.importorskip("scipy.io")
    theirs, ours = io.loadmat(others("kdv_jaxpi2.mat")), shipped("kdv")
    x, t = theirs["x"].ravel(), theirs["t"].ravel()
    assert np.allclose(t[::2], ours["t"], rtol=0, atol=1e-12)
    coefficients = np.fft.rfft(ours["u"][:-1], axis=0, norm="forward")
    coefficients[1:] *= 2
    basis = np.exp(1j * np.pi * np.outer(x + 1, np.arange(len(coefficients))))
    assert relative((basis @ coefficients).real, theirs["usol"].T[:, ::2]) < 1e-9
