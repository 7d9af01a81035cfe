"""Mini-batches of the equations' points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import torch

from pinnkit.problem.groups import is_equations
from pinnkit.sampling.point_set import PointSet
from pinnkit.sampling.points import batch_index
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
        taken = {name: points for name, points in batches.items() if is_equations(name)}
        everything = sum(map(len, taken.values()))
        for name, points in taken.items():  # regions share the batch as they share the points
            size = max(1, round(cast(int, self._size(stage)) * len(points) / everything))
            index = batch_index(len(points), size, self.seed, name, step)
            taken[name] = points.take(torch.as_tensor(index, device=points.coordinates.device))
        return {**batches, **taken}

    def _size(self, stage: Stage) -> int | None:
        return self.size if stage.sampling is None else stage.sampling.batch
