"""Even points of the unit cube and even directions, always the same."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pinnkit.domains.shape import Shape


def even_points(count: int, dimension: int) -> np.ndarray:
    """Points (count, dimension) of the unit cube, evenly spread: multiples of powers of a generalised golden ratio.

    The ratio g solves g^(d + 1) = g + 1 (M. Roberts, "The unreasonable effectiveness of quasirandom sequences", 2018).
    """
    ratio = 2.0
    for _ in range(60):
        ratio = (1 + ratio) ** (1 / (dimension + 1))
    steps = ratio ** -np.arange(1.0, dimension + 1)
    return (0.5 + np.arange(1, count + 1)[:, None] * steps) % 1.0


def unit_of(shape: Shape) -> Callable[[int], np.ndarray]:
    """The even points that `Shape.draw` takes."""
    return lambda count: even_points(count, shape.dimension)


def directions(dimension: int) -> np.ndarray:
    """Unit vectors (k, dimension) in all directions."""
    if dimension == 1:
        return np.array([[1.0], [-1.0]])
    if dimension == 2:
        angle = 2 * np.pi * (np.arange(24) + 0.37) / 24
        return np.stack([np.cos(angle), np.sin(angle)], axis=1)
    found = np.random.default_rng(0).normal(size=(64, dimension))
    return found / np.linalg.norm(found, axis=1, keepdims=True)
