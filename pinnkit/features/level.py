"""What a step of a solve by features ends with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Level:
    """The state after a growth of the features, or behind some slabs of time.

    Attributes:
        count: features of each field.
        unknowns: coefficients in all.
        residual: on fresh points, by the terms' scales; of slabs the largest.
        text: of the log.
    """

    count: int
    unknowns: int
    residual: float
    text: str
