"""Several processes that train one network: each takes a share of the points, and all take the same decisions.

Rank r of R has the points i with i mod R = r. Losses, gradients and what else is a sum over points are summed over the
ranks; every rank then holds the same numbers, to the bit, and makes the same step of the same optimizer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from pinnkit.losses.residuals import Batch
from pinnkit.training.outcome import RankLost


@dataclass(frozen=True)
class Ranks:
    """This process among those that train: its number `rank`, and how many there are."""

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that writes, prints and draws."""
        return self.rank == 0

    # ------------------------------------------------------------ shares

    def own(self, total: int) -> Tensor:
        """Indices of this rank's share of `total` points; as many on every rank, by taking some of them twice."""
        padded = -(-total // self.count) * self.count
        return torch.arange(self.rank, padded, self.count) % total

    def share(self, batches: Mapping[str, Batch]) -> Mapping[str, Batch]:
        """This rank's points, each with its share in the mean over all of them; a point taken twice has none."""
        if self.count == 1:
            return batches
        return {name: self._share(batch) for name, batch in batches.items()}

    def _share(self, batch: Batch) -> Batch:
        like, total = batch.coordinates, len(batch)
        index = self.own(total).to(like.device)
        shares = like.new_full((len(index), 1), 1 / total)
        shares[torch.arange(len(index), device=like.device) * self.count + self.rank >= total] = 0
        return Batch(like[index], {name: one[index] for name, one in batch.columns.items()}, shares)

    # ------------------------------------------------------------ what is said

    def total(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """The sums of tensors over the ranks, in one message."""
        if self.count == 1:
            return tensors
        flat = torch.cat([one.flatten() for one in tensors])
        self._say(dist.all_reduce, flat)
        parts = flat.split([one.numel() for one in tensors])
        return tuple(part.view_as(one) for part, one in zip(parts, tensors, strict=True))

    def gathered(self, tensor: Tensor) -> list[Tensor]:
        """This tensor of every rank, all of one shape, in their order."""
        if self.count == 1:
            return [tensor]
        parts = [torch.empty_like(tensor) for _ in range(self.count)]
        self._say(dist.all_gather, parts, tensor.contiguous())
        return parts

    def put_together(self, own: Tensor, total: int) -> Tensor:
        """Values (total, ...) at all points from each rank's values at its `own(total)`."""
        return torch.stack(self.gathered(own), 1).flatten(0, 1)[:total]

    def any(self, flag: bool, device: torch.device) -> bool:
        """Whether it is so on some rank."""
        if self.count == 1:
            return flag
        (said,) = self.total(torch.tensor([float(flag)], device=device))
        return bool(said)

    def first_word(self, word: str | None, device: torch.device) -> str | None:
        """The word of the first rank that has one; None where none has."""
        if self.count == 1 or not self.any(word is not None, device):
            return word
        words: list[Any] = [None] * self.count
        self._say(dist.all_gather_object, words, word)
        return next(one for one in words if one is not None)

    def _say(self, operation: Callable[..., Any], *arguments: Any) -> None:
        """Communicate.

        Raises:
            RankLost: another process has ended, or is silent for longer than the time allowed.
        """
        try:
            operation(*arguments)
        except RuntimeError as error:
            raise RankLost(self.rank, self.count, str(error).splitlines()[0]) from error


ALONE = Ranks()


def cannot_meet(error: RuntimeError) -> bool:
    """Whether it says that the processes of a run have not found each other."""
    kinds = (dist.DistNetworkError, dist.DistStoreError) if dist.is_available() else ()
    return isinstance(error, kinds) and not dist.is_initialized()
