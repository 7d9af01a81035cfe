"""Time integration of a discretization by an implicit Runge-Kutta method of order three."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from pinnkit.references.budget import Budget
from pinnkit.references.fem.discretization import Discretization
from pinnkit.references.fem.newton import NotConverged, continued, simplified_newton

GAMMA = 0.43586652150845967
"""The root of x^3 - 3 x^2 + 3 x / 2 - 1 / 6 at which Alexander's method is L-stable."""
NODES = GAMMA, (1 + GAMMA) / 2, 1.0
STAGES = (
    (GAMMA, 0.0, 0.0),
    ((1 - GAMMA) / 2, GAMMA, 0.0),
    (-1.5 * GAMMA**2 + 4 * GAMMA - 0.25, 1.5 * GAMMA**2 - 5 * GAMMA + 1.25, GAMMA),
)
"""Coefficients; the last stage is the new state (Alexander, SIAM J. Numer. Anal. 14, 1977)."""
EARLY = 4
"""The first step is halved this many times, for a start that does not meet the conditions."""
POINTS = 4
"""Times between which the solution is interpolated."""


@dataclass(frozen=True)
class Trajectory:
    """States (n, unknowns) at times (n,), interpolated by cubic polynomials through the nearest four."""

    times: np.ndarray
    states: np.ndarray

    def weights(self, moments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The first (n,) of the four states that count at each of these moments (n,), and their weights (n, 4)."""
        interval = np.searchsorted(self.times, moments, side="right") - 1
        first = np.clip(interval - 1, 0, len(self.times) - POINTS)
        nodes = self.times[first[:, None] + np.arange(POINTS)]
        weights = np.ones(nodes.shape)
        for i in range(POINTS):
            for j in range(POINTS):
                if i != j:
                    weights[:, i] *= (moments - nodes[:, j]) / (nodes[:, i] - nodes[:, j])
        return first, weights


def step_times(begin: float, end: float, steps: int) -> np.ndarray:
    """Equal steps, but for the first: it is made of smaller ones that double."""
    times = np.linspace(begin, end, steps + 1)
    early = times[0] + (times[1] - times[0]) * 2.0 ** np.arange(-EARLY, 0)
    return np.concatenate([times[:1], early, times[1:]])


def integrate(discretization: Discretization, begin: float, end: float, steps: int, budget: Budget) -> Trajectory:
    """The states at `step_times`.

    Raises:
        NotConverged: the nonlinear equations of a stage have no solution that is found.
        OverBudget: the time is over, or the states would take too much memory.
    """
    times = step_times(begin, end, steps)
    budget.check_memory(8 * discretization.size * len(times))
    y = discretization.prescribe(discretization.start(), begin)
    states = [y]
    solvers: dict[float, Callable[[np.ndarray], np.ndarray]] = {}
    for start, stop in itertools.pairwise(times):
        budget.check_time()
        y = _step(discretization, start, stop - start, y, solvers, budget)
        states.append(y)
    found = np.array(states)
    _complete_start(discretization, times, found)
    return Trajectory(times, found)


def _step(
    discretization: Discretization,
    time: float,
    length: float,
    y: np.ndarray,
    solvers: dict[float, Callable[[np.ndarray], np.ndarray]],
    budget: Budget,
) -> np.ndarray:
    rates: list[np.ndarray] = []
    per_rate = 1 / (length * GAMMA)
    key = float(f"{per_rate:.10e}")  # steps of one length share their factors
    state = y
    for node, row in zip(NODES, STAGES, strict=True):
        moment = time + node * length
        past = y + length * sum((factor * rate for factor, rate in zip(row, rates, strict=False)), np.zeros_like(y))
        state = discretization.prescribe(state, moment)
        full = partial(discretization.complete, prescribed=state)

        def residual(
            z: np.ndarray, moment: float = moment, past: np.ndarray = past, full: Callable = full
        ) -> np.ndarray:
            here = full(z)
            return discretization.residual(moment, here, (here - past) * per_rate)

        def jacobian(z: np.ndarray, moment: float = moment, past: np.ndarray = past, full: Callable = full) -> Any:
            here = full(z)
            return discretization.jacobian(moment, here, (here - past) * per_rate, per_rate)

        z = state[discretization.free]
        if discretization.linear:
            if key not in solvers:
                solvers.clear()
                solvers[key] = discretization.factorised(jacobian(z))
            z = z - solvers[key](residual(z))
        else:
            known = solvers.pop(key, None)
            solvers.clear()
            z, solvers[key] = simplified_newton(residual, jacobian, z, discretization.factorised, budget, known)
        state = discretization.fix_constants(full(z), moment)
        if not np.all(np.isfinite(state)):
            raise NotConverged
        rates.append((state - past) * per_rate)
    return state


def _complete_start(discretization: Discretization, times: np.ndarray, states: np.ndarray) -> None:
    """Fields without a derivative in time have no start: theirs is extrapolated from the next three states."""
    nodes = times[1:4]
    weights = np.array([np.prod([(times[0] - b) / (a - b) for b in nodes if b != a]) for a in nodes])
    for name, slot in discretization.spaces.slots.items():
        if name not in discretization.system.evolving:
            states[0, slot] = weights @ states[1:4, slot]


def steady(discretization: Discretization, start: np.ndarray | None, budget: Budget) -> np.ndarray:
    """The unknowns of a steady system; `start` may be a guess of them.

    Raises:
        NotConverged: Newton's method finds no solution.
    """
    fixed = discretization.prescribe(np.zeros(discretization.size) if start is None else start, None)

    full = partial(discretization.complete, prescribed=fixed)
    z = continued(
        lambda z: discretization.residual(None, full(z)),
        lambda z: discretization.jacobian(None, full(z)),
        fixed[discretization.free],
        discretization.factorised,
        budget,
        discretization.linear,
    )
    return discretization.fix_constants(full(z), None)
