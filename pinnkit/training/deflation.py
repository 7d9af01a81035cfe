"""Deflation: a factor on the residuals that grows without bound near solutions that are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import torch
from torch import Tensor

from pinnkit.problem.groups import is_equations
from pinnkit.sampling.point_set import PointSet
from pinnkit.training.state import TrainingState

Known = Callable[[Tensor], Tensor]
"""A known solution: points (n, d) -> fields (n, fields)."""
POWER, SHIFT = 2, 1.0
"""p and sigma."""


class Deflation:
    """Multiplies the residuals by M = product over k of (1 / |u - u_k|^p + sigma), p = 2, sigma = 1.

    |u - u_k|^2 is the mean over the equations' points, those of all ranks, of the sum over the fields of the squared
    difference. M is finite and positive but at the known solutions u_k, so that all others stay what they are (Farrell,
    Birkisson and Funke 2015, arXiv 1410.5620). The objective of training is M^2 J.

    """

    def __init__(self, state: TrainingState, known: Sequence[Known]) -> None:
        self.state, self.known = state, known
        self._shards: tuple[Mapping[str, PointSet], list[tuple[Tensor, Tensor, Tensor]]] | None = None

    def __call__(self, batches: Mapping[str, PointSet], objective: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
        """M^2 J and its gradient (parameters,), from J and its own."""
        squares, slopes = self._squared_distances(batches)
        factors = squares ** (-POWER / 2) + SHIFT
        whole = factors.prod() ** 2
        by_square = -POWER * whole / factors * squares ** (-POWER / 2 - 1)  # of M^2 by |u - u_k|^2
        return whole * objective, whole * gradient + objective * (by_square @ slopes)

    def _squared_distances(self, batches: Mapping[str, PointSet]) -> tuple[Tensor, Tensor]:
        """|u - u_k|^2 (known,) and the gradient of each (known, parameters)."""
        parameters = list(self.state.model.trainable().values())
        own = []
        for points, shares, known in self._prepared(batches):
            with torch.enable_grad():
                fields = self.state.model.network(points)
                squares = (shares * (fields - known).square().sum(dim=2)).sum(dim=1)
                rows = [torch.cat([one.flatten() for one in _gradient(square, parameters)]) for square in squares]
            own.append([squares.detach(), torch.stack(rows)])
        return cast(tuple[Tensor, Tensor], self.state.ranks.total(own))

    def _prepared(self, batches: Mapping[str, PointSet]) -> list[tuple[Tensor, Tensor, Tensor]]:
        """Points (n, d), their shares (n,) and the known solutions there (known, n, fields), of each of this rank's
        shards; computed once for each draw."""
        if self._shards is None or self._shards[0] is not batches:
            groups = [name for name in batches if is_equations(name)]
            found = []
            for shard in self.state.ranks.share({name: batches[name] for name in groups}):
                points = torch.cat([shard[name].coordinates for name in groups])
                shares = torch.cat([shard[name].all_shares()[:, 0] for name in groups]) / len(groups)
                with torch.no_grad():
                    found.append((points, shares, torch.stack([one(points) for one in self.known])))
            self._shards = (batches, found)
        return self._shards[1]


def _gradient(value: Tensor, parameters: Sequence[Tensor]) -> tuple[Tensor, ...]:
    return torch.autograd.grad(value, parameters, retain_graph=True, allow_unused=True, materialize_grads=True)
