"""Places where the residual is concentrated: half of the points lie there, and steep features pass through them."""

from __future__ import annotations

import numpy as np
import torch

from pinnkit.features.newton import System
from pinnkit.problem.groups import is_equations
from pinnkit.problem.problem import Problem
from pinnkit.sampling.adaptive import CONCENTRATED, concentration
from pinnkit.sampling.point_set import PointSet

POOL = 8192
"""Points among which places are looked for."""
SHIFT = 997
"""Places between the first ones of two independent sets of features."""


class Places:
    """The places of each group of equations; none where the residual is spread."""

    def __init__(self, sets: dict[str, PointSet] | None = None) -> None:
        self.sets = sets or {}

    def __bool__(self) -> bool:
        return bool(self.sets)

    @staticmethod
    def found(system: System, seed: int) -> Places:
        """Points of a system drawn in proportion to the residual, where that is concentrated."""
        equations = {name: batch for name, batch in system.batches.items() if is_equations(name)}
        sets = {}
        for name, sizes in System(system.model, system.groups, equations, system.scales).sizes().items():
            if np.isfinite(sizes).all() and concentration(sizes) > CONCENTRATED:
                rng = np.random.Generator(np.random.Philox(key=seed))
                chance = sizes / sizes.sum() + 1e-12
                chosen = rng.choice(len(sizes), len(sizes) // 2, replace=False, p=chance / chance.sum())
                sets[name] = equations[name].take(torch.as_tensor(chosen)).mapped(lambda one: one.cpu().numpy())
        return Places(sets)

    def drawn(self, fresh: bool) -> dict[str, PointSet]:
        """The places as points; those of a check in the other order, so that it has other ones than a solve."""
        return {name: one.take(slice(None, None, -1)) if fresh else one for name, one in self.sets.items()}

    def planes(self, problem: Problem, part: str, stream: int) -> np.ndarray:
        """The places (n, d) within a part of the domain; those of another stream come in another order."""
        if not self.sets:
            return np.zeros((0, len(problem.coordinates)))
        points = np.concatenate([one.coordinates for one in self.sets.values()])
        return np.roll(points[problem.solid(part).contains(points)], SHIFT * stream, axis=0)
