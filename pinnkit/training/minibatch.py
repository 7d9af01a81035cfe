"""Mini-batches of the equations' points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from pinnkit.sampling.point_set import PointSet
from pinnkit.sampling.points import EQUATIONS, batch_index
from pinnkit.training.stages import Stage


@dataclass(frozen=True)
class MiniBatches:
    """Draws the mini-batch of each step from the points of the equations; conditions keep all of theirs.

    size: points of the equations in a step, where a stage has no sampling of its own; None: all of them.
    """

    size: int | None
    seed: int

    def used_in(self, stage: Stage) -> bool:
        """Whether the steps of a stage have mini-batches."""
        return stage.mini_batches and self._size(stage) is not None

    def at(self, step: int, batches: Mapping[str, PointSet], stage: Stage) -> Mapping[str, PointSet]:
        """The points of a step: a function of the seed and the step."""
        if EQUATIONS not in batches:
            return batches
        points = batches[EQUATIONS]
        index = batch_index(len(points), self._size(stage), self.seed, EQUATIONS, step)
        return {**batches, EQUATIONS: points.take(torch.as_tensor(index, device=points.coordinates.device))}

    def _size(self, stage: Stage) -> int | None:
        return self.size if stage.sampling is None else stage.sampling.batch
