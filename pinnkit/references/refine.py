"""Refining a solution in space and in time until it no longer moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import NoReturn

import numpy as np

from pinnkit.references.budget import Budget, OverBudget
from pinnkit.references.evolution_system import EvolutionSystem
from pinnkit.references.modes import Modes, NotDiagonalError
from pinnkit.references.resolution import Unresolved
from pinnkit.references.split import Split, split
from pinnkit.references.time_integration import (
    DIFFERENCING,
    EXPLICIT_FACTOR,
    FEWEST_STEPS,
    LEAST_RTOL,
    ROTATED,
    March,
    StoppedError,
    TooManyStepsError,
)
from pinnkit.references.unsupported import UnsupportedProblem

FIRST_NODES = 64
MOST_NODES = {"Chebyshev": 512, "Fourier": 2048}
GOOD = 1e-8  # refined until a refinement moves the answer by less than this
TIME_FACTOR = 10.0
LARGEST_TOLERANCE = 1e-7  # an integration that fails with this one is given up
STIFF = 200, 2_500
"""Largest eigenvalue of the linear part times duration from which it is split off: at first, and after refinements."""
FIRST_TOLERANCES = {DIFFERENCING: 1e-6, ROTATED: 1e-8}
TOLERANCE_FACTOR, TIME_MARGIN = 100.0, 4.0
"""With the linear part split off the tolerance falls together with the error in space. A method of order 8 with a
hundredth of the tolerance and half the longest step has less than a quarter of the error."""
PATIENCE = 0.25
"""Share of the time allowed, as processor time, after which an answer that is USEFUL is not refined further, should
that take longer."""
USEFUL = 1e-2
SAME_TIME = 1e-3
"""Two solutions that stop within this share of the time from the start do so as the true one would."""


@dataclass(frozen=True)
class Refined:
    """The finest solution, how far the refinements in space and in time moved it, and what its grid leaves unresolved.

    All in relative L2 norms.
    """

    march: March
    in_space: float
    in_time: float
    unresolved: float

    @property
    def error(self) -> float:
        return self.in_space + self.in_time + self.unresolved


class Refinement:
    """Marches of one system, each finer than the one before.

    Args:
        nodes: even number of nodes in x, None to find how many are needed.
        rtol, atol: the smallest tolerances of a step in time.
    """

    def __init__(self, system: EvolutionSystem, nodes: int | None, rtol: float, atol: float, budget: Budget) -> None:
        self._system, self._budget, self._rtol, self._atol = system, budget, rtol, atol
        self._kind = "Fourier" if system.boundary.periodic else "Chebyshev"
        self._first, self._most = nodes or self._first_nodes(), nodes or MOST_NODES[self._kind]
        self._parts = split(system)
        self._unresolved = Unresolved(system, self._parts) if system.space else None

    def __call__(self) -> Refined:
        """The finest pair of solutions.

        Raises:
            OverBudget: before there was a pair.
            StoppedError: the integration fails on every grid.
            UnsupportedProblem: it fails at one time on both of the finest grids (with two tolerances, without x), or
                it takes too many steps with every tolerance.
        """
        parts = self._stiff(self._first, STIFF[0])
        return self._split_off(parts, self._first) if parts else self._whole()

    def _confirm(self, first: StoppedError, other: Callable[[], March]) -> NoReturn:
        """Raises UnsupportedProblem where another march stops at the time of the first, StoppedError otherwise.

        The same grid would stop at the same time whatever the reason: it confirms nothing.
        """
        try:
            other()
        except StoppedError as second:
            another = self._system.space is None or second.nodes != first.nodes
            if another and abs(second.t - first.t) < SAME_TIME * (second.t - self._system.times[0]):
                twice = f"with {first.nodes} nodes and with {second.nodes}" if self._system.space else "twice"
                raise UnsupportedProblem(f"{second}, {twice}, as where a solution blows up") from None
            raise
        except TooManyStepsError:
            pass
        raise first

    def _first_nodes(self) -> int:
        """Fewer for Chebyshev derivatives of high order k, whose rounding errors grow as n^(2 k)."""
        high = self._kind == "Chebyshev" and max(self._system.space_orders.values()) > 3
        return FIRST_NODES // 2 if high else FIRST_NODES

    def _stiff(self, nodes: int, limit: float) -> Split | None:
        """The linear part, where splitting it off pays."""
        if not (self._system.boundary.periodic and self._parts.complete):
            return None
        try:
            eigenvalues = Modes(self._system, nodes, self._parts, self._budget).eigenvalues
        except NotDiagonalError:
            return None
        begin, end = self._system.times
        return self._parts if np.abs(eigenvalues).max() * (end - begin) > limit else None

    def _whole(self) -> Refined:
        """All terms treated alike; larger tolerances where rounding defeats these."""
        system, budget, count, rtol, atol = self._system, self._budget, self._first, self._rtol, self._atol
        while True:
            try:
                march, finer, in_time = self._pair(count, rtol, atol)
                break
            except TooManyStepsError:
                if rtol > LARGEST_TOLERANCE:
                    raise UnsupportedProblem(f"it takes too many steps in time, even with rtol {rtol:.0e}") from None
                rtol, atol = TIME_FACTOR * rtol, TIME_FACTOR * atol
            except StoppedError as error:
                if system.space is None:
                    looser = TIME_FACTOR * rtol, TIME_FACTOR * atol  # than of both marches of the pair
                    self._confirm(error, partial(self._loose, count, *looser))
                if count >= self._most:
                    self._confirm(error, partial(March, system, count, rtol, atol, budget))
                count *= 2
        if system.space is None:
            return Refined(march, 0.0, in_time, 0.0)
        coarse, found = march, self._paired(march, finer, in_time)
        while found.in_space + found.unresolved > GOOD and finer.nodes < self._most:
            parts = self._stiff(2 * finer.nodes, STIFF[1])
            try:
                if parts:
                    return self._split_off(parts, 2 * finer.nodes)
                refined = self._paired(finer, March(system, 2 * finer.nodes, rtol, atol, budget), in_time)
            except (TooManyStepsError, StoppedError, OverBudget):
                break
            if not self._better(refined, found):  # rounding, which grows with the nodes
                break
            coarse, found, finer = finer, refined, refined.march
        return self._timed(found, coarse, rtol, atol) if coarse is not march else found

    def _timed(self, found: Refined, coarse: March, rtol: float, atol: float) -> Refined:
        """With the error in time measured where more of the solution is seen than on the first grid."""
        try:
            loose = self._loose(coarse.nodes, rtol, atol)
        except (TooManyStepsError, StoppedError, OverBudget):
            return found
        return replace(found, in_time=max(found.in_time, distance(loose, coarse)))

    def _paired(self, coarse: March, fine: March, in_time: float) -> Refined:
        return Refined(fine, distance(coarse, fine), in_time, self._unresolved(fine))

    @staticmethod
    def _better(new: Refined, old: Refined) -> bool:
        """Where both grids miss the same part, refining goes on until one resolves it."""
        return new.error < old.error or old.unresolved > old.in_space

    def _pair(self, nodes: int, rtol: float, atol: float) -> tuple[March, March, float]:
        """The marches with half the nodes and with all, and how far a coarser time moves the first."""
        system, budget = self._system, self._budget
        march = March(system, nodes // 2, rtol, atol, budget)
        loose = self._loose(nodes // 2, rtol, atol)
        finer = March(system, nodes, rtol, atol, budget) if system.space else march
        return march, finer, distance(loose, march)

    def _loose(self, nodes: int, rtol: float, atol: float) -> March:
        bounds = TIME_FACTOR * rtol, TIME_FACTOR * atol
        return March(self._system, nodes, *bounds, self._budget, steps=FEWEST_STEPS // 2)

    def _split_off(self, parts: Split, count: int) -> Refined:
        """With the linear part split off, refining whichever of space and time moved the answer more."""
        while True:
            try:
                rtol = max(self._rtol, FIRST_TOLERANCES[DIFFERENCING])
                coarse = self._march(count // 2, rtol, parts, FEWEST_STEPS)
                if coarse.method == ROTATED:
                    rtol = max(self._rtol, FIRST_TOLERANCES[ROTATED])
                    coarse = self._march(count // 2, rtol, parts, FEWEST_STEPS)
                finer = self._march(count, rtol, parts, FEWEST_STEPS)
                in_time = finer.error
                if in_time is None:
                    in_time = distance(self._march(count, TIME_FACTOR * rtol, parts, FEWEST_STEPS // 2), finer)
                break
            except StoppedError as error:
                if count >= self._most:
                    self._confirm(error, partial(self._march, count, rtol, parts, FEWEST_STEPS))
                count *= 2
        found, stuck = self._paired(coarse, finer, in_time), set()
        while found.error > GOOD and (way := self._way(found, stuck)):
            longer = self._budget.worked + 2 * found.march.seconds > PATIENCE * self._budget.seconds
            if found.error < USEFUL and longer:
                break
            try:
                better = self._finer_space(found, parts) if way == "space" else self._finer_time(found, parts)
            except (StoppedError, OverBudget):
                break
            if self._better(better, found):
                found = better
            else:
                stuck.add(way)
        return found

    def _way(self, found: Refined, stuck: set[str]) -> str | None:
        """What to refine: `space` or `time`, None where neither can be."""
        least = self._rtol if found.march.error is not None else max(EXPLICIT_FACTOR * self._rtol, LEAST_RTOL)
        movable = {
            "space": found.march.nodes < self._most and "space" not in stuck,
            "time": found.march.rtol > least and "time" not in stuck,
        }
        moved = {"space": found.in_space + found.unresolved, "time": found.in_time}
        ways = [way for way in movable if movable[way] and moved[way] >= GOOD / 2]
        return max(ways, key=moved.get) if ways else None

    def _finer_space(self, found: Refined, parts: Split) -> Refined:
        old = found.march
        finest = self._march(2 * old.nodes, old.rtol, parts, old.steps if old.error is None else old.steps // 2)
        return self._paired(old, finest, found.in_time if finest.error is None else finest.error)

    def _finer_time(self, found: Refined, parts: Split) -> Refined:
        """Tolerances and longest steps such that the error falls by a good factor of TIME_MARGIN at least."""
        old, rtol = found.march, found.march.rtol / TOLERANCE_FACTOR
        if old.error is not None:
            finest = self._march(old.nodes, rtol, parts, old.steps)
            return Refined(finest, found.in_space, finest.error, found.unresolved)
        coarse, finest = (self._march(nodes, rtol, parts, 2 * old.steps) for nodes in (old.nodes // 2, old.nodes))
        return self._paired(coarse, finest, distance(old, finest) / TIME_MARGIN)

    def _march(self, nodes: int, rtol: float, parts: Split, steps: int) -> March:
        return March(self._system, nodes, rtol, self._atol, self._budget, parts, steps)


def distance(coarse: March, fine: March) -> float:
    """Relative L2 distance at irregular points, of the worst field."""
    first, second = coarse.samples, fine.samples
    norms = np.linalg.norm(second, axis=1)
    return float(np.max(np.linalg.norm(first - second, axis=1) / np.where(norms > 0, norms, 1.0)))
