"""Multilayer perceptrons whose layers are gated by two encodings of the input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pinnkit.networks.architectures.mlp import MLP
from pinnkit.networks.settings import NETWORKS


@NETWORKS.register("modified_mlp")
@dataclass(frozen=True)
class ModifiedMLP(MLP):
    """A multilayer perceptron whose layers are gated by two encodings of the input, for stiff problems."""

    def plain(self, inputs: int, outputs: int) -> Any:
        from pinnkit.networks import modified_mlp

        assert self.width is not None
        assert self.activation is not None
        return modified_mlp.ModifiedMLP(inputs, outputs, self.width, self.depth, self.activation)

    def layers(self, inputs: int, outputs: int) -> list[tuple[int, int]]:
        assert self.width is not None
        return [(inputs, self.width), (inputs, self.width), *super().layers(inputs, outputs)]
