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
    """The blocks that are left of a draw, all on the same points.

    Each has `length` steps, but the last, and one that would pass a multiple of `every`: it ends there, as weights
    change between blocks alone.

    Args:
        steps: that are left.
        first: the number of the first of them in the run.
        every: steps between updates of the weights; None: they stay.
    """

    def __init__(
        self,
        batches: Mapping[str, PointSet],
        draw: int,
        steps: int,
        length: int,
        stage: int = 0,
        first: int = 0,
        every: int | None = None,
    ) -> None:
        self.batches, self.draw, self.steps, self.length, self.stage = batches, draw, steps, length, stage
        self.every = steps if every is None else every
        self.head = min(steps, self.every if every is None else every - first % every)

    def __len__(self) -> int:
        cycles, rest = divmod(self.steps - self.head, self.every)
        return self._blocks(self.head) + cycles * self._blocks(self.every) + self._blocks(rest)

    def __getitem__(self, index: int) -> StepBlock:
        begun, ends = 0, self.head
        if index >= self._blocks(self.head):
            cycle, index = divmod(index - self._blocks(self.head), self._blocks(self.every))
            begun = self.head + cycle * self.every
            ends = min(begun + self.every, self.steps)
        steps = min(self.length, ends - begun - index * self.length)
        return StepBlock(self.batches, steps, self.draw, self.stage)

    def _blocks(self, steps: int) -> int:
        """In how many blocks that many steps are made."""
        return -(-steps // self.length)
