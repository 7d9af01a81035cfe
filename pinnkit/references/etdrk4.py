"""Exponential time differencing (ETDRK4) for w' = l w + N(t, w) with a diagonal linear part.

The fourth-order Runge-Kutta method of Cox and Matthews (2002), its coefficients by contour integrals after Kassam and
Trefethen (2005), "Fourth-order time-stepping for stiff PDEs":

    a = e^(lh/2) w + h Q N(w, t),                Q = (e^(z/2) - 1)/z,   z = l h
    b = e^(lh/2) w + h Q N(a, t + h/2)
    c = e^(lh/2) a + h Q (2 N(b, t + h/2) - N(w, t))
    w+ = e^z w + h (f1 N(w, t) + 2 f2 (N(a, t + h/2) + N(b, t + h/2)) + f3 N(c, t + h))
    f1 = (-4 - z + e^z (4 - 3 z + z^2))/z^3,  f2 = (2 + z + e^z (z - 2))/z^3,  f3 = (-4 - 3 z - z^2 + e^z (4 - z))/z^3
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from pinnkit.references.budget import Budget, OverBudget
from pinnkit.references.fourier_modes import FourierModes

CONTOUR = 32
"""Points of the contour, the unit circle about l h, for each coefficient."""
FEWEST, MOST = 200, 200 * 2**16
STORED = 10**8
"""Bytes of the stored states."""
ROUNDING = 1.5
"""Smallest factor by which halving the step reduces the difference above rounding level."""


OVERFLOWS, NEAR = 5, 0.02
"""Doublings of the steps that all overflow, at times that differ by less than this fraction of the whole: blow-up."""


class StoppedEarlyError(Exception):
    """The solution overflows with any number of steps; the argument is the time."""


Coefficients = tuple[np.ndarray, ...]


def step(
    factors: Coefficients, nonlinear: Callable[[float, np.ndarray], np.ndarray], t: float, w: np.ndarray, h: float
) -> np.ndarray:
    """The state at t + h, with the `coefficients` of this h."""
    half, whole, q, f1, f2, f3 = factors
    first = nonlinear(t, w)
    a = half * w + q * first
    second = nonlinear(t + h / 2, a)
    b = half * w + q * second
    third = nonlinear(t + h / 2, b)
    c = half * a + q * (2 * third - first)
    return whole * w + f1 * first + f2 * (second + third) + f3 * nonlinear(t + h, c)


def coefficients(eigenvalues: np.ndarray, h: float) -> Coefficients:
    """e^(z/2), e^z, h Q, h f1, 2 h f2, h f3, each of the shape of the eigenvalues."""
    z = h * eigenvalues
    q, f1, f2, f3 = (np.zeros_like(z) for _ in range(4))
    for angle in 2 * np.pi * (np.arange(CONTOUR) + 0.5) / CONTOUR:
        r = z + np.exp(1j * angle)
        e, cube = np.exp(r), r**3
        q += (np.exp(r / 2) - 1) / r
        f1 += (-4 - r + e * (4 - 3 * r + r**2)) / cube
        f2 += (2 + r + e * (r - 2)) / cube
        f3 += (-4 - 3 * r - r**2 + e * (4 - r)) / cube
    scale = h / CONTOUR
    return np.exp(z / 2), np.exp(z), scale * q, scale * f1, 2 * scale * f2, scale * f3


class ETDRK4:
    """The solution by ETDRK4, with the steps doubled until the estimated error is within the tolerance.

    Two solutions with N and 2 N steps differ by d. With r, the ratio of two such differences (16 for order 4), the
    error of the finer is about d/(r - 1); twice that is the estimate.

    States are stored at a bounded number of times; other times are reached from them by further steps.

    Args:
        steps: initial number of steps, FEWEST times a power of two.

    Attributes:
        error: the claimed relative error in time, of the Fourier coefficients.
        steps: their number.

    Raises:
        OverBudget: before two solutions could be compared.
        StoppedEarlyError: it blows up.
    """

    def __init__(
        self,
        modes: FourierModes,
        times: tuple[float, float],
        start: np.ndarray,
        tolerance: float,
        budget: Budget,
        steps: int = FEWEST,
    ) -> None:
        self._modes, self._times, self._check = modes, times, budget.check_time
        self._start = start.reshape(modes.eigenvalues.shape)
        self._coefficients = lru_cache(maxsize=8)(self._contour)
        self._limit = FEWEST * 2 ** max(0, int(np.log2(STORED / (16 * start.size * FEWEST))))
        self.steps, self._states, self.error = steps, self._run(steps), np.inf
        last, overflows = np.inf, 0
        while self.error > tolerance and self.steps < MOST:
            former = self._reached
            try:
                finer = self._run(2 * self.steps)
            except OverBudget:
                if not np.isfinite(self.error):
                    raise
                break
            moved = self._distance(finer)
            overflows = 0 if self._reached >= times[1] else overflows + 1
            if overflows >= OVERFLOWS and abs(self._reached - former) < NEAR * (times[1] - times[0]):
                raise StoppedEarlyError(self._reached)
            if moved < 1e-6 and last < moved * ROUNDING:
                self.error = max(self.error, moved)
                break
            self.steps, self._states = 2 * self.steps, finer
            if np.isfinite(moved):
                ratio = np.clip(last / moved, 2, 16) if moved else 16
                self.error = min(moved, 2 * moved / (ratio - 1))
            last = moved
        self._check = lambda: None  # evaluating the solution is not part of the budget
        if not np.isfinite(self.error):
            raise StoppedEarlyError(self._reached)

    def _run(self, steps: int) -> np.ndarray:
        """(stored + 1, states, modes): states at equidistant times."""
        stored = min(steps, self._limit)
        h, every = (self._times[1] - self._times[0]) / steps, steps // stored
        states = np.empty((stored + 1, *self._start.shape), dtype=complex)
        states[0] = w = self._start
        self._reached = self._times[1]
        for step in range(steps):
            w = self._step(self._times[0] + step * h, w, h)
            if (step + 1) % every == 0:
                states[(step + 1) // every] = w
                if not np.all(np.isfinite(w)):
                    states[(step + 1) // every :] = np.nan
                    self._reached = self._times[0] + (step + 1) * h
                    break
        return states

    def _distance(self, finer: np.ndarray) -> float:
        """The largest difference at the common stored times, relative to the largest state."""
        stride = (len(finer) - 1) // (len(self._states) - 1)
        norms = [float(np.linalg.norm(one - other)) for one, other in zip(self._states, finer[::stride], strict=True)]
        found = max(norms) / max(*(float(np.linalg.norm(one)) for one in finer), 1e-300)
        return found if np.all(np.isfinite(norms)) else np.inf

    def _step(self, t: float, w: np.ndarray, h: float) -> np.ndarray:
        self._check()
        return step(self._coefficients(h), self._modes.nonlinear, t, w, h)

    def _contour(self, h: float) -> Coefficients:
        return coefficients(self._modes.eigenvalues, h)

    def __call__(self, times: np.ndarray) -> np.ndarray:
        """(size, k): the states at any times: (k,)."""
        begin, end = self._times
        h, spacing = (end - begin) / self.steps, (end - begin) / (len(self._states) - 1)
        columns = []
        for t in times:
            index = min(int((t - begin) / spacing + 1e-9), len(self._states) - 1)
            w, at = self._states[index], begin + index * spacing
            if t - at > 1e-9 * spacing:
                count = int(np.ceil((t - at) / h - 1e-9))
                for step in range(count):
                    w = self._step(at + step * (t - at) / count, w, (t - at) / count)
            columns.append(w.ravel())
        return np.stack(columns, axis=1)
