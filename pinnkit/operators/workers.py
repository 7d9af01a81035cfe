"""Threads that evaluate chunks of points in parallel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, cast

import torch
from torch import Tensor

Chunk = TypeVar("Chunk")


class Workers:
    """Threads for chunks: worker w takes the chunks w, w + count, ...; sums have a fixed order.

    Each worker uses one thread in torch's own operations. It gains only where these release Python's lock.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._pool = ThreadPoolExecutor(count - 1, "pinnkit", torch.set_num_threads, (1,)) if count > 1 else None

    def total(self, function: Callable[[Chunk], Sequence[Tensor]], chunks: Sequence[Chunk]) -> list[Tensor]:
        """The sum of function(chunk) over the chunks, result by result."""
        shares = [chunks[worker :: self.count] for worker in range(min(self.count, len(chunks)))]
        others = [self._pool.submit(summed, function, share) for share in shares[1:]] if self._pool else []
        total = summed(function, shares[0])
        for other in others:
            for mine, theirs in zip(total, other.result(), strict=True):
                mine.add_(theirs)
        return total

    def all(self, function: Callable[[Chunk], Any], chunks: Sequence[Chunk]) -> list[Any]:
        """function(chunk) for each chunk, in their order; results must not share memory between calls."""
        count = min(self.count, len(chunks))
        pool = cast(ThreadPoolExecutor, self._pool)  # there is none for one worker
        others = [pool.submit(_each, function, chunks[worker::count]) for worker in range(1, count)]
        found = [_each(function, chunks[::count]), *(other.result() for other in others)]
        return [found[place % count][place // count] for place in range(len(chunks))]


def _each(function: Callable[[Chunk], Any], chunks: Sequence[Chunk]) -> list[Any]:
    return [function(chunk) for chunk in chunks]


def summed(function: Callable[[Chunk], Sequence[Tensor]], chunks: Sequence[Chunk]) -> list[Tensor]:
    """The sum of function(chunk) over the chunks, result by result, in their order."""
    total = [one.clone() for one in function(chunks[0])]  # a CUDA graph writes its next results to the same place
    for chunk in chunks[1:]:
        for mine, more in zip(total, function(chunk), strict=True):
            mine.add_(more)
    return total
