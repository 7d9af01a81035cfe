"""Sizes of the residuals at points, by which points are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from torch import Tensor

from pinnkit.operators.memory import out_of_memory
from pinnkit.optimizers.threads import torch_threads
from pinnkit.sampling.point_set import PointSet
from pinnkit.training.diagnostics import scoring_chunk
from pinnkit.training.exceptions import RankOutOfMemory
from pinnkit.training.state import TrainingState
from pinnkit.training.term_values import TermValues


@dataclass
class Scoring:
    """Computes sizes of residuals, each rank at its share of the points.

    chunk: points whose residuals are computed at once, at most; None: a default.
    """

    state: TrainingState
    values: TermValues
    chunk: int | None

    def __call__(self, group: str, batch: PointSet) -> Tensor:
        """The size of a group's residuals at n points: sqrt(sum over terms of w r^2), shape (n,).

        w are the reference weights, times those of the points. Only terms of the present stage count.

        Raises:
            RankOutOfMemory: some rank has too little memory; every rank raises it, or the others would wait for ever.
        """
        ranks = self.state.ranks
        parts: list[Tensor] | None = None
        try:
            parts = self._own(group, batch)
        except (RuntimeError, MemoryError) as error:
            if ranks.count == 1 or not out_of_memory(error):
                raise
        if ranks.any(parts is None, self.state.device):
            raise RankOutOfMemory(f"a rank has too little memory for the residuals of '{group}' at {len(batch)} points")
        assert parts is not None
        return ranks.interleaved(parts, len(batch))

    def _own(self, group: str, batch: PointSet) -> list[Tensor]:
        """This rank's share of them."""
        parts, size = [], self.values.fitting(group, scoring_chunk(self.chunk))
        weights, stage = self.state.weights, self.state.stage
        with torch_threads(1 if self.state.limits.shards else None):
            for index in self.state.ranks.own(len(batch)):
                own = batch.take(index.to(batch.coordinates.device))
                for start in range(0, len(own), size):
                    points = own.take(slice(start, start + size))
                    residuals = self.values.residuals(group, points).items()
                    squares = sum(
                        weights.reference_of(term) * residual.detach().square()
                        for term, residual in residuals
                        if stage.trains(term)
                    )
                    squares = squares if points.weights is None else squares * points.weights
                    parts.append(cast(Tensor, squares).sqrt()[:, 0])
        return parts
