"""Hermite interpolation between the steps of an integration."""

from __future__ import annotations

import numpy as np

WIDTH = 4


class HermiteInterpolant:
    """The polynomial of degree 7 through the states and rates at the four steps nearest to a time.

    Of the order of DOP853's own interpolant, with a quarter of its memory.

    Args:
        times: (steps + 1,), ascending; states, rates: as many arrays (size,).

    >>> t = np.linspace(0, 1, 11)
    >>> smooth = HermiteInterpolant(t, np.sin(t)[:, None], np.cos(t)[:, None])
    >>> bool(abs(smooth(np.array([0.73]))[0, 0] - np.sin(0.73)) < 1e-13)
    True
    """

    def __init__(self, times: np.ndarray, states: list[np.ndarray], rates: list[np.ndarray]) -> None:
        self._times, self._states, self._rates = np.asarray(times), states, rates

    def __call__(self, times: np.ndarray) -> np.ndarray:
        """(size, k): the states at times: (k,)."""
        width = min(WIDTH, len(self._times))
        before = np.searchsorted(self._times, times, side="right") - 1
        firsts = np.clip(before - (width // 2 - 1), 0, len(self._times) - width)
        columns = []
        for t, first in zip(times, firsts, strict=True):
            knots = self._times[first : first + width]
            column = 0.0
            for place, knot in enumerate(knots):
                others = np.delete(knots, place)
                square = np.prod((t - others) / (knot - others)) ** 2
                slope = 2 * np.sum(1 / (knot - others))
                column = column + (1 - slope * (t - knot)) * square * self._states[first + place]
                column = column + (t - knot) * square * self._rates[first + place]
            columns.append(column)
        return np.stack(columns, axis=1)
