"""Refinement of a solution in space and time until its estimated error is small."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import NoReturn, cast

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
TARGET_ERROR = 1e-8  # refinement ends below this estimate
TIME_FACTOR = 10.0
LARGEST_TOLERANCE = 1e-7  # of a step in time; the integration is given up beyond it
STIFF = 200, 2_500
"""Largest eigenvalue of the linear part times duration above which exponential methods are used: at first, and after
refinements."""
FIRST_TOLERANCES = {EXPONENTIAL: 1e-6, INTEGRATING_FACTOR: 1e-8}
TOLERANCE_FACTOR, TIME_MARGIN = 100.0, 4.0
"""A method of order 8 with a hundredth of the tolerance and half the longest step has less than a quarter of the
error."""
TIME_SHARE = 0.25
"""Fraction of the time budget, as processor time, that a further refinement of an acceptable solution may reach."""
ACCEPTABLE_ERROR = 1e-2
SAME_TIME = 1e-3
"""Relative difference of two blow-up times that confirm each other."""


@dataclass(frozen=True)
class RefinementResult:
    """The finest solution and the parts of its estimated error, in relative L2 norms.

    Attributes:
        space_error, time_error: changes by the last refinement in space and in time.
        interpolation_error: estimate from the problem's functions (`InterpolationError`).
    """

    solution: GridSolution
    space_error: float
    time_error: float
    interpolation_error: float

    @property
    def error(self) -> float:
        return self.space_error + self.time_error + self.interpolation_error


class Refinement:
    """Sequence of solutions of one system on finer grids and with smaller tolerances.

    Args:
        nodes: even number of nodes in x; None: as many as are needed.
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
            OverBudget: the budget ended before there was a pair.
            StoppedError: the integration fails on every grid.
            UnsupportedProblem: it fails at the same time on both of the finest grids (with two tolerances, without x),
                or it takes too many steps with every tolerance.
        """
        parts = self._stiff_form(self._first, STIFF[0])
        return self._refine_exponential(parts, self._first) if parts else self._refine_unsplit()

    def _confirm(self, first: StoppedError, other: Callable[[], GridSolution]) -> NoReturn:
        """Raise UnsupportedProblem if another integration stops at the time of the first, StoppedError otherwise.

        One on the same grid confirms nothing.
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

    def _stiff_form(self, nodes: int, limit: float) -> SemilinearForm | None:
        """The semilinear form, if it is stiff enough for exponential methods."""
        if not (self._system.boundary.periodic and self._parts.complete):
            return None
        try:
            eigenvalues = FourierModes(self._system, nodes, self._parts, self._budget).eigenvalues
        except NotDiagonalError:
            return None
        begin, end = self._system.times
        return self._parts if np.abs(eigenvalues).max() * (end - begin) > limit else None

    def _refine_unsplit(self) -> RefinementResult:
        """Refine with all terms treated alike; with larger tolerances where rounding prevents these."""
        system, budget, count, rtol, atol = self._system, self._budget, self._first, self._rtol, self._atol
        while True:
            try:
                solution, finer, time_error = self._first_pair(count, rtol, atol)
                break
            except TooManyStepsError:
                if rtol > LARGEST_TOLERANCE:
                    raise UnsupportedProblem(f"it takes too many steps in time, even with rtol {rtol:.0e}") from None
                rtol, atol = TIME_FACTOR * rtol, TIME_FACTOR * atol
            except StoppedError as error:
                if system.space is None:
                    looser = TIME_FACTOR * rtol, TIME_FACTOR * atol  # than both tolerances of the pair
                    self._confirm(error, partial(self._coarse_time, count, *looser))
                if count >= self._most:
                    self._confirm(error, partial(GridSolution, system, count, rtol, atol, budget))
                count *= 2
        if system.space is None:
            return RefinementResult(solution, 0.0, time_error, 0.0)
        coarse, found = solution, self._result(solution, finer, time_error)
        while found.space_error + found.interpolation_error > TARGET_ERROR and finer.nodes < self._most:
            parts = self._stiff_form(2 * finer.nodes, STIFF[1])
            try:
                if parts:
                    return self._refine_exponential(parts, 2 * finer.nodes)
                refined = self._result(finer, GridSolution(system, 2 * finer.nodes, rtol, atol, budget), time_error)
            except (TooManyStepsError, StoppedError, OverBudget):
                break
            if not self._better(refined, found):  # rounding, which grows with the nodes
                break
            coarse, found, finer = finer, refined, refined.solution
        return self._with_time_error(found, coarse, rtol, atol) if coarse is not solution else found

    def _with_time_error(
        self, found: RefinementResult, coarse: GridSolution, rtol: float, atol: float
    ) -> RefinementResult:
        """The result with its error in time measured on a finer grid than the first."""
        try:
            loose = self._coarse_time(coarse.nodes, rtol, atol)
        except (TooManyStepsError, StoppedError, OverBudget):
            return found
        return replace(found, time_error=max(found.time_error, distance(loose, coarse)))

    def _result(self, coarse: GridSolution, fine: GridSolution, time_error: float) -> RefinementResult:
        return RefinementResult(
            fine, distance(coarse, fine), time_error, cast(InterpolationError, self._interpolation_error)(fine)
        )

    @staticmethod
    def _better(new: RefinementResult, old: RefinementResult) -> bool:
        """Whether the new result is better, or the old one had mostly an interpolation error."""
        return new.error < old.error or old.interpolation_error > old.space_error

    def _first_pair(self, nodes: int, rtol: float, atol: float) -> tuple[GridSolution, GridSolution, float]:
        """The solutions with half the nodes and with all, and the change of the first by a coarser time step."""
        system, budget = self._system, self._budget
        solution = GridSolution(system, nodes // 2, rtol, atol, budget)
        loose = self._coarse_time(nodes // 2, rtol, atol)
        finer = GridSolution(system, nodes, rtol, atol, budget) if system.space else solution
        return solution, finer, distance(loose, solution)

    def _coarse_time(self, nodes: int, rtol: float, atol: float) -> GridSolution:
        bounds = TIME_FACTOR * rtol, TIME_FACTOR * atol
        return GridSolution(self._system, nodes, *bounds, self._budget, steps=FEWEST_STEPS // 2)

    def _refine_exponential(self, parts: SemilinearForm, count: int) -> RefinementResult:
        """Refine by exponential methods, in space or in time, whichever has the larger error."""
        while True:
            try:
                rtol = max(self._rtol, FIRST_TOLERANCES[EXPONENTIAL])
                coarse = self._integrate(count // 2, rtol, parts, FEWEST_STEPS)
                if coarse.method == INTEGRATING_FACTOR:
                    rtol = max(self._rtol, FIRST_TOLERANCES[INTEGRATING_FACTOR])
                    coarse = self._integrate(count // 2, rtol, parts, FEWEST_STEPS)
                finer = self._integrate(count, rtol, parts, FEWEST_STEPS)
                time_error = finer.error
                if time_error is None:
                    time_error = distance(self._integrate(count, TIME_FACTOR * rtol, parts, FEWEST_STEPS // 2), finer)
                break
            except StoppedError as error:
                if count >= self._most:
                    self._confirm(error, partial(self._integrate, count, rtol, parts, FEWEST_STEPS))
                count *= 2
        found = self._result(coarse, finer, time_error)
        stuck: set[str] = set()
        while found.error > TARGET_ERROR and (way := self._next_refinement(found, stuck)):
            longer = self._budget.processor_time + 2 * found.solution.seconds > TIME_SHARE * self._budget.seconds
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

    def _next_refinement(self, found: RefinementResult, stuck: set[str]) -> str | None:
        """What to refine next: `space` or `time`; None if neither can be."""
        least = self._rtol if found.solution.error is not None else max(EXPLICIT_FACTOR * self._rtol, LEAST_RTOL)
        movable = {
            "space": found.solution.nodes < self._most and "space" not in stuck,
            "time": found.solution.rtol > least and "time" not in stuck,
        }
        moved = {"space": found.space_error + found.interpolation_error, "time": found.time_error}
        ways = [way for way in movable if movable[way] and moved[way] >= TARGET_ERROR / 2]
        return max(ways, key=moved.__getitem__) if ways else None

    def _finer_space(self, found: RefinementResult, parts: SemilinearForm) -> RefinementResult:
        old = found.solution
        finest = self._integrate(2 * old.nodes, old.rtol, parts, old.steps if old.error is None else old.steps // 2)
        return self._result(old, finest, found.time_error if finest.error is None else finest.error)

    def _finer_time(self, found: RefinementResult, parts: SemilinearForm) -> RefinementResult:
        """The result with a tolerance and longest step that reduce the error at least by TIME_MARGIN."""
        old, rtol = found.solution, found.solution.rtol / TOLERANCE_FACTOR
        if old.error is not None:
            finest = self._integrate(old.nodes, rtol, parts, old.steps)
            return RefinementResult(finest, found.space_error, cast(float, finest.error), found.interpolation_error)
        coarse, finest = (self._integrate(nodes, rtol, parts, 2 * old.steps) for nodes in (old.nodes // 2, old.nodes))
        return self._result(coarse, finest, distance(old, finest) / TIME_MARGIN)

    def _integrate(self, nodes: int, rtol: float, parts: SemilinearForm, steps: int) -> GridSolution:
        return GridSolution(self._system, nodes, rtol, self._atol, self._budget, parts, steps)


def distance(coarse: GridSolution, fine: GridSolution) -> float:
    """Relative L2 distance of the worst field at quasirandom points."""
    first, second = coarse.samples, fine.samples
    norms = np.linalg.norm(second, axis=1)
    return float(np.max(np.linalg.norm(first - second, axis=1) / np.where(norms > 0, norms, 1.0)))
