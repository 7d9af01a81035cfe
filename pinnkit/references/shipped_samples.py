"""Samples for the shipped problems with data."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pinnkit.references.shipped_tables import burgers_at

HESSIAN_HALF = np.array([[20.1892, -26.6218], [-26.6218, 38.0375]])
"""P of the potential V = x'Px, a positive definite Lyapunov matrix."""


def heat_samples(count: int = 500, noise: float = 0.0, seed: int = 0) -> dict[str, np.ndarray]:
    """Temperatures u = exp(-0.1 pi^2 t) sin(pi x) + noise at random places and times of [-1, 1] x [0, 1].

    Args:
        count: samples.
        noise: standard deviation of the normal noise; the places and times do not depend on it.
    """
    rng = np.random.default_rng(seed)
    x, t = rng.uniform(-1, 1, count), rng.uniform(0, 1, count)
    u = np.exp(-0.1 * np.pi**2 * t) * np.sin(np.pi * x) + noise * rng.standard_normal(count)
    return {"x": x, "t": t, "u": u}


def burgers_samples(count: int = 2000, seed: int = 0) -> dict[str, np.ndarray]:
    """u_t + u u_x = 0.01/pi u_xx, u(x, 0) = -sin(pi x), at random places and times of [-1, 1] x [0, 1], without noise.

    As many as in Raissi, Perdikaris and Karniadakis 2019, "Physics-informed neural networks"; by `burgers_at`.
    """
    rng = np.random.default_rng(seed)
    x, t = rng.uniform(-1, 1, count), rng.uniform(0, 1, count)
    return {"x": x, "t": t, "u": burgers_at(x, t)}


def gradient_samples(side: int = 10) -> dict[str, np.ndarray]:
    """Gradients S = 2 P x of V = x'Px on a side x side grid over [-3, 3]^2."""
    axis = np.linspace(-3, 3, side)
    points = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    gradient = 2 * points @ HESSIAN_HALF
    return {"x": points[:, 0], "y": points[:, 1], "S_x": gradient[:, 0], "S_y": gradient[:, 1]}


def darcy_samples(count: int = 1000, seed: int = 0) -> dict[str, np.ndarray]:
    """Pressures u = sin(pi x) sin(pi y) at random places of [0, 1]^2.

    As in the inverse Poisson problem of PINNacle (Hao et al. 2023, arXiv 2306.08827), without its noise.
    """
    x, y = np.random.default_rng(seed).uniform(0, 1, (2, count))
    return {"x": x, "y": y, "u": np.sin(np.pi * x) * np.sin(np.pi * y)}


def shipped_samples() -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """Name and columns of each shipped table of samples."""
    yield "heat_samples", heat_samples()
    yield "heat_samples_noisy", heat_samples(noise=0.01)
    yield "burgers_samples", burgers_samples()
    yield "gradient_samples", gradient_samples()
    yield "darcy_samples", darcy_samples()


def csv_text(columns: dict[str, np.ndarray]) -> str:
    """The columns as CSV with a line of names; numbers read back to the bit."""
    rows = zip(*(values.tolist() for values in columns.values()), strict=True)
    return "\n".join([",".join(columns), *(",".join(map(repr, row)) for row in rows)]) + "\n"
