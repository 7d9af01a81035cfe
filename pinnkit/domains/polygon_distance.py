"""Closed forms of the distance to a polygon and to some of its edges, by R-functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import cast

import numpy as np
import sympy

from pinnkit.domains.distances import coordinate, intersection, number, trimmed

MOST = 40
"""Corners up to which a polygon has a closed form."""


def solid_distance(
    names: Sequence[str], corners: np.ndarray, join: Callable[..., sympy.Expr] = intersection
) -> sympy.Expr | None:
    """Of a polygon with corners (k, 2), counter-clockwise; None where it has more than 40.

    It is the intersection of its convex hull and of what lies outside of the pockets, the polygons between the hull and
    the chain of edges that leaves it, each treated in the same way (S. B. Tor and A. E. Middleditch, "Convex
    decomposition of simple polygons", ACM Trans. Graphics 3, 1984).

    Args:
        join: of the functions of the hull's sides and of the pockets into one that is positive where all are.
    """
    if len(corners) > MOST:
        return None
    on_hull = _hull(corners)
    sides = []
    for start, end in zip(on_hull, [*on_hull[1:], on_hull[0] + len(corners)], strict=True):
        first, last = corners[start], corners[end % len(corners)]
        sides.append(line_distance(names, first, last))
        if end - start > 1:  # the chain back is the pocket's edges, counter-clockwise seen from inside the pocket
            pocket = corners[[place % len(corners) for place in range(end, start - 1, -1)]]
            sides.append(-cast(sympy.Expr, solid_distance(names, pocket)))
    return join(*sides)


def edges_distance(names: Sequence[str], edges: Iterable[tuple[np.ndarray, np.ndarray]]) -> sympy.Expr:
    """Zero on these edges alone, positive elsewhere."""
    found = []
    for start, end in edges:
        length = float(np.linalg.norm(end - start))
        along = -line_distance(names, start, start + _turned(end - start))
        found.append(trimmed(line_distance(names, start, end), along * (number(length) - along) / number(length)))
    return intersection(*found)


def lines_distance(names: Sequence[str], edges: Iterable[tuple[np.ndarray, np.ndarray]]) -> sympy.Expr:
    """Zero on the lines through these edges, positive on their left."""
    return intersection(*(line_distance(names, start, end) for start, end in edges))


def is_convex(corners: np.ndarray) -> bool:
    return len(_hull(corners)) == len(corners)


def line_distance(names: Sequence[str], start: np.ndarray, end: np.ndarray) -> sympy.Expr:
    """The distance to the line through two points, positive on its left."""
    normal = _turned(end - start) / np.linalg.norm(end - start)
    pairs = zip(names, normal, start, strict=True)
    return sympy.Add(*(number(one) * (coordinate(name) - number(at)) for name, one, at in pairs))


def _turned(vector: np.ndarray) -> np.ndarray:
    """To the left by a right angle."""
    return np.array([-vector[1], vector[0]])


def _hull(corners: np.ndarray) -> list[int]:
    """The corners of the convex hull, in their order; those on its edges are none."""
    size = float(np.ptp(corners, axis=0).max())
    order = sorted(range(len(corners)), key=lambda one: tuple(corners[one]))

    def half(places: Iterable[int]) -> list[int]:
        chain: list[int] = []
        for place in places:
            while len(chain) > 1:
                back, on = corners[chain[-1]] - corners[chain[-2]], corners[place] - corners[chain[-2]]
                if back[0] * on[1] - back[1] * on[0] > 1e-14 * size**2:
                    break
                chain.pop()
            chain.append(place)
        return chain[:-1]

    return sorted([*half(order), *half(reversed(order))])
