"""Parts of the rows of a least-squares problem, shared by processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

PARTS = 4
"""Parts of a large problem."""
LARGE = 4_000_000
"""Numbers in the matrix of a large problem, about 1100 unknowns; smaller ones are quicker as one part."""


class Shares(Protocol):
    """Processes that share rows: this one's number, how many there are, and what gathers a tensor of each."""

    @property
    def rank(self) -> int: ...

    @property
    def count(self) -> int: ...

    def gathered(self, tensor: Tensor) -> list[Tensor]: ...


@dataclass(frozen=True)
class Parts:
    """The parts of some rows, each of them some process's own; part p has the rows i with i mod `count` = p.

    A part is made by one process alone, and what is made of all of them by the first, in their order: so it is the
    same to the bit on any number of processes (of one kind, with as many threads each).

    Attributes:
        count: of parts.
        ranks: the processes; None: one.
    """

    count: int = 1
    ranks: Shares | None = None

    @staticmethod
    def of(numbers: int, ranks: Shares | None) -> Parts:
        """The parts of a matrix with so many numbers."""
        return Parts(PARTS if numbers >= LARGE else 1, ranks)

    @property
    def own(self) -> range:
        """The numbers of this process's parts."""
        return range(self.count) if self.ranks is None else range(self.ranks.rank, self.count, self.ranks.count)

    @property
    def first(self) -> bool:
        """Whether this is the first process."""
        return self.ranks is None or self.ranks.rank == 0

    def of_all(self, own: Sequence[Tensor], like: Tensor) -> list[Tensor]:
        """The rows (n, m) of every part, from those of this process's own; `like` is one row (m,)."""
        if self.ranks is None or self.ranks.count == 1:
            return list(own)
        ranks, each = self.ranks, -(-self.count // self.ranks.count)
        lengths = torch.zeros(each, dtype=torch.long, device=like.device)
        for place, one in enumerate(own):
            lengths[place] = len(one)
        all_lengths = ranks.gathered(lengths)
        padded = like.new_zeros(each, int(max(map(max, all_lengths))), len(like))
        for place, one in enumerate(own):
            padded[place, : len(one)] = one
        parts = ranks.gathered(padded)
        places = [(part % ranks.count, part // ranks.count) for part in range(self.count)]
        return [parts[rank][place, : int(all_lengths[rank][place])] for rank, place in places]


def of_first(value: Tensor, ranks: Shares | None) -> Tensor:
    """The first process's tensor, of those of one shape that all have."""
    return value if ranks is None or ranks.count == 1 else ranks.gathered(value)[0]


def of_first_number(value: float, ranks: Shares | None, like: Tensor) -> float:
    """The first process's number, so that all decide alike."""
    if ranks is None or ranks.count == 1:
        return value
    return float(of_first(torch.tensor(value, dtype=like.dtype, device=like.device), ranks))
