"""A wave that a disk scatters inside a box with an absorbing boundary, by a series of Bessel functions."""

from __future__ import annotations

import functools

import numpy as np
from scipy.special import jv, jvp, yv, yvp

WAVE_NUMBER, RADIUS = 6.0, 0.3
TERMS = 70
"""Terms of the series: the absorbing condition is then met to 1e-12."""
POINTS = 200
"""Points on each side of the box at which the absorbing condition is asked for."""


def scattering(x: np.ndarray, y: np.ndarray, terms: int = TERMS) -> np.ndarray:
    """The total field u of a plane wave exp(i k x) at a sound-soft disk of radius a in the box [-1, 1]^2.

        Laplacian u + k^2 u = 0,    u = 0 for r = a,    d(u - exp(i k x))/dn = i k (u - exp(i k x)) on the box.

    u = sum over m of c_m (J_m(k r) Y_m(k a) - Y_m(k r) J_m(k a)) cos(m phi) satisfies the first two.

    Args:
        x, y: points outside the disk, of one shape.
    """
    return _basis(x, y, terms)[0] @ _coefficients(terms)


@functools.cache
def _coefficients(terms: int) -> np.ndarray:
    """The least squares solution of the absorbing condition at Gauss points of three sides, for u is even in y."""
    nodes, weights = np.polynomial.legendre.leggauss(POINTS)
    one, zero = np.ones(POINTS), np.zeros(POINTS)
    sides = [(one, nodes, one, zero), (-one, nodes, -one, zero), (nodes, one, zero, one)]
    at_x, at_y, n_x, n_y = (np.concatenate(parts) for parts in zip(*sides, strict=True))
    values, along_x, along_y = _basis(at_x, at_y, terms)
    rows = n_x[:, None] * along_x + n_y[:, None] * along_y - 1j * WAVE_NUMBER * values
    right = 1j * WAVE_NUMBER * (n_x - 1) * np.exp(1j * WAVE_NUMBER * at_x)
    root = np.sqrt(np.tile(weights, len(sides)))
    return np.linalg.lstsq(rows * root[:, None], right * root, rcond=1e-15)[0]


def _basis(x: np.ndarray, y: np.ndarray, terms: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The functions of the series and their derivatives by x and y, (..., terms), of size one at the box's corners."""
    m, k, a = np.arange(terms), WAVE_NUMBER, WAVE_NUMBER * RADIUS
    r, phi = np.hypot(x, y)[..., None], np.arctan2(y, x)[..., None]
    corner = k * np.sqrt(2)
    size = np.abs(jv(m, corner) * yv(m, a) - yv(m, corner) * jv(m, a))
    radial = (jv(m, k * r) * yv(m, a) - yv(m, k * r) * jv(m, a)) / size
    outward = k * (jvp(m, k * r) * yv(m, a) - yvp(m, k * r) * jv(m, a)) / size * np.cos(m * phi)
    around = -radial * m * np.sin(m * phi) / r
    cosine, sine = np.cos(phi), np.sin(phi)
    return radial * np.cos(m * phi), outward * cosine - around * sine, outward * sine + around * cosine
