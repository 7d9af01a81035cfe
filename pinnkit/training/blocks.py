"""Blocks of optimizer steps on one draw of points, as a data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch.utils.data import Dataset

from pinnkit.sampling.point_set import PointSet


@dataclass(frozen=True)
class StepBlock:
    """What one call of `training_step` works on: a draw of points, and how many optimizer steps to make on it.

    stage: the number of the stage that these points were made for.
    """

    batches: Mapping[str, PointSet]
    steps: int
    draw: int
    stage: int = 0


class StepBlocks(Dataset):
    """The blocks that are left of a draw: all on the same points, `length` steps each but the last."""

    def __init__(self, batches: Mapping[str, PointSet], draw: int, steps: int, length: int, stage: int = 0) -> None:
        self.batches, self.draw, self.steps, self.length, self.stage = batches, draw, steps, length, stage

    def __len__(self) -> int:
        return -(-self.steps // self.length)

    def __getitem__(self, index: int) -> StepBlock:
        return StepBlock(self.batches, min(self.length, self.steps - index * self.length), self.draw, self.stage)
