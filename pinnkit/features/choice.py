"""A choice of features: kind, range and number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Choice:
    """What features are drawn: kind, range along each coordinate, and how many.

    steep: the ranges of the half of them that are tanh features through places where the residual is large; (): none.
    shares: of each network of the problem, the share of this number that it has; (): all of them.
    states: the range on the outputs of the trained network beneath, which are coordinates too; 0: they are not.
    inverted: the range, a single one, on coordinates inverted at round holes, which half of them have too; (): none.
    With both steep and inverted ones these are a third each.
    """

    kind: str
    ranges: tuple[float, ...]
    count: int
    steep: tuple[float, ...] = ()
    shares: tuple[float, ...] = ()
    states: float = 0.0
    inverted: tuple[float, ...] = ()

    def number(self, network: int) -> int:
        """Features of each field of a network."""
        return math.ceil(self.shares[network] * self.count) if self.shares else self.count

    def unknowns(self, members: Sequence[Sequence[int]]) -> int:
        """Coefficients in all, by the fields of each network."""
        return sum(self.number(network) * len(fields) for network, fields in enumerate(members))

    def __str__(self) -> str:
        counts = sorted({self.number(network) for network in range(len(self.shares) or 1)})
        text = f"{' and '.join(map(str, counts))} {self.kind} features with weights up to {_shown(self.ranges)}"
        text += f", on its outputs up to {self.states:.3g}" if self.states else ""
        share = "a third" if self.inverted and self.steep else "half"
        text += f", {share} of them on inverted ones up to {_shown(self.inverted)} too" if self.inverted else ""
        return (
            f"{text}, {share} of them steep ({_shown(self.steep)}) where the residual is large" if self.steep else text
        )

    def more(self, growth: float) -> Choice:
        """More features of the same ranges."""
        return replace(self, count=math.ceil(growth * self.count))

    def larger(self, growth: float) -> Choice:
        """More features, with ranges that grow as their density along a line does."""
        factor = growth ** (1 / len(self.ranges))
        ranges, steep, inverted = (
            tuple(factor * one for one in each) for each in (self.ranges, self.steep, self.inverted)
        )
        count, states = math.ceil(growth * self.count), factor * self.states
        return replace(self, ranges=ranges, count=count, steep=steep, states=states, inverted=inverted)


def _shown(ranges: Sequence[float]) -> str:
    different = sorted(set(ranges))
    return f"{different[0]:.3g}" if len(different) == 1 else ", ".join(f"{one:.3g}" for one in ranges)
