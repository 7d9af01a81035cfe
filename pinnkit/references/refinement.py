"""Refining a solution in space and in time until it no longer moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import NoReturn

import numpy as np

from pinnkit.references.budget import Budget, OverBudget
from pinnkit.references.evolution_system import EvolutionSystem
from pinnkit.references.fourier_modes import FourierModes, NotDiagonalError
from pinnkit.references.interpolation_error import InterpolationError
from pinnkit.references.semilinear import SemilinearForm, semilinear_form
from pinnkit.references.time_integration import (
    EXPLICIT_FACTOR,
    EXPONENTIAL,
    FEWEST_STEPS,
    INTEGRATING_FACTOR,
    LEAST_RTOL,
    GridSolution,
    StoppedError,
    TooManyStepsError,
)
from pinnkit.references.unsupported import UnsupportedProblem

FIRST_NODES = 64
MOST_NODES = {"Chebyshev": 512, "Fourier": 2048}
TARGET_ERROR = 1e-8  # refined until a refinement moves the answer by less than this
TIME_FACTOR = 10.0
LARGEST_TOLERANCE = 1e-7  # an integration that fails with this one is given up
STIFF = 200, 2_500
"""Largest eigenvalue of the linear part times duration from which it is split off: at first, and after refinements."""
FIRST_TOLERANCES = {EXPONENTIAL: 1e-6, INTEGRATING_FACTOR: 1e-8}
TOLERANCE_FACTOR, TIME_MARGIN = 100.0, 4.0
"""With the linear part split off the tolerance falls together with the error in space. A method of order 8 with a
hundredth of the tolerance and half the longest step has less than a quarter of the error."""
TIME_SHARE = 0.25
"""Share of the time allowed, as processor time, after which an answer that is USEFUL is not refined further, should
that take longer."""
ACCEPTABLE_ERROR = 1e-2
SAME_TIME = 1e-3
"""Two solutions that stop within this share of the time from the start do so as the true one would."""


@dataclass(frozen=True)
class RefinementResult:
    """The finest solution, how far the refinements in space and in time moved it, and what its grid leaves unresolved.

    All in relative L2 norms.
    """

    march: GridSolution
    space_error: float
    time_error: float
    interpolation_error: float

    @property
    def error(self) -> float:
        return self.space_error + self.time_error + self.interpolation_error


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
        self._parts = semilinear_form(system)
        self._interpolation_error = InterpolationError(system, self._parts) if system.space else None

    def __call__(self) -> RefinementResult:
        """The finest pair of solutions.

        Raises:
            OverBudget: before there was a pair.
            StoppedError: the integration fails on every grid.
            UnsupportedProblem: it fails at one time on both of the finest grids (with two tolerances, without x), or
                it takes too many steps with every tolerance.
        """
        parts = self._stiff(self._first, STIFF[0])
        return self._split_off(parts, self._first) if parts else self._whole()

    def _confirm(self, first: StoppedError, other: Callable[[], GridSolution]) -> NoReturn:
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

    def _stiff(self, nodes: int, limit: float) -> SemilinearForm | None:
        """The linear part, where splitting it off pays."""
        if not (self._system.boundary.periodic and self._parts.complete):
            return None
        try:
            eigenvalues = FourierModes(self._system, nodes, self._parts, self._budget).eigenvalues
        except NotDiagonalError:
            return None
        begin, end = self._system.times
        return self._parts if np.abs(eigenvalues).max() * (end - begin) > limit else None

    def _whole(self) -> RefinementResult:
        """All terms treated alike; larger tolerances where rounding defeats these."""
        system, budget, count, rtol, atol = self._system, self._budget, self._first, self._rtol, self._atol
        while True:
            try:
                march, finer, time_error = self._pair(count, rtol, atol)
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
                    self._confirm(error, partial(GridSolution, system, count, rtol, atol, budget))
                count *= 2
        if system.space is None:
            return RefinementResult(march, 0.0, time_error, 0.0)
        coarse, found = march, self._paired(march, finer, time_error)
        while found.space_error + found.interpolation_error > TARGET_ERROR and finer.nodes < self._most:
            parts = self._stiff(2 * finer.nodes, STIFF[1])
            try:
                if parts:
                    return self._split_off(parts, 2 * finer.nodes)
                refined = self._paired(finer, GridSolution(system, 2 * finer.nodes, rtol, atol, budget), time_error)
            except (TooManyStepsError, StoppedError, OverBudget):
                break
            if not self._better(refined, found):  # rounding, which grows with the nodes
                break
            coarse, found, finer = finer, refined, refined.march
        return self._timed(found, coarse, rtol, atol) if coarse is not march else found

    def _timed(self, found: RefinementResult, coarse: GridSolution, rtol: float, atol: float) -> RefinementResult:
        """With the error in time measured where more of the solution is seen than on the first grid."""
        try:
            loose = self._loose(coarse.nodes, rtol, atol)
        except (TooManyStepsError, StoppedError, OverBudget):
            return found
        return replace(found, time_error=max(found.time_error, distance(loose, coarse)))

    def _paired(self, coarse: GridSolution, fine: GridSolution, time_error: float) -> RefinementResult:
        return RefinementResult(fine, distance(coarse, fine), time_error, self._interpolation_error(fine))

    @staticmethod
    def _better(new: RefinementResult, old: RefinementResult) -> bool:
        """Where both grids miss the same part, refining goes on until one resolves it."""
        return new.error < old.error or old.interpolation_error > old.space_error

    def _pair(self, nodes: int, rtol: float, atol: float) -> tuple[GridSolution, GridSolution, float]:
        """The marches with half the nodes and with all, and how far a coarser time moves the first."""
        system, budget = self._system, self._budget
        march = GridSolution(system, nodes // 2, rtol, atol, budget)
        loose = self._loose(nodes // 2, rtol, atol)
        finer = GridSolution(system, nodes, rtol, atol, budget) if system.space else march
        return march, finer, distance(loose, march)

    def _loose(self, nodes: int, rtol: float, atol: float) -> GridSolution:
        bounds = TIME_FACTOR * rtol, TIME_FACTOR * atol
        return GridSolution(self._system, nodes, *bounds, self._budget, steps=FEWEST_STEPS // 2)

    def _split_off(self, parts: SemilinearForm, count: int) -> RefinementResult:
        """With the linear part split off, refining whichever of space and time moved the answer more."""
        while True:
            try:
                rtol = max(self._rtol, FIRST_TOLERANCES[EXPONENTIAL])
                coarse = self._march(count // 2, rtol, parts, FEWEST_STEPS)
                if coarse.method == INTEGRATING_FACTOR:
                    rtol = max(self._rtol, FIRST_TOLERANCES[INTEGRATING_FACTOR])
                    coarse = self._march(count // 2, rtol, parts, FEWEST_STEPS)
                finer = self._march(count, rtol, parts, FEWEST_STEPS)
                time_error = finer.error
                if time_error is None:
                    time_error = distance(self._march(count, TIME_FACTOR * rtol, parts, FEWEST_STEPS // 2), finer)
                break
            except StoppedError as error:
                if count >= self._most:
                    self._confirm(error, partial(self._march, count, rtol, parts, FEWEST_STEPS))
                count *= 2
        found, stuck = self._paired(coarse, finer, time_error), set()
        while found.error > TARGET_ERROR and (way := self._way(found, stuck)):
            longer = self._budget.worked + 2 * found.march.seconds > TIME_SHARE * self._budget.seconds
            if found.error < ACCEPTABLE_ERROR and longer:
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

    def _way(self, found: RefinementResult, stuck: set[str]) -> str | None:
        """What to refine: `space` or `time`, None where neither can be."""
        least = self._rtol if found.march.error is not None else max(EXPLICIT_FACTOR * self._rtol, LEAST_RTOL)
        movable = {
            "space": found.march.nodes < self._most and "space" not in stuck,
            "time": found.march.rtol > least and "time" not in stuck,
        }
        moved = {"space": found.space_error + found.interpolation_error, "time": found.time_error}
        ways = [way for way in movable if movable[way] and moved[way] >= TARGET_ERROR / 2]
        return max(ways, key=moved.get) if ways else None

    def _finer_space(self, found: RefinementResult, parts: SemilinearForm) -> RefinementResult:
        old = found.march
        finest = self._march(2 * old.nodes, old.rtol, parts, old.steps if old.error is None else old.steps // 2)
        return self._paired(old, finest, found.time_error if finest.error is None else finest.error)

    def _finer_time(self, found: RefinementResult, parts: SemilinearForm) -> RefinementResult:
        """Tolerances and longest steps such that the error falls by a good factor of TIME_MARGIN at least."""
        old, rtol = found.march, found.march.rtol / TOLERANCE_FACTOR
        if old.error is not None:
            finest = self._march(old.nodes, rtol, parts, old.steps)
            return RefinementResult(finest, found.space_error, finest.error, found.interpolation_error)
        coarse, finest = (self._march(nodes, rtol, parts, 2 * old.steps) for nodes in (old.nodes // 2, old.nodes))
        return self._paired(coarse, finest, distance(old, finest) / TIME_MARGIN)

    def _march(self, nodes: int, rtol: float, parts: SemilinearForm, steps: int) -> GridSolution:
        return GridSolution(self._system, nodes, rtol, self._atol, self._budget, parts, steps)


def distance(coarse: GridSolution, fine: GridSolution) -> float:
    """Relative L2 distance at irregular points, of the worst field."""
    first, second = coarse.samples, fine.samples
    norms = np.linalg.norm(second, axis=1)
    return float(np.max(np.linalg.norm(first - second, axis=1) / np.where(norms > 0, norms, 1.0)))
