"""Sums of products of networks of one coordinate."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from pinnkit.networks.settings import NETWORKS, SMOOTHNESS, Network


@NETWORKS.register("separable")
@dataclass(frozen=True)
class Separable(Network):
    """A sum of products of small networks of one coordinate each, for smooth solutions in many coordinates."""

    sizes: ClassVar[dict[str, int]] = {**Network.sizes, "rank": 1}

    width: int | None = field(default=6, metadata={"minimum": 1, "maximum": 1_000_000})
    """Neurons of a hidden layer of each network of one coordinate; None: as for the others."""
    activation: str | None = field(default="sin", metadata={"choices": tuple(SMOOTHNESS)})
    """Between layers; None: as for the others."""
    depth: int = field(default=2, metadata={"minimum": 1, "maximum": 1000})
    """Hidden layers of each network of one coordinate."""
    rank: int = field(default=12, metadata={"minimum": 1, "maximum": 1_000_000})
    """Products in the sum."""

    def build(self, inputs: int, outputs: int) -> Any:
        from pinnkit.networks import separable

        assert self.width is not None
        assert self.activation is not None
        return separable.Separable(inputs, outputs, self.width, self.depth, self.rank, self.activation)

    def parameters(self, inputs: int, outputs: int) -> int:
        assert self.width is not None
        hidden = (self.depth - 1) * (self.width + 1) * self.width
        each = 2 * self.width + hidden + (self.width + 1) * self.rank
        return inputs * each + (self.rank + 1) * outputs
