"""Explicit Runge-Kutta method DOP853 (order 8, embedded orders 5 and 3; Hairer, Norsett and Wanner 1993, II.5).

With SciPy's coefficients, but without its sums by BLAS, which are slow on small arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

SAFETY, LEAST, MOST = 0.9, 0.2, 10.0
EXPONENT = -1 / 8


class StepTooSmallError(Exception):
    """A step fell below the spacing of floating-point numbers; the argument is the time."""


def dop853(
    rate: Callable[[float, np.ndarray], np.ndarray],
    begin: float,
    end: float,
    start: np.ndarray,
    rtol: float,
    atol: float,
    longest: Callable[[float], float],
) -> Iterator[tuple[float, np.ndarray, np.ndarray]]:
    """(t, y, y') after each step from `begin` to `end`, the start first.

    Args:
        start: (size,), real or complex.
        longest: time -> upper bound on the step from there.

    Raises:
        StepTooSmallError: the error cannot be brought below the tolerance.
    """
    from scipy.integrate import DOP853  # slow to import, and most problems have another reference

    a, b, c, e3, e5 = (np.asarray(part) for part in (DOP853.A, DOP853.B, DOP853.C, DOP853.E3, DOP853.E5))
    a, b, e3, e5 = (part.astype(start.dtype) for part in (a, b, e3, e5))
    stages = np.empty((len(b) + 1, len(start)), dtype=start.dtype)
    t, y, slope = begin, start, rate(begin, start)
    yield t, y, slope
    h = _first(rate, t, y, slope, rtol, atol, longest(t))
    while t < end:
        h = min(h, longest(t))
        grow = MOST
        while True:
            if not h >= 10 * np.spacing(abs(t)):  # NaN too
                raise StepTooSmallError(t)
            new = min(t + h, end)
            h = new - t
            stages[0] = slope
            for stage in range(1, len(b)):
                moved = y + h * np.einsum("s,sk->k", a[stage, :stage], stages[:stage])
                stages[stage] = rate(t + c[stage] * h, moved)
            after = y + h * np.einsum("s,sk->k", b, stages[:-1])
            stages[-1] = rate(new, after)
            scale = atol + rtol * np.maximum(np.abs(y), np.abs(after))
            error = _norm(h, stages, scale, e5, e3)
            if error < 1:
                break
            h *= max(LEAST, SAFETY * error**EXPONENT) if np.isfinite(error) else LEAST
            grow = 1.0  # no growth after a rejected step
        h *= min(grow, SAFETY * error**EXPONENT) if error else grow
        t, y, slope = new, after, stages[-1].copy()
        yield t, y, slope


def _norm(h: float, stages: np.ndarray, scale: np.ndarray, e5: np.ndarray, e3: np.ndarray) -> float:
    """The error of a step in units of its tolerance, from both embedded formulas."""
    five, three = (np.sum(np.abs(np.einsum("s,sk->k", one, stages) / scale) ** 2) for one in (e5, e3))
    total = five + 0.01 * three
    return 0.0 if total == 0 else float(abs(h) * five / np.sqrt(total * len(scale)))


def _first(
    rate: Callable, t: float, y: np.ndarray, slope: np.ndarray, rtol: float, atol: float, longest: float
) -> float:
    """The length of the first step (II.4 of the source), for the order 8."""
    scale = atol + rtol * np.abs(y)

    def size(values: np.ndarray) -> float:
        return float(np.sqrt(np.mean(np.abs(values / scale) ** 2)))

    sizes = size(y), size(slope)
    h = 1e-6 if min(sizes) < 1e-5 else 0.01 * sizes[0] / sizes[1]
    h = min(h, longest)
    bend = size(rate(t + h, y + h * slope) - slope) / h
    largest = max(sizes[1], bend)
    longer = max(1e-6, 1e-3 * h) if largest <= 1e-15 else (0.01 / largest) ** (1 / 8)
    return min(100 * h, longer, longest)
