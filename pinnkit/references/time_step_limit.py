"""The largest step in time that resolves the problem's functions of t."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import sympy

from pinnkit.language.calculus import symbol
from pinnkit.language.evaluate import Program
from pinnkit.references.known_functions import extract_known_functions
from pinnkit.references.quasirandom import quasirandom_points

MOMENTS, PLACES = 2**14, 17
STEPS_PER_RISE = 4
"""Steps while a function goes once from its least to its largest value."""
MOST_STEPS = 2_000
"""Steps on account of one function; one that oscillates more often is sampled by steps of any length."""


class TimeStepLimit:
    """An upper bound on the step in time: uniform, and smaller where a function of t in the problem varies.

    The error estimate of a step evaluates a function at the step's stages alone and misses a pulse between them.

    Args:
        expressions: in t, x and the fields: rates, and what holds at the ends of x.
        time, times, interval: the time coordinate, its range and that of x; `space` is None for a problem in t alone.
    """

    def __init__(
        self,
        expressions: Iterable[sympy.Expr],
        time: str,
        times: tuple[float, float],
        space: str | None,
        interval: tuple[float, float],
    ) -> None:
        self._begin, self._end = times
        self._time = symbol(time)
        self._times = quasirandom_points(MOMENTS, *times)
        self._rises = np.zeros(MOMENTS)
        self._places = {symbol(space): quasirandom_points(PLACES, *interval)} if space is not None else {}
        for expression in expressions:
            for function in extract_known_functions(expression, {self._time})[1].values():
                self._rises += self._counted(Program([function]))

    def _counted(self, program: Program) -> np.ndarray:
        """Steps that a function needs from the beginning until each moment, the most at any place."""
        values = {self._time: self._times[:, None], **self._places}
        found = np.asarray(program({atom: values[atom] for atom in program.atoms})[0], dtype=float)
        found = found.reshape(MOMENTS, -1)
        if not np.all(np.isfinite(found)) or not np.ptp(found):
            return np.zeros(MOMENTS)
        changes = np.abs(np.diff(found, axis=0, prepend=found[:1])).max(axis=1) / np.ptp(found)
        steps = STEPS_PER_RISE * np.cumsum(changes)
        return steps * min(1.0, MOST_STEPS / steps[-1])

    def longest(self, t: float, fewest: int) -> float:
        """The longest step from t, where all the time takes `fewest` steps if no function needs more."""
        duration = self._end - self._begin
        clock = fewest * (self._times - self._begin) / duration + self._rises * fewest / 200
        now = np.interp(t, self._times, clock)
        return float(np.interp(now + 1, clock, self._times) - t) if now + 1 < clock[-1] else duration / fewest

    def shortest(self, fewest: int) -> float:
        """The least of the longest steps."""
        return min(self.longest(t, fewest) for t in self._times[:: MOMENTS // 1024])
