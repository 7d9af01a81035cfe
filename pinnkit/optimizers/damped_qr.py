"""Orthogonal factorisations of damped least-squares problems.

Golub 1965; Björck, Numerical Methods for Least Squares Problems (1996), 2.4 and 2.7.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

PANEL = 96
"""Columns that are reduced at once: wide enough for matrix products, narrow beside the matrix."""


class HouseholderQR:
    """J = Q R by Householder reflections, which are kept in the place of Q.

    Forming J'J instead would lose half of the digits: its condition is the square of that of J.

    Args:
        jacobian: J (N, n); with fewer rows than columns, rows of zeros are added.

    Attributes:
        triangle: R (n, n).
    """

    def __init__(self, jacobian: Tensor) -> None:
        count, size = jacobian.shape
        self._missing = max(size - count, 0)
        if self._missing:
            jacobian = torch.cat((jacobian, jacobian.new_zeros(self._missing, size)))
        self._reflections, self._factors = torch.geqrf(jacobian)
        self.triangle = self._reflections[:size].triu()

    def rotated(self, r: Tensor) -> Tensor:
        """The first n entries of Q'r, for r (N,)."""
        if self._missing:
            r = torch.cat((r, r.new_zeros(self._missing)))
        return _rotated(self._reflections, self._factors, r[:, None])[: len(self.triangle), 0]


class DampedQR:
    """The orthogonal factorisation of [R; sqrt(mu) I], for solutions with several right sides.

    A block of columns fills only as many rows of the lower part as there are columns up to its end. Using this it takes
    2/3 n^3 operations, a fifth of those for a full matrix of 2 n rows and a thirtieth of those for singular values.

    Args:
        triangle: R (n, n), upper triangular.
        damping: mu.

    Attributes:
        diagonal: (n,), that of the triangular factor.
    """

    def __init__(self, triangle: Tensor, damping: float) -> None:
        size = len(triangle)
        self._root = damping**0.5
        upper, lower = triangle.clone(), torch.zeros_like(triangle)
        lower.diagonal().fill_(self._root)
        self._panels: list[tuple[int, int, Tensor, Tensor]] = []
        for start, stop in itertools.pairwise([*range(0, size, PANEL), size]):
            width = stop - start
            stacked = torch.cat((upper[start:stop, start:], lower[:stop, start:]))
            reflections, factors = torch.geqrf(stacked[:, :width].contiguous())
            upper[start:stop, start:stop] = reflections[:width].triu()
            if stop < size:
                rest = _rotated(reflections, factors, stacked[:, width:].contiguous())
                upper[start:stop, stop:], lower[:stop, stop:] = rest[:width], rest[width:]
            self._panels.append((start, stop, reflections, factors))
        self._triangle = upper
        self.diagonal = upper.diagonal().abs()

    def solution(self, z: Tensor, centre: Tensor | None = None) -> Tensor:
        """The d (n,) of least |z - R d|^2 + mu |d - centre|^2; z: (n,), centre: (n,), None: zero."""
        z = z.clone()
        below = torch.zeros_like(z) if centre is None else self._root * centre
        for start, stop, reflections, factors in self._panels:
            found = _rotated(reflections, factors, torch.cat((z[start:stop], below[:stop]))[:, None])[:, 0]
            z[start:stop], below[:stop] = found[: stop - start], found[stop - start :]
        return torch.linalg.solve_triangular(self._triangle, z[:, None], upper=True)[:, 0]


def _rotated(reflections: Tensor, factors: Tensor, columns: Tensor) -> Tensor:
    """Q' columns."""
    return torch.ormqr(reflections, factors, columns, left=True, transpose=True)
