"""Nested dissection of a sparse matrix by the places of its unknowns."""

from __future__ import annotations

import numpy as np
from scipy import sparse

LEAF = 64
"""Unknowns of a part that is not cut any more."""


def nested_dissection(matrix: sparse.csc_matrix, places: np.ndarray, last: np.ndarray) -> np.ndarray:
    """An order (n,) of the unknowns in which a factorisation fills in little (George, SIAM J. Numer. Anal. 10, 1973).

    The unknowns are cut in halves by one coordinate; those of one half that touch the other come behind both.

    Args:
        places: (n, d).
        last: mask (n,) of the unknowns without a pivot of their own, such as pressures: behind the others of a part.
    """
    pattern = sparse.csr_matrix((np.ones(matrix.nnz), matrix.indices, matrix.indptr), shape=matrix.shape)
    pattern = (pattern + pattern.T).tocsr()
    mark = np.zeros(len(places))
    order: list[np.ndarray] = []
    stack: list[tuple[np.ndarray, bool]] = [(np.arange(len(places)), False)]
    while stack:
        part, whole = stack.pop()
        if not whole and len(part) > LEAF:
            spread = places[part]
            coordinate = spread[:, int(np.argmax(np.ptp(spread, axis=0)))]
            first = coordinate <= np.median(coordinate)
            if first.any() and not first.all():
                mark[part[first]] = 1.0
                second = part[~first]
                touching = pattern[second] @ mark > 0
                mark[part[first]] = 0.0
                stack += [(second[touching], True), (second[~touching], False), (part[first], False)]
                continue
        order.append(part[np.argsort(last[part], kind="stable")])
    return np.concatenate(order)
