"""Sums over processes and over the shards of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor


class Sums(Protocol):
    """What puts together the results of several processes and of their shards."""

    @property
    def count(self) -> int:
        """The number of processes."""
        ...

    def total(self, shards: Sequence[Sequence[Tensor]]) -> tuple[Tensor, ...]:
        """The sums over the shards of all processes of the tensors that this one has for each of its own."""
        ...

    def rows(self, own: Tensor) -> Tensor:
        """The rows of all shards in their order, from those of this process's own."""
        ...


class OneProcess:
    """A process that has all points, in one shard."""

    count = 1

    def total(self, shards: Sequence[Sequence[Tensor]]) -> tuple[Tensor, ...]:
        (only,) = shards
        return tuple(only)

    def rows(self, own: Tensor) -> Tensor:
        return own
