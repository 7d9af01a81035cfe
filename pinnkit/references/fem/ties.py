"""Unknowns that equal others but for a known difference."""

from __future__ import annotations

import numpy as np
from scipy import sparse


class Ties:
    """y[i] = y[j] + gap for pairs of unknowns, resolved so that each tied one refers to one that is not.

    Args:
        held: mask (n,) of the unknowns that are prescribed: others are tied to these, never these to others.

    >>> ties = Ties(np.array([True, False, False]))
    >>> ties.add(1, 0, 0.5)
    >>> ties.add(1, 2, 0.25)
    >>> ties(np.array([1.0, 0.0, 0.0])).tolist()
    [1.0, 1.5, 1.25]
    """

    def __init__(self, held: np.ndarray) -> None:
        self._held = held
        self._root: dict[int, tuple[int, float]] = {}

    def _find(self, one: int) -> tuple[int, float]:
        gap = 0.0
        while one in self._root:
            one, more = self._root[one]
            gap += more
        return one, gap

    def add(self, one: int, other: int, gap: float) -> None:
        """y[one] = y[other] + gap; without effect where both are determined already."""
        (first, before), (second, beyond) = self._find(one), self._find(other)
        difference = beyond + gap - before  # y[first] = y[second] + difference
        if first == second or (self._held[first] and self._held[second]):
            return
        if self._held[first]:
            self._root[second] = first, -difference
        else:
            self._root[first] = second, difference

    @property
    def tied(self) -> np.ndarray:
        """Mask (n,) of the unknowns that refer to another."""
        mask = np.zeros(len(self._held), dtype=bool)
        mask[list(self._root)] = True
        return mask

    def __call__(self, y: np.ndarray) -> np.ndarray:
        """A copy of y, (n,), with the tied unknowns."""
        y = y.copy()
        for one in self._root:
            root, gap = self._find(one)
            y[one] = y[root] + gap
        return y

    def matrix(self, free: np.ndarray) -> sparse.csr_matrix:
        """(n, free) how the unknowns change with the free ones."""
        column = np.full(len(self._held), -1)
        column[free] = np.arange(len(free))
        rows, columns = list(free), list(range(len(free)))
        for one in self._root:
            root, _ = self._find(one)
            if column[root] >= 0:
                rows.append(one)
                columns.append(int(column[root]))
        return sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(self._held), len(free)))
