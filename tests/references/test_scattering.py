"""The series of a wave scattered by a disk: equation, conditions, convergence, and the shipped table."""

from pathlib import Path

import numpy as np
import pytest

from pinnkit.references.scattering import RADIUS, WAVE_NUMBER, scattering

K, STEP = WAVE_NUMBER, 1e-3
TABLE = Path(__file__).resolve().parents[2] / "conf" / "pde" / "tables" / "helmholtz_scattering.npz"


def along(x, y, dx, dy):
    """Values at five points of a line, a step apart."""
    return np.stack([scattering(x + place * STEP * dx, y + place * STEP * dy) for place in range(-2, 3)])


def first(values):
    return (np.array([1, -8, 0, 8, -1]) / (12 * STEP)) @ values


def second(values):
    return (np.array([-1, 16, -30, 16, -1]) / (12 * STEP**2)) @ values


def test_the_series_satisfies_the_equation():
    rng = np.random.default_rng(0)
    r, phi = rng.uniform(0.4, 0.95, 30), rng.uniform(-np.pi, np.pi, 30)
    x, y = r * np.cos(phi), r * np.sin(phi)
    laplacian = second(along(x, y, 1, 0)) + second(along(x, y, 0, 1))
    assert np.abs(laplacian + K**2 * scattering(x, y)).max() < 1e-5 * K**2


def test_it_vanishes_at_the_disk_and_is_absorbed_by_the_box():
    phi = np.linspace(-np.pi, np.pi, 17)
    assert np.abs(scattering(RADIUS * np.cos(phi), RADIUS * np.sin(phi))).max() < 1e-12
    side, one = np.linspace(-0.9, 0.9, 11), np.ones(11)
    for x, y, n_x, n_y in ((one, side, 1, 0), (-one, side, -1, 0), (side, one, 0, 1), (side, -one, 0, -1)):
        scattered = along(x, y, n_x, n_y) - np.exp(1j * K * (x + np.arange(-2, 3)[:, None] * STEP * n_x))
        assert np.abs(first(scattered) - 1j * K * scattered[2]).max() < 1e-6


@pytest.mark.parametrize("terms", [50, 90])
def test_more_terms_change_nothing(terms):
    x, y = np.array([0.99, -0.5, 0.0, 0.31]), np.array([-0.99, 0.7, 0.3, 0.0])
    assert np.abs(scattering(x, y, terms) - scattering(x, y)).max() < 1e-8


def test_the_shipped_table_is_the_series():
    with np.load(TABLE) as table:
        x, y, u = (table[name] for name in ("x", "y", "u"))
    assert np.hypot(x, y).min() >= RADIUS
    assert np.abs(u[::50] - scattering(x[::50], y[::50])).max() < 1e-10
