"""Mini-batches of the equations' points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from pinnkit.sampling.point_set import PointSet
from pinnkit.sampling.points import EQUATIONS, batch_index


@dataclass(frozen=True)
class MiniBatches:
    """Draws the mini-batch of each step from the points of the equations; conditions keep all of theirs.

    size: points of the equations in a step; None: all of them.
    """

    size: int | None
    seed: int

    def at(self, step: int, batches: Mapping[str, PointSet]) -> Mapping[str, PointSet]:
        """The points of a step: a function of the seed and the step."""
        if self.size is None or EQUATIONS not in batches:
            return batches
        points = batches[EQUATIONS]
        index = batch_index(len(points), self.size, self.seed, EQUATIONS, step)
        return {**batches, EQUATIONS: points.take(torch.as_tensor(index, device=points.coordinates.device))}
