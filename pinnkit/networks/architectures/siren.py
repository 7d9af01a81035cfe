"""Perceptrons of sines of one fixed frequency factor."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pinnkit.networks.architectures.mlp import MLP
from pinnkit.networks.settings import NETWORKS


@NETWORKS.register("siren")
@dataclass(frozen=True)
class Siren(MLP):
    """A perceptron of sines with one fixed frequency factor (SIREN), for first-order optimizers."""

    activation: str | None = field(default="sin", metadata={"choices": ("sin",)})
    """Between layers."""
    frequency: float = field(default=30.0, metadata={"above": 0.0, "maximum": 1e6})
    """The factor omega of all layers; the first has up to omega / inputs on coordinates scaled to [-1, 1]."""

    def plain(self, inputs: int, outputs: int) -> Any:
        from pinnkit.networks import siren

        assert self.width is not None
        return siren.Siren(inputs, outputs, self.width, self.depth, self.frequency)
