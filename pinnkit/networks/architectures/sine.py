"""Perceptrons of sines with learned frequencies."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pinnkit.networks.architectures.mlp import MLP
from pinnkit.networks.settings import NETWORKS


@NETWORKS.register("sine")
@dataclass(frozen=True)
class Sine(MLP):
    """A perceptron of sines whose frequencies are learned, for solutions of many waves."""

    activation: str | None = field(default="sin", metadata={"choices": ("sin",)})
    """Between layers."""
    frequency: float = field(default=10.0, metadata={"above": 0.0, "maximum": 1e6})
    """Of the first layer at its start, on coordinates scaled to [-1, 1]; half the number of waves in the domain times
    2 pi is a good value."""

    def plain(self, inputs: int, outputs: int) -> Any:
        from pinnkit.networks import sine

        assert self.width is not None
        return sine.Sine(inputs, outputs, self.width, self.depth, self.frequency)

    def parameters(self, inputs: int, outputs: int) -> int:
        return super().parameters(inputs, outputs) + self.depth
