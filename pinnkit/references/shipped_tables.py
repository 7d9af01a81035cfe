"""Shipped reference tables: Burgers, Allen-Cahn, Korteweg-de Vries, scattering at a disk.

By the Cole-Hopf formula, a cosine Galerkin method, a Fourier Galerkin method with an integrating factor, and a series;
`scripts/make_references.py` writes them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np
from scipy.fft import dct, irfft, rfft
from scipy.integrate import solve_ivp
from scipy.special import roots_hermite

from pinnkit.references.scattering import RADIUS, scattering

TABLE_X = np.linspace(-1.0, 1.0, 257)
TABLE_T = np.linspace(0.0, 1.0, 101)
TABLE_BOX = np.linspace(-1.0, 1.0, 81)


def burgers_at(x: np.ndarray, t: np.ndarray, viscosity: float = 0.01 / np.pi, nodes: int = 200) -> np.ndarray:
    """u_t + u u_x = nu u_xx with u(x, 0) = -sin(pi x) and u(+-1, t) = 0, by the formula of Cole and Hopf.

        u = - <sin(pi y) g(y)> / <g(y)>,   y = x - sqrt(4 nu t) z,   g(y) = exp(-cos(pi y)/(2 pi nu)),

    where <.> is the integral over z with weight exp(-z^2), by Gauss-Hermite quadrature (Basdevant et al. 1986).

    Args:
        x, t: points, arrays of one shape.
        nodes: number of quadrature nodes.

    Returns:
        u, of their shape.
    """
    z, weights = roots_hermite(nodes)
    z, weights = z[weights > 0], weights[weights > 0]  # the outermost ones underflow
    y = x[..., None] - np.sqrt(4 * viscosity * t)[..., None] * z
    exponents = np.log(weights) - np.cos(np.pi * y) / (2 * np.pi * viscosity)
    # g spans exp(+-50): only its ratio to the largest term is a number of ordinary size
    terms = np.exp(exponents - exponents.max(axis=-1, keepdims=True))
    values = -(np.sin(np.pi * y) * terms).sum(axis=-1) / terms.sum(axis=-1)
    values[np.isin(x, (-1.0, 0.0, 1.0))] = 0.0  # u is odd about each of them
    return values


def burgers(x: np.ndarray, t: np.ndarray, viscosity: float = 0.01 / np.pi, nodes: int = 200) -> np.ndarray:
    """`burgers_at` on the grid with the axes x: (k,) and t: (m,), of shape (k, m)."""
    grid = np.meshgrid(x, t, indexing="ij")
    return burgers_at(grid[0], grid[1], viscosity, nodes)


def allen_cahn(x: np.ndarray, t: np.ndarray, modes: int = 2048, rtol: float = 1e-12) -> np.ndarray:
    """u_t = 0.0001 u_xx + 5 (u - u^3), u(x, 0) = x^2 cos(pi x), u periodic in x with period 2.

    u is even, so u = a_0/2 + sum a_k cos(pi k x), k < modes. Galerkin's method with the exact coefficients of
    x^2 cos(pi x), whose periodic extension has a kink at x = +-1 (a_k ~ 1/k^2), and without aliasing in u^3; DOP853 in
    time, for diffusion is so weak that its stability costs little.

    Args:
        x: (k,), t: (m,) ascending from 0, axes of a grid.

    Returns:
        (k, m).
    """
    k = np.arange(modes)
    decay = 1e-4 * (np.pi * k) ** 2
    points = 2 * modes  # u^3 reaches up to 3 modes: what folds back at 4 modes stays above the modes kept
    frequencies = np.pi * np.outer(x, k)
    basis = np.cos(frequencies)
    basis[:, 0] = 0.5

    def rate(_: float, a: np.ndarray) -> np.ndarray:
        padded = np.zeros(points + 1)
        padded[:modes] = a / 2
        u = dct(padded, type=1)
        cubic = dct(u * u * u, type=1)[:modes] / points
        return -decay * a + 5 * (a - cubic)

    columns = [_kinked_cosines(modes)]
    for begin, end in itertools.pairwise(t):
        columns.append(_advance(rate, begin, end, columns[-1], rtol))
    values = basis @ np.stack(columns, axis=1)
    values[:, t == 0] = (x**2 * np.cos(np.pi * x))[:, None]  # the series converges slowly at the kink
    return values


def _kinked_cosines(modes: int) -> np.ndarray:
    """Cosine coefficients on [-1, 1] of x^2 cos(pi x), from the integral of x^2 cos(m pi x): 4 (-1)^m / (m pi)^2."""

    def moment(m: np.ndarray) -> np.ndarray:
        nonzero = np.where(m == 0, 1, m)
        return np.where(m == 0, 2.0 / 3.0, 4.0 * (-1.0) ** m / (nonzero * np.pi) ** 2)

    k = np.arange(modes)
    return (moment(k + 1) + moment(k - 1)) / 2


def kdv(x: np.ndarray, t: np.ndarray, modes: int = 256, rtol: float = 1e-12, mu: float = 0.022) -> np.ndarray:
    """u_t + u u_x + mu^2 u_xxx = 0, u(x, 0) = cos(pi x), u periodic in x with period 2 (Zabusky and Kruskal 1965).

    u = sum c_k exp(i pi k x), |k| < modes, by Galerkin's method without aliasing in u^2. Dispersion, the stiff part, is
    solved exactly: c_k = w_k exp(i mu^2 (pi k)^3 t), and DOP853 integrates

        w_k' = -(i pi k/2) exp(-i mu^2 (pi k)^3 t) (u^2)_k.

    Args:
        x: (k,), t: (m,) ascending from 0, axes of a grid.

    Returns:
        (k, m).
    """
    k = np.arange(modes)
    frequencies = mu**2 * (np.pi * k) ** 3
    points = 3 * modes  # u^2 reaches up to 2 modes: what folds back at 3 modes stays above the modes kept

    def rate(time: float, w: np.ndarray) -> np.ndarray:
        turn = np.exp(1j * frequencies * time)
        u = irfft(w * turn, n=points, norm="forward")
        return -0.5j * np.pi * k * turn.conj() * rfft(u * u, norm="forward")[:modes]

    columns = [np.where(k == 1, 0.5, 0.0).astype(complex)]
    for begin, end in itertools.pairwise(t):
        columns.append(_advance(rate, begin, end, columns[-1], rtol))
    coefficients = np.stack(columns, axis=1) * np.exp(1j * np.outer(frequencies, t))
    basis = np.exp(1j * np.pi * np.outer(x, k))
    basis[:, 1:] *= 2  # for the modes below zero
    return (basis @ coefficients).real


def _advance(rate: Callable, begin: float, end: float, state: np.ndarray, rtol: float) -> np.ndarray:
    """The state at `end`, by an integration that ends there (DOP853's interpolant is less accurate)."""
    with np.errstate(over="ignore"):  # a step that overflows is rejected by its error estimate
        run = solve_ivp(rate, (begin, end), state, method="DOP853", t_eval=[end], rtol=rtol, atol=rtol / 100)
    if run.status != 0:
        raise RuntimeError(f"the integration in time stopped after t = {begin:g}: {run.message}")
    return run.y[:, -1]


def shipped_tables() -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """Name and arrays of each shipped table: x: (257,), t: (101,), u: (257, 101), or x, y, u: (n,)."""
    for name, solution in (("burgers", burgers), ("allen_cahn", allen_cahn), ("kdv", kdv)):
        yield name, {"x": TABLE_X, "t": TABLE_T, "u": solution(TABLE_X, TABLE_T)}
    x, y = (part.ravel() for part in np.meshgrid(TABLE_BOX, TABLE_BOX, indexing="ij"))
    outside = np.hypot(x, y) >= RADIUS
    yield "helmholtz_scattering", {"x": x[outside], "y": y[outside], "u": scattering(x[outside], y[outside])}
