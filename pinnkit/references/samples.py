"""The samples that two of the shipped problems are fitted to."""

from __future__ import annotations

import numpy as np

HESSIAN_HALF = np.array([[20.1892, -26.6218], [-26.6218, 38.0375]])
"""P of the potential V = x'Px, a positive definite Lyapunov matrix."""


def heat_samples(count: int = 500, noise: float = 0.01, seed: int = 0) -> dict[str, np.ndarray]:
    """Temperatures u = exp(-0.1 pi^2 t) sin(pi x) + noise at random places and times of [-1, 1] x [0, 1].

    Args:
        count: samples.
        noise: standard deviation of the normal noise.
    """
    rng = np.random.default_rng(seed)
    x, t = rng.uniform(-1, 1, count), rng.uniform(0, 1, count)
    u = np.exp(-0.1 * np.pi**2 * t) * np.sin(np.pi * x) + noise * rng.standard_normal(count)
    return {"x": x, "t": t, "u": u}


def gradient_samples(side: int = 10) -> dict[str, np.ndarray]:
    """Gradients S = 2 P x of V = x'Px on a side x side grid over [-3, 3]^2."""
    axis = np.linspace(-3, 3, side)
    points = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    gradient = 2 * points @ HESSIAN_HALF
    return {"x": points[:, 0], "y": points[:, 1], "S_x": gradient[:, 0], "S_y": gradient[:, 1]}


def csv_text(columns: dict[str, np.ndarray]) -> str:
    """The columns as CSV with a line of names; numbers read back to the bit."""
    rows = zip(*(values.tolist() for values in columns.values()), strict=True)
    return "\n".join([",".join(columns), *(",".join(map(repr, row)) for row in rows)]) + "\n"
