"""Small networks on overlapping subdomains, joined by smooth windows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pinnkit.networks.settings import NETWORKS, SMOOTHNESS, Network

SPLIT = 3
"""Coordinates that are divided where none is named."""


@NETWORKS.register("fbpinn")
@dataclass(frozen=True)
class FBPINN(Network):
    """A small network for each of many overlapping subdomains, trained together, for solutions of many scales."""

    width: int | None = field(default=10, metadata={"minimum": 1, "maximum": 1_000_000})
    """Neurons of a hidden layer of each network; None: as for the others."""
    activation: str | None = field(default="tanh", metadata={"choices": tuple(SMOOTHNESS)})
    """Between layers; None: as for the others."""
    depth: int = field(default=2, metadata={"minimum": 1, "maximum": 1000})
    """Hidden layers of each network."""
    fourier_features: int = field(default=0, metadata={"minimum": 0, "maximum": 0})
    """None: a subdomain is one of the coordinates themselves."""
    subdomains: dict[str, int] = field(default_factory=dict, metadata={"minimum": 1, "maximum": 10_000})
    """Coordinate -> subdomains along it, 1 for those that are not named; empty: 2 along each of the first three."""
    overlap: float = field(default=1.9, metadata={"above": 1.0, "maximum": 100.0})
    """Width of a subdomain over the distance of the centres of two neighbours."""

    def on(self, names: Sequence[str]) -> Network:
        """The same with the number of each input in the place of the coordinates' names."""
        named = [place for place, name in enumerate(names) if name]
        given = self.subdomains or {names[place]: 2 for place in named[:SPLIT]}
        return replace(self, subdomains={str(place): given.get(name, 1) for place, name in enumerate(names)})

    def counts(self, inputs: int) -> list[int]:
        """How many subdomains there are along each input."""
        return [self.subdomains.get(str(place), 1) for place in range(inputs)]

    def build(self, inputs: int, outputs: int) -> Any:
        from pinnkit.networks import fbpinn

        assert self.width is not None
        assert self.activation is not None
        counts = self.counts(inputs)
        return fbpinn.FBPINN(inputs, outputs, self.width, self.depth, counts, self.overlap, self.activation)

    def parameters(self, inputs: int, outputs: int) -> int:
        assert self.width is not None
        hidden = (self.depth - 1) * (self.width + 1) * self.width
        each = (inputs + 1) * self.width + hidden + (self.width + 1) * outputs
        return math.prod(self.counts(inputs)) * each

    @property
    def smoothness(self) -> float:
        """At most 4: of the windows three derivatives are continuous, and the fourth is bounded."""
        return min(super().smoothness, 4)
