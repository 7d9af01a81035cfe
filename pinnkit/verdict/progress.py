"""Progress of training: by how much objective and error still fell at its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

EARLIER, LATER = (0.57, 0.67), 0.9
"""Shares of the steps: medians between the first two are compared with medians from the last one on."""
FEWEST = 6
"""Measurements by which progress is judged, at least."""


@dataclass(frozen=True)
class Progress:
    """How a run came to its end.

    Attributes:
        steps: that were made.
        objective_fell: the factor by which the objective fell in the last third of the steps; None: not known.
        error_fell: the same of the largest error.
        budget: whether a limit of steps or time ended it, or a signal.
        by_time: whether that limit was one of time.
    """

    steps: int
    objective_fell: float | None
    error_fell: float | None
    budget: bool
    by_time: bool = False


def fell(steps: Sequence[float], values: Sequence[float]) -> float | None:
    """The factor by which values fell in the last third: of their medians about two thirds and in the last tenth.

    None where there are too few that are finite and positive. Redraws of points make single values jump.

    >>> steps = np.arange(1, 1001)
    >>> round(fell(steps, 1 / steps), 2)
    1.53
    """
    places, numbers = np.asarray(steps, dtype=float), np.asarray(values, dtype=float)
    known = np.isfinite(numbers) & (numbers > 0)
    places, numbers = places[known], numbers[known]
    if len(places) < FEWEST:
        return None
    share = places / places[-1]
    before = numbers[(share >= EARLIER[0]) & (share <= EARLIER[1])]
    if not len(before):
        before = numbers[[np.abs(share - sum(EARLIER) / 2).argmin()]]
    return float(np.median(before) / np.median(numbers[share >= LATER]))


def longer(falls: float, ratio: float) -> float:
    """By which factor a run must be longer to fall by `ratio`, if its last third (3/2 in steps) is part of a power law.

    >>> longer(1.5, 2.0), round(longer(3.0, 9.0), 2)
    (2.0, 2.25)
    """
    return float(ratio ** (np.log(1.5) / np.log(falls))) if falls > 1 else np.inf
