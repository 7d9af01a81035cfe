"""Residual networks whose blocks are gated and start as the identity."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pinnkit.networks.architectures.mlp import MLP
from pinnkit.networks.settings import NETWORKS


@NETWORKS.register("piratenet")
@dataclass(frozen=True)
class PirateNet(MLP):
    """Gated residual blocks that start as the identity, on random Fourier features, for deep networks."""

    depth: int = field(default=2, metadata={"minimum": 1, "maximum": 1000})
    """Blocks, of three layers each."""
    fourier_features: int = field(default=16, metadata={"minimum": 0, "maximum": 1_000_000})
    """Random Fourier features (pairs of cosine and sine); 0: none."""

    def plain(self, inputs: int, outputs: int) -> Any:
        from pinnkit.networks import piratenet

        assert self.width is not None
        assert self.activation is not None
        return piratenet.PirateNet(inputs, outputs, self.width, self.depth, self.activation)

    def parameters(self, inputs: int, outputs: int) -> int:
        return super().parameters(inputs, outputs) + self.depth

    def layers(self, inputs: int, outputs: int) -> list[tuple[int, int]]:
        assert self.width is not None
        first = (inputs, self.width)
        block = [first, (self.width, self.width), (self.width, inputs)]
        return [first, first, *self.depth * block, (inputs, outputs)]
