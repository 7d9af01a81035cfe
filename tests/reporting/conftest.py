"""The solution of the heat equation that tests of figures draw."""

from __future__ import annotations

import numpy as np
import pytest

from tests.reporting.figure_cases import mesh


@pytest.fixture
def heat():
    """Grid, field, and the error of the field."""
    grid = mesh(x=np.linspace(-1, 1, 9), t=np.linspace(0, 1, 6))
    x, t = grid.coordinates.values()
    u = np.exp(-0.1 * np.pi**2 * t) * np.sin(np.pi * x)
    error = 1e-7 * np.cos(3 * x) * (1 + t)
    return grid, u, error
