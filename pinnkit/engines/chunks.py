"""Chunks of equal shape into which the points of a draw are cut."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import torch
from torch import Tensor

from pinnkit.sampling.point_set import PointSet

Inputs = list[Tensor]


@dataclass
class Prepared:
    """The points of a draw, cut into chunks of equal shape: the tensors of each, and what they are.

    names: group -> the names of its tensors (`PointSet.arrays`), in the order in which a chunk has them.
    """

    chunks: list[Inputs]
    names: dict[str, tuple[str, ...]]

    @property
    def structure(self) -> tuple:
        """What a recorded function of a chunk depends on: the names and shapes of its tensors."""
        return tuple(self.names.items()), tuple(tuple(one.shape) for one in self.chunks[0])

    def unpacked(self, chunk: Sequence[Tensor]) -> dict[str, PointSet]:
        """The points of each group in a chunk; their shares include their weights."""
        rest = iter(chunk)
        return {
            group: PointSet.of_arrays(dict(zip(names, islice(rest, len(names)), strict=True)))
            for group, names in self.names.items()
        }

    @classmethod
    def of(cls, batches: Mapping[str, PointSet], groups: Sequence[str], count: int) -> Prepared:
        """The points of these groups, each cut into `count` chunks."""
        packed = {name: [one.arrays() for one in cut(batches[name], count)] for name in groups}
        chunks = [[tensor for ones in packed.values() for tensor in ones[number].values()] for number in range(count)]
        return cls(chunks, {name: tuple(ones[0]) for name, ones in packed.items()})


def cut(batch: PointSet, count: int) -> list[PointSet]:
    """A group's points in `count` parts of one size; the points that fill the last ones up have the share zero.

    The parts' shares are the points' shares times their weights.
    """
    total = len(batch)
    size = math.ceil(total / count)
    whole = replace(batch, shares=batch.factors(), weights=None)
    if size * count > total:
        places = torch.arange(size * count, device=batch.coordinates.device)
        whole = whole.part(places % total, places < total)
    return [whole.part(slice(number * size, (number + 1) * size)) for number in range(count)]
