"""Least squares by an orthogonal factorisation that never holds all rows at once."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pinnkit.features.parts import Parts, of_first

RIDGE = 1e-15
"""The ridge, as a share of the root of the number of unknowns, where each column has the norm 1: what singular vectors
below rounding may do to the solution is bounded by it."""
REFINEMENTS = 2
BLOCK = 3.0
"""Rows that are kept before they are factorised, for each unknown; of one of several parts half as many."""


class LeastSquares:
    """min |A c - y|^2 + ridge^2 |D c|^2, with D the norms of the columns, as rows come in.

    The matrix is scaled by the columns' norms D and factorised by Householder's QR in blocks; A'A, whose condition
    number is the square, is never formed. The ridge takes the place of cutting off singular values, which costs about
    five times as much; its bias is removed by iterated refinement (Riley 1955; Björck 1996, ch. 2 and 4).

    Args:
        size: unknowns.
        like: a tensor of the type and on the device of the rows.
        parts: of the rows; None: one.
    """

    def __init__(self, size: int, like: Tensor, parts: Parts | None = None) -> None:
        self.size, self.parts = size, parts or Parts()
        self._like = like.new_zeros(size + 1)
        self._blocks: dict[int, list[Tensor]] = {part: [self._like[None][:0]] for part in self.parts.own}
        self._most = BLOCK / min(self.parts.count, 2) * size + 1000
        self._factor: tuple[Tensor, Tensor] | None = None
        self.rows = 0

    def add(self, matrix: Tensor, right: Tensor, part: int = 0) -> None:
        """Rows (n, size) and their right-hand sides (n,), in one of this process's own parts."""
        blocks = self._blocks[part]
        blocks.append(torch.cat([matrix, right[:, None]], dim=1))
        self.rows += len(matrix)
        if sum(map(len, blocks)) > self._most:
            self._blocks[part] = [_triangle(torch.cat(blocks))]

    def kept(self) -> Tensor:
        """What is kept of all rows of all processes, (rows, size + 1), in the order of the parts."""
        own = [torch.cat(one) for one in self._blocks.values()]
        return torch.cat(self.parts.of_all(own, self._like))

    def solve(self) -> tuple[Tensor, float]:
        """The solution (size,), and |A c - y|, which the first process finds.

        A column of zeros has the solution 0. What is kept of it serves `step`.
        """
        kept = self.kept()
        found = of_first(self._solved(kept) if self.parts.first else self._like, self.parts.ranks)
        return found[:-1], float(found[-1])

    def _solved(self, kept: Tensor) -> Tensor:
        """The solution, followed by |A c - y|, (size + 1,)."""
        norms = _norms(kept[:, :-1])
        scaled = kept / torch.cat([norms, norms.new_ones(1)])
        factor = _ridged(scaled, self.size)
        triangle, right = factor[:, :-1], scaled[:, -1]
        solution = torch.linalg.solve_triangular(triangle, factor[:, -1:], upper=True)[:, 0]
        for _ in range(REFINEMENTS):
            gradient = scaled[:, :-1].T @ (right - scaled[:, :-1] @ solution)
            half = torch.linalg.solve_triangular(triangle.T, gradient[:, None], upper=False)
            solution = solution + torch.linalg.solve_triangular(triangle, half, upper=True)[:, 0]
        left = (right - scaled[:, :-1] @ solution).norm()
        self._factor = triangle, norms
        return torch.cat([solution / norms, left[None]])

    def step(self, gradients: list[Tensor]) -> Tensor:
        """(A'A + ridge^2 D^2)^-1 times the sum of the vectors A'r (size,) of the parts, this process's own.

        By the factor that `solve` found.
        """
        gradient = torch.cat(self.parts.of_all([one[None] for one in gradients], self._like[:-1])).sum(dim=0)
        if self._factor is None:  # the first process has it
            return of_first(gradient, self.parts.ranks)
        triangle, norms = self._factor
        half = torch.linalg.solve_triangular(triangle.T, (gradient / norms)[:, None], upper=False)
        change = torch.linalg.solve_triangular(triangle, half, upper=True)[:, 0] / norms
        return of_first(change, self.parts.ranks)


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
