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
        parts = {name: cut(batches[name], count) for name in groups}
        chunks = [[ones[number] for arrays in parts.values() for ones in arrays.values()] for number in range(count)]
        return cls(chunks, {name: tuple(arrays) for name, arrays in parts.items()})


def cut(batch: PointSet, count: int) -> dict[str, tuple[Tensor, ...]]:
    """Each array of a group's points by its name, in `count` parts of one size.

    The points that fill the last parts up have the share zero; the others' shares are theirs times their weights.
    """
    total = len(batch)
    size = math.ceil(total / count)
    arrays = replace(batch, shares=batch.factors(), weights=None).arrays()
    if size * count > total:
        places = torch.arange(size * count, device=batch.coordinates.device)
        arrays = {name: one[places % total] for name, one in arrays.items()}
        arrays["shares"] = arrays["shares"] * (places < total)[:, None]
    return {name: one.split(size) for name, one in arrays.items()}
