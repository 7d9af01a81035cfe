"""Trials with few features, by which their kind and ranges are found."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from pinnkit.features.attached import Attached, Kept
from pinnkit.features.choice import Choice
from pinnkit.features.settings import FeatureSettings

log = logging.getLogger(__name__)

TRIAL_STEPS = 6
"""Newton steps of a trial, which begins with the best one so far."""
FIRST = (("sin", 2.0), ("sin", 4.0), ("sin", 8.0), ("sin", 16.0), ("tanh", 1.0), ("tanh", 2.0), ("tanh", 4.0))
"""Kinds and ranges that are tried first."""
STEEP = (8.0, 32.0, 128.0)
"""Ranges of features where the residual is concentrated that are tried first."""
INVERTED = (1.0, 2.0, 4.0)
"""Ranges on coordinates inverted at round holes that are tried first."""
COARSE, FINE = (2.0, 0.5), (2**0.5, 2**-0.5)
"""Factors on ranges."""
PAYS = 0.7
"""The share of the residual that a change must leave at most."""
MOST, LEAST = 1000.0, 0.05
"""Ends of the ranges that are tried."""


class Solver(Protocol):
    """What trials are made with."""

    attached: Attached
    settings: FeatureSettings
    holed: bool

    @property
    def exact(self) -> float: ...

    @property
    def located(self) -> bool: ...

    def try_choice(
        self, choice: Choice, warm: bool = True, steps: int | None = None, *, least: float = math.inf
    ) -> float: ...


class Trials:
    """Keeps the residual of each choice that was tried, and the features of the best one.

    Args:
        seconds_left: one trial is made, and others as long as this is positive.
        kept: the features of the state from which trials begin.
    """

    def __init__(self, solver: Solver, seconds_left: Callable[[], float] = lambda: math.inf, kept: Kept = ()) -> None:
        self._solver, self._seconds_left = solver, seconds_left
        self._residuals: dict[Choice, float] = {}
        self._kept: Kept = kept

    def search(self, size: int, count: int, periodic: bool) -> tuple[Choice, float]:
        """The best choice that was found, which is attached to the network, and its residual on fresh points.

        Args:
            size: coordinates.
            count: features of each field.
            periodic: some field is periodic, which asks for sin.
        """
        best = self._best(size, count, periodic)
        self._attach()
        return best, self._residuals[best]

    def _best(self, size: int, count: int, periodic: bool) -> Choice:
        settings = self._solver.settings
        first = [one for one in FIRST if one[0] == "sin" or not periodic]
        if settings.kind != "auto":
            first = [one for one in first if one[0] == settings.kind] or [(settings.kind, 4.0)]
        if settings.range is not None:
            first = list(dict.fromkeys((kind, settings.range) for kind, _ in first))
        choices = [Choice(kind, (value,) * size, count) for kind, value in first]
        for one in choices:
            if self.residual(one) <= self._solver.exact:
                return one
        best = min(choices, key=self.residual)
        if settings.range is None:
            best = self._refined(best, lambda one: one.ranges, lambda one, ranges: replace(one, ranges=ranges))
        if self._solver.located:
            steep = [replace(best, steep=(value,) * size) for value in STEEP]
            best = min([best, *steep], key=self.residual)
            if best.steep:
                best = self._refined(best, lambda one: one.steep, lambda one, ranges: replace(one, steep=ranges))
        if self._solver.holed:
            best = min([best, *(replace(best, inverted=(value,)) for value in INVERTED)], key=self.residual)
            if best.inverted:
                best = self._refined(best, lambda one: one.inverted, lambda one, ranges: replace(one, inverted=ranges))
        return best

    def residual(self, choice: Choice) -> float:
        """The residual on fresh points with the features of a choice."""
        if choice not in self._residuals:
            if self._residuals and self._seconds_left() <= 0:
                return math.inf  # too late for other ones than those that were tried
            self._attach()
            warm = bool(self._kept)
            least = min(self._residuals.values(), default=math.inf)
            found = self._solver.try_choice(choice, warm=warm, steps=TRIAL_STEPS if warm else None, least=least)
            if found < least:
                self._kept = self._solver.attached.kept()
            self._residuals[choice] = found
            log.debug("trial: %s: residual %.2e", choice, found)
        return self._residuals[choice]

    def _attach(self) -> None:
        """Let the network have the features of the best choice so far."""
        self._solver.attached.put(self._kept)

    def _refined(
        self,
        best: Choice,
        read: Callable[[Choice], tuple[float, ...]],
        write: Callable[[Choice, tuple[float, ...]], Choice],
    ) -> Choice:
        """The best of ranges near by: of all coordinates, then of each."""
        size = len(read(best))
        for mask in [tuple(range(size)), *((index,) for index in range(size) if size > 1)]:
            for factor in (*COARSE, *FINE):
                while True:
                    ranges = tuple(one * (factor if index in mask else 1) for index, one in enumerate(read(best)))
                    if max(ranges) > MOST or min(ranges) < LEAST:
                        break
                    other = write(best, ranges)
                    if not self.residual(other) < PAYS * self.residual(best):
                        break
                    best = other
        return best
