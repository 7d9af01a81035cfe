"""Blocks of optimizer steps on one draw of points, as a data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch.utils.data import Dataset

from pinnkit.sampling.point_set import PointSet


@dataclass(frozen=True)
class StepBlock:
    """What one call of `training_step` works on: a draw of points, and how many optimizer steps to make on it.

    stage, window: the numbers of the stage and of the window of time that these points were made for.
    """

    batches: Mapping[str, PointSet]
    steps: int
    draw: int
    stage: int = 0
    window: int = 0


class StepBlocks(Dataset):
    """The blocks that are left of a draw, all on the same points.

    Each has `length` steps, but the last, and one that would pass a multiple of `every`: it ends there, as weights
    change between blocks alone. They end where those of a run that was not interrupted end.

    Args:
        steps: that are left.
        first: the number of the first of them in the run.
        every: steps between updates of the weights; None: they stay.
        began: the step with which the first block on these points began; None: `first`.
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
        began: int | None = None,
        window: int = 0,
    ) -> None:
        self.batches, self.draw, self.length, self.stage, self.window = batches, draw, length, stage, window
        began = first if began is None else began
        self.done, self.total = first - began, first - began + steps
        self.every = self.total if every is None else every
        self.head = min(self.total, self.every if every is None else every - began % every)
        self.skipped = self._number(self.done)

    def __len__(self) -> int:
        return self._number(self.total - 1) + 1 - self.skipped

    def __getitem__(self, index: int) -> StepBlock:
        index, begun, ends = index + self.skipped, 0, self.head
        if index >= self._blocks(self.head):
            cycle, index = divmod(index - self._blocks(self.head), self._blocks(self.every))
            begun = self.head + cycle * self.every
            ends = min(begun + self.every, self.total)
        begun += index * self.length
        steps = min(begun + self.length, ends) - max(begun, self.done)
        return StepBlock(self.batches, steps, self.draw, self.stage, self.window)

    def _number(self, step: int) -> int:
        """The number of the block with this step, both counted from the first one on these points."""
        if step < self.head:
            return step // self.length
        cycle, step = divmod(step - self.head, self.every)
        return self._blocks(self.head) + cycle * self._blocks(self.every) + step // self.length

    def _blocks(self, steps: int) -> int:
        """In how many blocks that many steps are made."""
        return -(-steps // self.length)
