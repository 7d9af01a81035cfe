"""Solvers of small problems by features, for tests."""

import math

import torch

from pinnkit.features.settings import FeatureSettings
from pinnkit.features.solver import FeatureSolver
from pinnkit.problem.problem import Problem
from pinnkit.runs.factory import assemble
from pinnkit.settings import Settings


def solver(words, ranks=None, seed=0, **settings) -> FeatureSolver:
    """The solver of a problem, with `Zero` networks."""
    module, _ = assemble(Problem(**words), Settings(method="features"))
    return FeatureSolver(module.model, module.groups, FeatureSettings(**settings), seed, ranks)


def solve(words, seconds=math.inf, **settings) -> FeatureSolver:
    """The same when all levels are through, which are kept as `found`."""
    found = solver(words, **settings)
    found.found = list(found.levels(lambda: seconds))
    return found


def error(found: FeatureSolver, exact, points) -> float:
    """The largest error of the first field at points (n, d)."""
    points = torch.as_tensor(points, dtype=torch.float64)
    with torch.no_grad():
        return float((found.network(points)[:, 0] - exact(points)).abs().max())


LOGISTIC = {
    "coordinates": {"t": [0, 4]},
    "fields": ["u"],
    "equations": "u_t = u*(1 - u)",
    "conditions": {"start": {"at": "t = 0", "equations": "u = 0.1"}},
}
"""u = 1 / (1 + 9 exp(-t))."""
PENDULUM = {
    "coordinates": {"t": [0, 6]},
    "fields": ["u"],
    "equations": "u_tt = -sin(u)",
    "conditions": {"start": {"at": "t = 0", "equations": ["u = 1", "u_t = 0"]}},
}


def logistic(points):
    return 1 / (1 + 9 * torch.exp(-points[:, 0]))
