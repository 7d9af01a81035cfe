"""Products of linear layers and Gabor filters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pinnkit.networks.settings import NETWORKS, Network


@NETWORKS.register("gabor")
@dataclass(frozen=True)
class Gabor(Network):
    """Products of linear layers and waves in Gaussian envelopes, for solutions of local waves."""

    activation: str | None = field(default="sin", metadata={"choices": ("sin",)})
    """The wave of a filter."""
    depth: int = field(default=3, metadata={"minimum": 1, "maximum": 1000})
    """Layers of filters."""
    frequency: float = field(default=10.0, metadata={"above": 0.0, "maximum": 1e6})
    """Of their waves at the start, on coordinates scaled to [-1, 1]."""

    def build(self, inputs: int, outputs: int) -> Any:
        from pinnkit.networks import gabor

        assert self.width is not None
        return gabor.Gabor(inputs, outputs, self.width, self.depth, self.frequency)

    def parameters(self, inputs: int, outputs: int) -> int:
        assert self.width is not None
        filters = self.depth * (2 * inputs + 2) * self.width
        return filters + (self.depth - 1) * (self.width + 1) * self.width + (self.width + 1) * outputs
