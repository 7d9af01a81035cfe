"""Quadrature rules: points and weights by which integrals over shapes are computed.

Intervals have Gauss and Legendre's rule, circles the trapezoidal rule, and products the products of rules. A plane
shape that is known by whether it contains a point is cut into lines, whose ends are found by bisection, as those of
a shape in one coordinate are, and other shapes have quasi-random points of equal weight.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

Rule = tuple[np.ndarray, np.ndarray]
"""Points (q, d) and weights (q,)."""

QUASI_RANDOM = 4096
"""Points of a shape without a better rule."""
SCANNED = 400
"""Points of a line among which the ends of its parts in a shape are bracketed; thinner parts may be missed."""
HALVINGS = 42
PANELS = 64
"""Intervals of the first coordinate at most."""
DEPTH = 8
ACCURACY = 1e-9
"""Relative change of the moments of a shape up to which an interval of the first coordinate is halved."""


@lru_cache(maxsize=32)
def gauss_legendre(order: int) -> Rule:
    """Nodes and weights on [0, 1], exact for polynomials of degree 2 order - 1.

    >>> nodes, weights = gauss_legendre(3)
    >>> bool(abs(sum(weights * nodes**5) - 1 / 6) < 1e-15)
    True
    """
    nodes, weights = np.polynomial.legendre.leggauss(order)
    nodes, weights = (nodes + 1) / 2, weights / 2
    nodes.flags.writeable = weights.flags.writeable = False
    return nodes, weights


def tensor(rules: Sequence[Rule]) -> Rule:
    """The product of rules: points (q, d) with the columns of each rule one after the other."""
    points, weights = np.zeros((1, 0)), np.ones(1)
    for more, factors in rules:
        points = np.hstack([np.repeat(points, len(more), axis=0), np.tile(more, (len(points), 1))])
        weights = np.outer(weights, factors).ravel()
    return points, weights


def interval(lower: float, upper: float, order: int) -> Rule:
    """Gauss and Legendre's rule; points (order, 1)."""
    nodes, weights = gauss_legendre(order)
    return (lower + (upper - lower) * nodes)[:, None], (upper - lower) * weights


def line(contains: Callable[[np.ndarray], np.ndarray], lower: float, upper: float, order: int) -> Rule:
    """Gauss' rule on each interval of a shape in one coordinate, by whether it contains points (n, 1)."""
    places = np.linspace(lower, upper, SCANNED)
    held = contains(places[:, None]).astype(int)
    changes = np.diff(held, prepend=0, append=0)
    (first,), (beyond,) = np.nonzero(changes == 1), np.nonzero(changes == -1)
    inside = places[np.concatenate([first, beyond - 1])]
    outside = places[np.concatenate([np.maximum(first - 1, 0), np.minimum(beyond, SCANNED - 1)])]
    for _ in range(HALVINGS):  # at an end of the range both are the same
        middle = (inside + outside) / 2
        within = contains(middle[:, None])
        inside, outside = np.where(within, middle, inside), np.where(within, outside, middle)
    rules = [interval(begin, end, order) for begin, end in zip(*np.split(inside, 2), strict=True)]
    return np.concatenate([points for points, _ in rules]), np.concatenate([weights for _, weights in rules])


def plane(contains: Callable[[np.ndarray], np.ndarray], lower: np.ndarray, upper: np.ndarray, order: int) -> Rule:
    """Gauss' rule along each line of a shape in two coordinates, by whether it contains points (n, 2).

    The first coordinate is cut where the number of a line's parts changes. In between x = a + (b - a)(1 - cos pi s)/2,
    by which the length of the lines is smooth at the ends too, and intervals of s are halved until the moments of the
    shape no longer change.
    """
    cuts = _cuts(contains, lower, upper)
    found: list[Rule] = []
    for a, b in itertools.pairwise(cuts):
        waiting = [(0.0, 1.0, 0, _strip(contains, lower, upper, (a, b), (0.0, 1.0), order))]
        while waiting:
            start, end, depth, whole = waiting.pop()
            middle = (start + end) / 2
            halves = [
                (*ends, depth + 1, _strip(contains, lower, upper, (a, b), ends, order))
                for ends in ((start, middle), (middle, end))
            ]
            change = np.abs(sum(_moments(half[3], lower, upper) for half in halves) - _moments(whole, lower, upper))
            enough = len(found) + len(waiting) >= PANELS or depth >= DEPTH
            if enough or change.max() <= ACCURACY * float(np.prod(upper - lower)):
                found.append(whole)
            else:
                waiting += halves
    return np.concatenate([points for points, _ in found]), np.concatenate([weights for _, weights in found])


