"""A choice of features: kind, range and number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Choice:
    """What features are drawn: kind, range along each coordinate, and how many.

    steep: the ranges of the half of them that are tanh features through places where the residual is large; (): none.
    """

    kind: str
    ranges: tuple[float, ...]
    count: int
    steep: tuple[float, ...] = ()

    def __str__(self) -> str:
        text = f"{self.count} {self.kind} features with weights up to {_shown(self.ranges)}"
        return f"{text}, half of them steep ({_shown(self.steep)}) where the residual is large" if self.steep else text

    def more(self, growth: float) -> Choice:
        """More features of the same ranges."""
        return replace(self, count=math.ceil(growth * self.count))

    def larger(self, growth: float) -> Choice:
        """More features, with ranges that grow as their density along a line does."""
        factor = growth ** (1 / len(self.ranges))
        ranges, steep = (tuple(factor * one for one in each) for each in (self.ranges, self.steep))
        return Choice(self.kind, ranges, math.ceil(growth * self.count), steep)


def _shown(ranges: Sequence[float]) -> str:
    different = sorted(set(ranges))
    return f"{different[0]:.3g}" if len(different) == 1 else ", ".join(f"{one:.3g}" for one in ranges)
