"""Refinement of a solution on a rectangle until its estimated error is small."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pinnkit.language.calculus import symbol
from pinnkit.language.evaluate import Program
from pinnkit.references.budget import OverBudget
from pinnkit.references.known_functions import extract_known_functions
from pinnkit.references.plane.steady import Rectangle
from pinnkit.references.plane.system import PlaneSystem

TARGET = 2e-11
"""Refinement ends below this estimate."""
SAFETY = 2.0
SLOWEST, FASTEST_FIRST, FASTEST = 1.5, 20.0, 1000.0
"""Between which the ratio of two changes is taken, from which the finest error follows."""
SAMPLES = 400, 11
"""Points and times at which solutions are compared."""
ROUNDING = 1e-11
KNOWN, MISSED = 2000, 1e-2
"""Points at which the problem's functions are compared with their interpolants, and the largest relative error."""


class Solution(Protocol):
    nodes: int

    def __call__(self, points: dict[str, np.ndarray]) -> np.ndarray: ...


@dataclass(frozen=True)
class Found:
    """The finest solution, and the estimate of its error in space, in relative L2 norm of the worst field."""

    solution: Solution
    error: float


def refine(
    system: PlaneSystem,
    solve: Callable[[int, Solution | None], Solution],
    nodes: Sequence[int],
    also: Callable[[Solution], float] = lambda solution: 0.0,
) -> Found:
    """Solve on finer and finer grids, until the error is small or no longer falls, or the budget ends.

    Two successive changes d_1, d_2 fall by the ratio r, so what is left is about d_2/(r - 1); twice that is the
    estimate. A grid that misses a known function of the problem counts for nothing.

    Args:
        also: a further part of a solution's error.

    Raises:
        OverBudget: before three solutions could be compared.
    """
    points, former = comparison_points(system), None
    changes: list[float] = []
    best: Found | None = None
    values = np.empty(0)
    for count in nodes:
        if not resolved(system, count):
            continue
        try:
            solution = solve(count, former)
        except OverBudget:
            if best is None:
                raise
            return best
        found = solution(points)
        if former is not None:
            changes.append(difference(values, found))
        former, values = solution, found
        if len(changes) < 2:
            continue
        error = _left(changes) + also(solution) + ROUNDING
        if best is not None and error >= best.error:  # rounding, which grows with the nodes; or the estimate was wrong
            return Found(best.solution, max(best.error, changes[-1]))
        best = Found(solution, error)
        if error <= TARGET:
            break
    if best is None:
        raise OverBudget(f"{max(nodes)} nodes along each coordinate do not resolve the functions of the problem")
    return best


def _left(changes: Sequence[float]) -> float:
    """The estimate of what is left after the last change; by the slower of two ratios where there are two."""
    ratios = [one / max(other, 1e-300) for one, other in itertools.pairwise(changes[-3:])]
    ratio = np.clip(min(ratios), SLOWEST, FASTEST if len(ratios) > 1 else FASTEST_FIRST)
    return float(SAFETY * changes[-1] / (ratio - 1))


def resolved(system: PlaneSystem, nodes: int) -> bool:
    """Whether the problem's known functions are those of their values at the nodes, to a hundredth."""
    rectangle, rng = Rectangle(system, nodes), np.random.default_rng(1)
    places = {symbol(name): low + (high - low) * rng.random(KNOWN) for name, (low, high) in system.bounds.items()}
    space = set(places)
    functions = [*system.start.values()]
    for text in (*system.residuals.values(), *system.rates.values()):
        functions += extract_known_functions(text, space)[1].values()
    moments = np.linspace(*system.times, 3) if system.time else [0.0]
    for function in functions:
        program = Program([function])
        for t in moments:
            at = {symbol(system.time): t} if system.time else {}
            there = np.broadcast_to(program({**places, **at})[0], KNOWN)
            here = np.array(np.broadcast_to(program({**rectangle.points, **at})[0], rectangle.count), dtype=float)
            seen = rectangle.interpolated(here, *places.values())
            size = np.linalg.norm(there)
            if np.isfinite(size) and not np.linalg.norm(seen - there) <= MISSED * size + 1e-300:
                return False
    return True


def difference(coarse: np.ndarray, fine: np.ndarray) -> float:
    """Relative L2 distance of the worst field."""
    norms = np.linalg.norm(fine, axis=1)
    return float(np.max(np.linalg.norm(coarse - fine, axis=1) / np.where(norms > 0, norms, 1.0)))


def comparison_points(system: PlaneSystem) -> dict[str, np.ndarray]:
    """Random points of the rectangle, always the same, at times that include the ends."""
    count, moments = SAMPLES
    rng = np.random.default_rng(0)
    found = {name: lower + (upper - lower) * rng.random(count) for name, (lower, upper) in system.bounds.items()}
    if system.time is None:
        return found
    begin, end = system.times
    times = begin + (end - begin) * np.linspace(0.0, 1.0, moments) ** 2
    return {name: np.tile(one, moments) for name, one in found.items()} | {system.time: np.repeat(times, count)}
