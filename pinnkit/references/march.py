"""Integrating the method of lines in time, and evaluating what comes out anywhere."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pinnkit.references.lines import Lines
from pinnkit.references.system import System
from pinnkit.references.unsupported import UnsupportedProblem

EXPLICIT, IMPLICIT = "DOP853", "Radau"
AFFORDED = {EXPLICIT: 5_000, IMPLICIT: 100_000}
"""Evaluations of the rate that a method may take for the whole time. The explicit one may take the square of the
number of states, where that is more, for the steps of the implicit one cost the cube; and in time alone as many as the
implicit one."""
LOOK_EVERY = {EXPLICIT: 1_000, IMPLICIT: 10_000}
EXPLICIT_FACTOR, LEAST_RTOL = 1e-2, 3e-14
"""The explicit method gets tighter tolerances, as far as rounding allows: between its steps its interpolant amplifies
the errors of stiff modes, which tighter tolerances diminish at little cost."""
CHUNK = 4096
FEWEST_STEPS = 200


class TooManyStepsError(Exception):
    """A method is on the way to more evaluations of the rate than it is afforded."""


class StoppedError(Exception):
    """The steps in time became too small: the solution blows up, or the grid is too coarse for it."""


class March:
    """The solution of a system on one grid, at one tolerance.

    Integrates with DOP853 (explicit, order 8) where stability lets it take large steps and with Radau (implicit, order
    5, with the exact Jacobian) otherwise; Hairer, Norsett and Wanner 1993 and 1996.

    Args:
        nodes: number of nodes in x.
        rtol, atol: tolerances of a step.
        steps: the fewest steps. The error of a step says nothing of the interpolant within it, which is the larger one
            where a stiff problem lets steps be long.

    Attributes:
        method, rtol: the method and the relative tolerance that were used.

    Raises:
        TooManyStepsError: of both methods; the tolerances are below the rounding of the derivatives in x.
        StoppedError: the solution could not be followed to the upper end of t.
        UnsupportedProblem: the start is not finite, or the conditions do not determine the fields at the ends.
    """

    def __init__(self, system: System, nodes: int, rtol: float, atol: float, steps: int = FEWEST_STEPS) -> None:
        self._system, self._steps = system, steps
        self._lines = Lines(system, nodes)
        self.rtol, self._atol = max(EXPLICIT_FACTOR * rtol, LEAST_RTOL), EXPLICIT_FACTOR * atol
        self.grid_name = self._lines.grid.name
        self.nodes = nodes
        with np.errstate(all="ignore"):  # a step that overflows is rejected by its error estimate
            start = self._lines.start()
            first = self._lines.rate(system.times[0], start)
            if not (np.all(np.isfinite(start)) and np.all(np.isfinite(first))):
                raise UnsupportedProblem(
                    f"its fields or their rates are not finite at the start, t = {system.times[0]:g}"
                )
            self.method = EXPLICIT
            try:
                self._solution = self._integrate(start)
            except TooManyStepsError:
                self.method = IMPLICIT
            if self.method == IMPLICIT:
                self.rtol, self._atol = rtol, atol
                self._solution = self._integrate(start, jac=self._lines.jacobian)

    def _integrate(self, start: np.ndarray, **more: Callable) -> Callable:
        from scipy.integrate import solve_ivp  # slow to import, and most problems have another reference

        times = self._system.times
        bounds = {"rtol": self.rtol, "atol": self._atol, "max_step": (times[1] - times[0]) / self._steps}
        found = solve_ivp(self._watched(), times, start, method=self.method, dense_output=True, **bounds, **more)
        if found.status != 0:
            raise StoppedError(
                f"the integration in time stopped at t = {found.t[-1]:.6g} of {times[1]:g}, its steps too small, "
                "as where a solution blows up"
            )
        return found.sol

    def _watched(self) -> Callable:
        """The rate, which raises TooManyStepsError once the rest of the time looks to take more than is afforded."""
        afforded, every = AFFORDED[self.method], LOOK_EVERY[self.method]
        if self.method == EXPLICIT:
            afforded = max(afforded, self._lines.size**2) if self._system.space else max(AFFORDED.values())
        count, last, end = 0, *self._system.times

        def rate(t: float, y: np.ndarray) -> np.ndarray:
            nonlocal count, last
            count += 1
            if count % every == 0:
                if every * (end - t) > (afforded - count) * (t - last):
                    raise TooManyStepsError
                last = t
            return self._lines.rate(t, y)

        return rate

    def __call__(self, x: np.ndarray, t: np.ndarray) -> np.ndarray:
        """(fields, n) at the points x: (n,), t: (n,)."""
        values = np.empty((len(self._system.fields), len(t)))
        order = np.argsort(t, kind="stable")  # points of one time together: each time is prepared once a chunk
        for begin in range(0, len(t), CHUNK):
            part = order[begin : begin + CHUNK]
            times, index = np.unique(t[part], return_inverse=True)
            states = self._solution(times)
            nodal = np.stack([self._lines.fields(time, y) for time, y in zip(times, states.T, strict=True)])
            places, where = np.unique(x[part], return_inverse=True)
            weights = self._lines.grid.interpolation(places)
            on_grid = len(places) * len(times) <= 4 * len(part)
            for field in range(len(values)):
                if on_grid:
                    values[field, part] = (weights @ nodal[:, field].T)[where, index]
                else:
                    values[field, part] = np.einsum("pn,pn->p", weights[where], nodal[index, field])
        at_start = t == self._system.times[0]  # known exactly, even where the grid cannot resolve it
        values[:, at_start] = self._lines.fields_at_start(x[at_start])
        return values
