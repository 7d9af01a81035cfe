"""Multilayer perceptrons of sines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pinnkit.networks.architectures.mlp import MLP
from pinnkit.networks.settings import NETWORKS


@NETWORKS.register("sine")
@dataclass(frozen=True)
class Sine(MLP):
    """Sines of a given range of frequencies, one layer or more, for waves and smooth solutions."""

    width: int | None = field(default=150, metadata={"minimum": 1, "maximum": 1_000_000})
    """Neurons of a hidden layer; None: as for the others."""
    activation: str | None = field(default="sin", metadata={"choices": ("sin",)})
    """Between layers; None: sin."""
    depth: int = field(default=1, metadata={"minimum": 1, "maximum": 1000})
    """Hidden layers."""
    frequency: float = field(default=4.0, metadata={"above": 0.0})
    """Largest frequency of the first layer at the start, in radians on coordinates scaled to [-1, 1]."""

    def build(self, inputs: int, outputs: int) -> Any:
        from pinnkit.networks import sine

        assert self.width is not None
        return sine.Sine(inputs, outputs, self.width, self.depth, self.frequency)
