"""Places where the residual is large, through which steep features pass, and those where fields are steep."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from pinnkit.features.system import System
from pinnkit.networks.fields import FieldNetworks
from pinnkit.operators.derivatives import derivatives
from pinnkit.problem.groups import equation_groups, region_of
from pinnkit.problem.problem import Problem
from pinnkit.sampling.adaptive import CONCENTRATED, concentration, resample_locally, select
from pinnkit.sampling.point_set import PointSet
from pinnkit.sampling.points import complete, equation_points
from pinnkit.sampling.redraw_region import Region
from pinnkit.sampling.sequences.sobol import Sobol

STREAM = 2**29 + 11
"""The number of the draw from which these points come."""
FLAT = 0.25
"""The share of the mean slope that is added to the slope."""


def concentrated(system: System, seed: int) -> dict[str, PointSet]:
    """Half of the points of each group whose residual is concentrated, drawn in proportion to it."""
    found = {}
    for name, sizes in system.sizes().items():
        if concentration(sizes) > CONCENTRATED:
            rng = np.random.Generator(np.random.Philox(key=seed))
            chance = sizes / sizes.sum() + 1e-12
            chosen = rng.choice(len(sizes), len(sizes) // 2, replace=False, p=chance / chance.sum())
            taken = system.batches[name].take(torch.as_tensor(chosen))
            found[name] = taken.mapped(lambda one: one.cpu().numpy())
    return found


def planes(problem: Problem, places: Mapping[str, PointSet], part: str, stream: int) -> np.ndarray:
    """The places within a part of the domain; those of another stream come in another order."""
    if not places:
        return np.zeros((0, len(problem.coordinates)))
    found = np.concatenate([one.coordinates for one in places.values()])
    return np.roll(found[problem.solid(part).contains(found)], 997 * stream, axis=0)


def steep_places(network: FieldNetworks, problem: Problem, count: int, seed: int, like: Tensor) -> dict[str, PointSet]:
    """As many points of each group of equations, whose density grows as the slope of the trained fields does.

    The slope is |grad u_k| over the standard deviation of u_k, with coordinates scaled to [-1, 1]; FLAT times its mean
    is added.
    """
    half = torch.as_tensor((problem.domain.upper - problem.domain.lower) / 2).to(like)
    wanted = [(field, axis) for field in range(len(problem.fields)) for axis in range(len(problem.coordinates))]
    found = {}
    for name in equation_groups(problem):
        points = equation_points(problem, Sobol(), seed, STREAM, 2 * count, name).coordinates
        with torch.no_grad():
            spread = network(torch.as_tensor(points).to(like), expanded=False).std(dim=0)

        def slope(points: np.ndarray, spread: Tensor = spread) -> np.ndarray:
            at = torch.as_tensor(points).to(like)
            slopes = derivatives(
                lambda one: network(one, expanded=False), at, [(field, (axis,)) for field, axis in wanted]
            )
            total = torch.zeros_like(at[:, 0])
            for field, axis in wanted:
                own = slopes[field, (axis,)].detach()[:, 0]
                total += (half[axis] * own / spread[field].clamp(min=1e-300)).square()
            return np.asarray(total.sqrt().cpu().numpy(), dtype=float)

        first = slope(points)
        flat = FLAT * float(first.mean()) or 1.0
        region = Region.of_group(problem, region_of(name))

        def score(points: np.ndarray, _: np.ndarray, flat: float = flat) -> np.ndarray:
            return slope(points) + flat

        moved = resample_locally(points, first + flat, 2 * count, 1.0, region, score, seed, name, STREAM)
        kept = select(moved.points, moved.weight, count, 1.0, 0.0, seed, name, STREAM)
        rng = np.random.Generator(np.random.Philox(key=seed))
        found[name] = complete(problem, PointSet(moved.points[rng.permutation(kept)]))
    return found
