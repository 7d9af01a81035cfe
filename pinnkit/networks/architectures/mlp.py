"""Multilayer perceptrons."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from pinnkit.networks.settings import NETWORKS, Network


@NETWORKS.register("mlp")
@dataclass(frozen=True)
class MLP(Network):
    """A multilayer perceptron."""

    levels: ClassVar[bool] = True

    depth: int = field(default=3, metadata={"minimum": 1, "maximum": 1000})
    """Hidden layers."""

    def build(self, inputs: int, outputs: int) -> Any:
        from pinnkit.networks import mlp

        assert self.width is not None
        assert self.activation is not None
        return mlp.MLP(inputs, outputs, self.width, self.depth, self.activation)

    def level(self, embedding: Any, outputs: int) -> Any:
        from pinnkit.networks import levels

        assert self.width is not None
        assert self.activation is not None
        return levels.Level(embedding, outputs, self.width, max(self.depth, 2), self.activation)

    def parameters(self, inputs: int, outputs: int) -> int:
        assert self.width is not None
        hidden = (self.depth - 1) * (self.width + 1) * self.width
        return (inputs + 1) * self.width + hidden + (self.width + 1) * outputs
