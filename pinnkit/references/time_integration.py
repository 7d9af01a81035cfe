"""Time integration of the method of lines, and evaluation of the solution."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from pinnkit.references.budget import Budget
from pinnkit.references.dop853 import StepTooSmallError, dop853
from pinnkit.references.etdrk4 import ETDRK4, StoppedEarlyError
from pinnkit.references.evolution_system import EvolutionSystem
from pinnkit.references.fourier_modes import FourierModes
from pinnkit.references.hermite import HermiteInterpolant
from pinnkit.references.method_of_lines import MethodOfLines, evaluate_at
from pinnkit.references.quasirandom import quasirandom_points
from pinnkit.references.semilinear import SemilinearForm
from pinnkit.references.unsupported import UnsupportedProblem

EXPLICIT, IMPLICIT = "DOP853", "Radau"
INTEGRATING_FACTOR, EXPONENTIAL = "DOP853 with an integrating factor", "ETDRK4"
MAX_RATE_EVALUATIONS = {EXPLICIT: 5_000, IMPLICIT: 100_000}
"""Evaluations of the rate that a method may take for the whole time. The explicit one may take the square of the
number of states, if that is more, as a step of the implicit one costs the cube; and in time alone as many as the
implicit one."""
CHECK_EVERY = {EXPLICIT: 1_000, IMPLICIT: 10_000}
EXPLICIT_FACTOR, LEAST_RTOL = 1e-2, 3e-14
"""Factor on the tolerances of the explicit method, whose interpolant amplifies errors of stiff modes, and their
least value."""
MAX_DAMPING_EXPONENT = 3.0
"""Largest exponent of an integrating factor over the whole time; ETDRK4 is used beyond it."""
CHUNK = 2**21
"""Numbers in an array of weights."""
FEWEST_STEPS = 200
SAMPLES = 101, 401
"""Times and points at which solutions are compared."""
EARLY_TIMES = 25, 1e-5, 1e-2
"""Number, first and last of further times in geometric progression, as fractions of the duration: they resolve layers
from initial values that violate the boundary conditions."""


class TooManyStepsError(Exception):
    """A method would exceed its evaluations of the rate."""


class StoppedError(Exception):
    """The integration stopped: the solution blows up, or the grid is too coarse.

    Attributes: t, the time; nodes, the grid's.
    """

    def __init__(self, t: float, end: float, nodes: int, why: str) -> None:
        super().__init__(f"the integration in time stopped at t = {t:.6g} of {end:g}, {why}")
        self.t, self.nodes = t, nodes


class GridSolution:
    """The solution of a system on one grid, at one tolerance.

    With `parts`, for Fourier coefficients: DOP853 with the integrating factor e^(-lt) where the linear part does not
    damp (dispersion), ETDRK4 where it does. Without, DOP853 (explicit, order 8) where stability allows large steps,
    otherwise Radau (implicit, order 5, with the exact Jacobian); Hairer, Norsett and Wanner 1993 and 1996.

    Args:
        nodes: number of nodes in x.
        rtol, atol: tolerances of a step; for ETDRK4 rtol is that of the whole.
        budget: limits on time and memory.
        parts: the semilinear form; None to treat all terms alike.
        steps: least number of steps (initial number for ETDRK4), which bounds the error of the interpolant.

    Attributes:
        method, rtol, steps: the method, the relative tolerance and the least number of steps that were used.
        grid: the nodes in x.
        seconds: processor time of the integration.
        error: estimate of the relative error in time, None if the method has none.

    Raises:
        TooManyStepsError: of both methods; the tolerances are below the rounding of the derivatives in x.
        StoppedError: the integration stopped before the upper end of t.
        OverBudget: it would take more time or memory than allowed.
        NotDiagonalError: the linear part cannot be diagonalised.
        UnsupportedProblem: the start is not finite, or the conditions do not determine the fields at the ends.
    """

    def __init__(
        self,
        system: EvolutionSystem,
        nodes: int,
        rtol: float,
        atol: float,
        budget: Budget,
        parts: SemilinearForm | None = None,
        steps: int = FEWEST_STEPS,
    ) -> None:
        self._system, self._budget, began = system, budget, budget.processor_time
        self.steps = steps
        self.nodes, self.rtol, self._atol = nodes, rtol, atol
        self.error: float | None = None
        self._solution: Callable[[np.ndarray], np.ndarray]
        self._space: FourierModes | MethodOfLines
        with np.errstate(all="ignore"):  # a step that overflows is rejected by its error estimate
            if parts is not None:
                modes = self._space = FourierModes(system, nodes, parts, budget)
                self._integrate_modes(modes)
            else:
                lines = self._space = MethodOfLines(system, nodes, budget)
                self._integrate_lines(lines)
        self.grid = self._space.grid
        self.seconds = budget.processor_time - began

    def _integrate_modes(self, modes: FourierModes) -> None:
        begin, end = self._system.times
        start = modes.start()
        self._expect_finite(start, modes.nonlinear(begin, start.reshape(modes.eigenvalues.shape)))
        if np.abs(modes.eigenvalues.real).max() * (end - begin) > MAX_DAMPING_EXPONENT:
            self.method = EXPONENTIAL
            try:
                found = ETDRK4(modes, (begin, end), start, self.rtol, self._budget, self._enough_steps())
            except StoppedEarlyError as error:
                raise self._stopped_error(error.args[0], "its values no longer finite") from None
            self.error, self.steps, self._solution = found.error, found.steps, found
            return
        self.method = INTEGRATING_FACTOR
        eigenvalues = modes.eigenvalues

        def rate(t: float, v: np.ndarray) -> np.ndarray:
            turn = np.exp((t - begin) * eigenvalues)
            return (modes.nonlinear(t, turn * v.reshape(turn.shape)) / turn).ravel()

        self._atol = self.rtol * self._size(modes, start) or self._atol
        rotated = self._explicit(rate, start)

        def solution(times: np.ndarray) -> np.ndarray:
            return np.exp(np.multiply.outer(eigenvalues.ravel(), times - begin)) * rotated(times)

        self._solution = solution

    def _size(self, modes: FourierModes, start: np.ndarray) -> float:
        """Root mean square of the start, or of the sources times the duration if that is more."""
        begin, end = self._system.times
        zero = np.zeros_like(start).reshape(modes.eigenvalues.shape)
        rests = [float(np.linalg.norm(modes.nonlinear(t, zero))) for t in quasirandom_points(SAMPLES[0], begin, end)]
        largest = max([0.0, *(rest for rest in rests if np.isfinite(rest))])
        return float(max(float(np.linalg.norm(start)), (end - begin) * largest) / np.sqrt(start.size))

    def _enough_steps(self) -> int:
        """Number of steps, FEWEST_STEPS times a power of two, that resolves the functions of t."""
        begin, end = self._system.times
        ratio = (end - begin) / (self._system.time_step_limit.shortest(FEWEST_STEPS) * FEWEST_STEPS)
        return max(self.steps, FEWEST_STEPS * 2 ** int(np.ceil(np.log2(max(ratio, 1.0)))))

    def _integrate_lines(self, lines: MethodOfLines) -> None:
        start = lines.start()
        self._expect_finite(start, lines.rate(self._system.times[0], start))
        wanted = self.rtol, self._atol
        self.method = EXPLICIT
        self.rtol, self._atol = max(EXPLICIT_FACTOR * self.rtol, LEAST_RTOL), EXPLICIT_FACTOR * self._atol
        try:
            self._solution = self._explicit(self._limited_rate(lines), start)
        except TooManyStepsError:
            self.method = IMPLICIT
            self.rtol, self._atol = wanted
            self._solution = self._implicit(lines, start)

    def _expect_finite(self, *arrays: np.ndarray) -> None:
        if not all(np.all(np.isfinite(array)) for array in arrays):
            raise UnsupportedProblem(f"its fields or their rates are not finite at the start, t = {self._begin:g}")

    @property
    def _begin(self) -> float:
        return self._system.times[0]

    def _explicit(self, rate: Callable, start: np.ndarray) -> Callable:
        begin, end = self._system.times

        def checked(t: float, y: np.ndarray) -> np.ndarray:
            self._budget.check_time()
            return rate(t, y)

        times: list[Any] = []
        states: list[Any] = []
        rates: list[Any] = []
        steps = dop853(checked, begin, end, start, self.rtol, self._atol, self._longest)
        try:
            for step in steps:
                for kept, value in zip((times, states, rates), step, strict=True):
                    kept.append(value)
                self._budget.check_memory(2 * start.nbytes * len(times))
        except StepTooSmallError as error:
            raise self._stopped_error(error.args[0], "its steps too small") from None
        return HermiteInterpolant(np.array(times), states, rates)

    def _longest(self, t: float) -> float:
        return self._system.time_step_limit.longest(t, self.steps)

    def _implicit(self, lines: MethodOfLines, start: np.ndarray) -> Callable:
        from scipy.integrate import OdeSolution, Radau

        begin, end = self._system.times

        def jacobian(t: float, y: np.ndarray) -> np.ndarray:
            self._budget.check_time()
            found = lines.jacobian(t, y)
            if not np.all(np.isfinite(found)):
                raise self._stopped_error(t, "its rates no longer finite")
            return found

        tolerances: dict[str, Any] = {"rtol": self.rtol, "atol": self._atol, "max_step": self._longest(begin)}
        solver = Radau(self._limited_rate(lines), begin, start, end, jac=jacobian, **tolerances)
        times, pieces = [begin], []
        while solver.status == "running":
            solver.max_step = self._longest(solver.t)
            solver.step()
            if solver.status == "failed":
                raise self._stopped_error(solver.t, "its steps too small")
            times.append(solver.t)
            pieces.append(solver.dense_output())
            self._budget.check_memory(4 * start.nbytes * len(times))
        return OdeSolution(times, pieces)

    def _stopped_error(self, t: float, why: str) -> StoppedError:
        return StoppedError(t, self._system.times[1], self.nodes, why)

    def _limited_rate(self, lines: MethodOfLines) -> Callable:
        """The rate, which raises TooManyStepsError once the remaining time is expected to exceed the evaluations."""
        afforded, every = MAX_RATE_EVALUATIONS[self.method], CHECK_EVERY[self.method]
        if self.method == EXPLICIT:
            afforded = max(afforded, lines.size**2) if self._system.space else max(MAX_RATE_EVALUATIONS.values())
        count, last, end = 0, *self._system.times

        def rate(t: float, y: np.ndarray) -> np.ndarray:
            nonlocal count, last
            self._budget.check_time()
            count += 1
            if count % every == 0:
                if every * (end - t) > (afforded - count) * (t - last):
                    raise TooManyStepsError
                last = t
            return lines.rate(t, y)

        return rate

    @cached_property
    def samples(self) -> np.ndarray:
        """(fields, n) at quasirandom times and points."""
        begin, end = self._system.times
        count, first, last = EARLY_TIMES
        early = begin + (end - begin) * np.geomspace(first, last, count)
        t = np.sort(np.concatenate([quasirandom_points(SAMPLES[0], begin, end), early]))
        x = quasirandom_points(SAMPLES[1], *self._system.interval)
        moments, places = np.meshgrid(t, x, indexing="ij")
        return self(places.ravel(), moments.ravel())

    def __call__(self, x: np.ndarray, t: np.ndarray) -> np.ndarray:
        """(fields, n) at the points x: (n,), t: (n,)."""
        values = np.empty((len(self._system.fields), len(t)))
        order = np.argsort(t, kind="stable")  # points of one time together: each time is prepared once a chunk
        chunk = max(CHUNK // self.nodes, 1)
        for begin in range(0, len(t), chunk):
            part = order[begin : begin + chunk]
            times, index = np.unique(t[part], return_inverse=True)
            states = self._solution(times)
            nodal = np.stack([self._space.fields(time, y) for time, y in zip(times, states.T, strict=True)])
            places, where = np.unique(x[part], return_inverse=True)
            weights = self._space.grid.interpolation(places)
            on_grid = len(places) * len(times) <= 4 * len(part)
            for field in range(len(values)):
                if on_grid:
                    values[field, part] = (weights @ nodal[:, field].T)[where, index]
                else:
                    values[field, part] = np.einsum("pn,pn->p", weights[where], nodal[index, field])
        at_start = t == self._system.times[0]  # known exactly, even where the grid cannot resolve it
        starts = [self._system.start[field, 0] for field in self._system.fields]
        values[:, at_start] = [evaluate_at(start, x[at_start]) for start in starts]
        return values
