"""Places where the residual is large, through which steep features pass."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from pinnkit.features.system import System
from pinnkit.problem.problem import Problem
from pinnkit.sampling.adaptive import CONCENTRATED, concentration
from pinnkit.sampling.point_set import PointSet


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
