"""Several processes that train one network, as `Ranks`: shares of the points, and the communication of sums.

Rank r of R has the points i with i mod R = r. Losses, gradients and what else is a sum over points are summed over the
ranks; every rank then holds the same numbers, to the bit, and makes the same step of the same optimizer.

Sums over other parts round otherwise: another number of ranks gives other last digits, which training amplifies. With
S shards, a power of two, shard s has the points i with i mod S = s, and rank r the shards s with s mod R = r. Each
shard is summed by itself, and the shards as a tree: ((0 + 4) + (2 + 6)) + ((1 + 5) + (3 + 7)), of which 2, 4 or 8
ranks have whole branches. So every number of ranks that divides S gives the same numbers to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from pinnkit.sampling.point_set import PointSet
from pinnkit.training.exceptions import RankLost
from pinnkit.training.settings import DIVIDES


@dataclass(frozen=True)
class Ranks:
    """This process among those that train: its number `rank`, how many there are, and in how many shards they sum.

    shards: a power of two that `count` divides; None: one for each rank, summed in any order.

    Raises ValueError at construction where `count` does not divide `shards`.
    """

    rank: int = 0
    count: int = 1
    shards: int | None = None

    def __post_init__(self) -> None:
        if self.shards is not None and self.shards % self.count:
            raise ValueError(f"{self.shards} shards cannot be shared by {self.count} processes: {DIVIDES}")

    @property
    def first(self) -> bool:
        """Whether this is the process that writes, prints and draws."""
        return self.rank == 0

    # ------------------------------------------------------------ shares

    @property
    def _all(self) -> int:
        return self.shards or self.count

    @property
    def _own(self) -> range:
        """The numbers of this rank's shards."""
        return range(self.rank, self._all, self.count)

    def own(self, total: int) -> list[Tensor]:
        """Indices of `total` points in each of this rank's shards: as many in all, by taking some points twice."""
        return [places % total for places in self._places(total)]

    def _places(self, total: int) -> list[Tensor]:
        padded = -(-total // self._all) * self._all
        return [torch.arange(shard, padded, self._all) for shard in self._own]

    def share(self, batches: Mapping[str, PointSet]) -> list[Mapping[str, PointSet]]:
        """This rank's shards, each point with its share in the mean over all of them; a point taken twice has none."""
        if self._all == 1:
            return [batches]
        parts = {
            name: [_shard(batch, places) for places in self._places(len(batch))] for name, batch in batches.items()
        }
        return [dict(zip(parts, shard, strict=True)) for shard in zip(*parts.values(), strict=True)]

    # ------------------------------------------------------------ communication

    def total(self, shards: Sequence[Sequence[Tensor]]) -> tuple[Tensor, ...]:
        """The sums over the shards of all ranks of the tensors that each rank has for each of its own; one message."""
        first, *others = shards
        if self.count == 1 and not others:
            return tuple(first)
        flat = _tree([torch.cat([one.flatten() for one in tensors]) for tensors in shards])
        if self.shards is not None:
            flat = _tree(self.gathered(flat))
        elif self.count > 1:
            self._communicate(dist.all_reduce, flat)
        parts = flat.split([one.numel() for one in first])
        return tuple(part.view_as(one) for part, one in zip(parts, first, strict=True))

    def gathered(self, tensor: Tensor) -> list[Tensor]:
        """This tensor of every rank, all of one shape, in their order."""
        if self.count == 1:
            return [tensor]
        sent = tensor.contiguous()
        if dist.get_backend() == "nccl" and not sent.is_cuda:  # after training all is on the CPU
            sent = sent.cuda()
        parts = [torch.empty_like(sent) for _ in range(self.count)]
        self._communicate(dist.all_gather, parts, sent)
        return [part.to(tensor.device) for part in parts]

    def rows(self, own: Tensor) -> Tensor:
        """The rows of all shards in their order, from those of each rank's own: (n, ...) -> (ranks * n, ...)."""
        if self.count == 1:
            return own
        each = [one.unflatten(0, (len(self._own), -1)) for one in self.gathered(own)]
        return torch.stack(each, 1).flatten(0, 2)

    def interleaved(self, own: Sequence[Tensor], total: int) -> Tensor:
        """Values (total,) at all points from each rank's values at its `own(total)`."""
        return self.rows(torch.cat(list(own))).view(self._all, -1).T.flatten()[:total]

    def any(self, flag: bool, device: torch.device) -> bool:
        """Whether it is so on some rank."""
        if self.count == 1:
            return flag
        count = torch.tensor(float(flag), device=device)
        self._communicate(dist.all_reduce, count)
        return bool(count)

    def first_message(self, message: str | None, device: torch.device) -> str | None:
        """The first rank's message, of those that have one; None where none has."""
        if self.count == 1 or not self.any(message is not None, device):
            return message
        messages: list[Any] = [None] * self.count
        self._communicate(dist.all_gather_object, messages, message)
        return next(one for one in messages if one is not None)

    def _communicate(self, operation: Callable[..., Any], *arguments: Any) -> None:
        """Communicate.

        Raises:
            RankLost: another process has ended, or is silent for longer than the time allowed.
        """
        try:
            operation(*arguments)
        except RuntimeError as error:
            raise RankLost(self.rank, self.count, str(error).splitlines()[0]) from error


def _shard(batch: PointSet, places: Tensor) -> PointSet:
    """The points at places (n,), which start again from the first where they pass the last; these count nothing."""
    places = places.to(batch.coordinates.device)
    return batch.part(places % len(batch), places < len(batch))


def _tree(parts: Sequence[Tensor]) -> Tensor:
    """Their sum, as that of every other one and that of those between."""
    return parts[0] if len(parts) == 1 else _tree(parts[::2]) + _tree(parts[1::2])


ALONE = Ranks()
LOST_MESSAGES = ("gloo", "NCCL", "Connection closed by peer", "Connection reset by peer")
"""Parts of torch's messages for a lost process."""


def cannot_rendezvous(error: Exception) -> bool:
    """Whether it says that the processes of a run have not found each other."""
    kinds = (dist.DistNetworkError, dist.DistStoreError) if dist.is_available() else ()
    return isinstance(error, kinds) and not dist.is_initialized()


def is_rank_lost(error: Exception) -> bool:
    """Whether it says that another process, which had been met, has ended."""
    return dist.is_available() and dist.is_initialized() and any(message in str(error) for message in LOST_MESSAGES)
