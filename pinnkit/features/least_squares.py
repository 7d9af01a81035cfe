"""Least squares by an orthogonal factorisation that never holds all rows at once."""

from __future__ import annotations

import math
from typing import Protocol

import torch
from torch import Tensor

RIDGE = 1e-15
"""The ridge, as a share of the root of the number of unknowns, where each column has the norm 1: what singular vectors
below rounding may do to the solution is bounded by it."""
REFINEMENTS = 2
BLOCK = 3
"""Rows that are kept before they are factorised, for each unknown."""


class Shares(Protocol):
    """Processes that share rows: this one's number, how many there are, and what gathers a tensor of each."""

    @property
    def rank(self) -> int: ...

    @property
    def count(self) -> int: ...

    def gathered(self, tensor: Tensor) -> list[Tensor]: ...


def largest(value: float, ranks: Shares | None, like: Tensor) -> float:
    """The largest value of all processes, so that they decide alike."""
    if ranks is None or ranks.count == 1:
        return value
    return max(float(one) for one in ranks.gathered(torch.tensor(value, device=like.device)))


class LeastSquares:
    """min |A c - y|^2 + ridge^2 |D c|^2, with D the norms of the columns, as rows come in.

    The matrix is scaled by the columns' norms D and factorised by Householder's QR in blocks; A'A, whose condition
    number is the square, is never formed. The ridge takes the place of cutting off singular values, which costs about
    five times as much; its bias is removed by iterated refinement (Riley 1955; Björck 1996, ch. 2 and 4).

    Args:
        size: unknowns.
        like: a tensor of the type and on the device of the rows.
    """

    def __init__(self, size: int, like: Tensor) -> None:
        self.size = size
        self._blocks: list[Tensor] = [like.new_zeros(0, size + 1)]
        self.rows = 0

    def add(self, matrix: Tensor, right: Tensor) -> None:
        """Rows (n, size) and their right-hand sides (n,)."""
        self._blocks.append(torch.cat([matrix, right[:, None]], dim=1))
        self.rows += len(matrix)
        if sum(map(len, self._blocks)) > BLOCK * self.size + 1000:
            self._blocks = [_triangle(torch.cat(self._blocks))]

    def joined(self, ranks: Shares | None) -> Tensor:
        """What is kept of all rows of all processes, (rows, size + 1)."""
        own = torch.cat(self._blocks)
        if ranks is None or ranks.count == 1:
            return own
        counts = [int(one) for one in ranks.gathered(torch.tensor(len(own), device=own.device))]
        padded = torch.cat([own, own.new_zeros(max(counts) - len(own), self.size + 1)])
        return torch.cat([part[:count] for part, count in zip(ranks.gathered(padded), counts, strict=True)])

    def solve(self, ranks: Shares | None = None) -> tuple[Tensor, float]:
        """The solution (size,), and |A c - y|.

        A column of zeros has the solution 0. What is kept of it serves `step`.
        """
        kept = self.joined(ranks)
        norms = _norms(kept[:, :-1])
        scaled = kept / torch.cat([norms, norms.new_ones(1)])
        factor = _ridged(scaled, self.size)
        triangle, right = factor[:, :-1], scaled[:, -1]
        solution = torch.linalg.solve_triangular(triangle, factor[:, -1:], upper=True)[:, 0]
        for _ in range(REFINEMENTS):
            gradient = scaled[:, :-1].T @ (right - scaled[:, :-1] @ solution)
            half = torch.linalg.solve_triangular(triangle.T, gradient[:, None], upper=False)
            solution = solution + torch.linalg.solve_triangular(triangle, half, upper=True)[:, 0]
        left = float((right - scaled[:, :-1] @ solution).norm())
        self._factor = triangle, norms
        return solution / norms, left

    def step(self, gradient: Tensor) -> Tensor:
        """(A'A + ridge^2 D^2)^-1 times a vector A'r, by the factor that `solve` found."""
        triangle, norms = self._factor
        half = torch.linalg.solve_triangular(triangle.T, (gradient / norms)[:, None], upper=False)
        return torch.linalg.solve_triangular(triangle, half, upper=True)[:, 0] / norms


def ridged(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """The triangular factor (size, size) of rows with columns scaled to norm 1, above the ridge, and the norms."""
    norms = _norms(matrix)
    return _ridged(matrix / norms, matrix.shape[1]), norms


def _ridged(scaled: Tensor, size: int) -> Tensor:
    """The triangular factor (size, columns) of rows above the ridge on their first columns."""
    ridge = RIDGE * math.sqrt(size)
    eye = torch.eye(size, scaled.shape[1], dtype=scaled.dtype, device=scaled.device)
    return _triangle(torch.cat([scaled, ridge * eye]))[:size]


def _norms(matrix: Tensor) -> Tensor:
    """The norms of columns; 1 of those that are zero."""
    norms = matrix.norm(dim=0)
    return torch.where(norms > 0, norms, torch.ones_like(norms))


def _triangle(rows: Tensor) -> Tensor:
    """The triangular factor of the QR factorisation, at most as many rows as columns."""
    return torch.linalg.qr(rows, mode="r").R