def _moments(rule: Rule, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Integrals of 1, x, y, x^2, xy and y^2 of the coordinates scaled to [0, 1]."""
    points, weights = rule
    x, y = ((points - lower) / (upper - lower)).T
    return np.array([(weights * one).sum() for one in (np.ones_like(x), x, y, x * x, x * y, y * y)])


def _cuts(contains: Callable[[np.ndarray], np.ndarray], lower: np.ndarray, upper: np.ndarray) -> list[float]:
    """Where the number of a line's parts changes along the first coordinate, with the ends of its range."""
    places = lower[0] + (upper[0] - lower[0]) * (np.arange(SCANNED) + 0.5) / SCANNED

    def counts(at: np.ndarray) -> np.ndarray:
        return np.diff(_scan(contains, lower, upper, at), axis=1, prepend=0, append=0).astype(bool).sum(axis=1)

    numbers = counts(places)
    (changes,) = np.nonzero(np.diff(numbers))
    before, after, former = places[changes], places[changes + 1], numbers[changes]
    for _ in range(HALVINGS if len(changes) else 0):
        middle = (before + after) / 2
        same = counts(middle) == former
        before, after = np.where(same, middle, before), np.where(same, after, middle)
    return [float(lower[0]), *((before + after) / 2).tolist(), float(upper[0])]


def _scan(
    contains: Callable[[np.ndarray], np.ndarray], lower: np.ndarray, upper: np.ndarray, places: np.ndarray
) -> np.ndarray:
    """Which of SCANNED points of the lines at these places lie in the shape, (lines, SCANNED) of 0 and 1."""
    heights = np.linspace(lower[1], upper[1], SCANNED)
    grid = np.stack(np.meshgrid(places, heights, indexing="ij"), axis=-1)
    return contains(grid.reshape(-1, 2)).reshape(grid.shape[:2]).astype(int)


def _strip(
    contains: Callable[[np.ndarray], np.ndarray],
    lower: np.ndarray,
    upper: np.ndarray,
    ends: tuple[float, float],
    part: tuple[float, float],
    order: int,
) -> Rule:
    """The rule between two values of s on an interval of the first coordinate."""
    nodes, weights = gauss_legendre(order)
    s = part[0] + (part[1] - part[0]) * nodes
    length = ends[1] - ends[0]
    places = ends[0] + length * (1 - np.cos(np.pi * s)) / 2
    factors = weights * (part[1] - part[0]) * length * np.pi / 2 * np.sin(np.pi * s)
    changes = np.diff(_scan(contains, lower, upper, places), axis=1, prepend=0, append=0)
    heights = np.linspace(lower[1], upper[1], SCANNED)
    lines, first = np.nonzero(changes == 1)  # where a part begins
    _, beyond = np.nonzero(changes == -1)  # and the place after its end
    rows = np.concatenate([lines, lines])
    inside = heights[np.concatenate([first, beyond - 1])]
    outside = heights[np.concatenate([np.maximum(first - 1, 0), np.minimum(beyond, SCANNED - 1)])]
    for _ in range(HALVINGS):  # at an end of the range both are the same
        middle = (inside + outside) / 2
        held = contains(np.stack([places[rows], middle], axis=1))
        inside, outside = np.where(held, middle, inside), np.where(held, outside, middle)
    begin, end = np.split(inside, 2)
    points = np.stack(
        [np.repeat(places[lines], order), (begin[:, None] + (end - begin)[:, None] * nodes).ravel()], axis=1
    )
    return points, (factors[lines][:, None] * (end - begin)[:, None] * weights).ravel()


def pieces(corners: np.ndarray) -> np.ndarray:
    """The ranges (k, 2) of the unit coordinate of a curve with these corners; of one without any, eighths."""
    ends = np.concatenate([[0.0], corners, [1.0]]) if len(corners) else np.linspace(0.0, 1.0, 9)
    return np.stack([ends[:-1], ends[1:]], axis=1)


def curve(sample: Callable[[np.ndarray], np.ndarray], length: float, order: int, ranges: np.ndarray) -> Rule:
    """Gauss' rule on each piece of a curve: `order` nodes, or a quarter of it on one in eight pieces or more.

    Args:
        sample: unit points (n, 1) -> points (n, d), even by arc length.
        length: of the whole curve, from 0 to 1.
        ranges: (k, 2), the pieces by their unit coordinate.
    """
    nodes, weights = gauss_legendre(order if len(ranges) < 8 else max(order // 4, 4))
    lengths = ranges[:, 1:] - ranges[:, :1]
    return sample((ranges[:, :1] + lengths * nodes).reshape(-1, 1)), length * (lengths * weights).ravel()


def quasi_random(sample: Callable[[np.ndarray], np.ndarray], dimension: int, measure: float) -> Rule:
    """Sobol points of equal weight.

    Args:
        sample: unit points (n, dimension) -> those of them in the shape, (m, d).
    """
    from scipy.stats import qmc  # slow to import, and few problems need it

    unit = qmc.Sobol(dimension, rng=np.random.default_rng(0)).random(QUASI_RANDOM)
    points = sample(unit)
    return points, np.full(len(points), measure / max(len(points), 1))
