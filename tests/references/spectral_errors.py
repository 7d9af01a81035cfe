"""Error of a reference against closed forms."""

from __future__ import annotations

import numpy as np

from pinnkit.problem.problem import Problem
from pinnkit.references.spectral import Spectral


def errors(reference: Spectral, of: Problem, exact: dict) -> float:
    """Relative L2 error of the worst field, on a grid that holds the ends."""
    grid = of.domain.grid({name: 41 if name == "x" else 33 for name in of.coordinates})
    found = reference(grid)
    assert set(found) == set(exact)
    return max(
        np.linalg.norm(found[name] - solution(**grid)) / np.linalg.norm(solution(**grid))
        for name, solution in exact.items()
    )
