"""Multilayer perceptrons."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, ClassVar

from pinnkit.networks.settings import NETWORKS, Network


@NETWORKS.register("mlp")
@dataclass(frozen=True)
class MLP(Network):
    """A multilayer perceptron."""

    levels: ClassVar[bool] = True

    depth: int = field(default=3, metadata={"minimum": 1, "maximum": 1000})
    """Hidden layers."""
    weight_factorization: bool = False
    """Random weight factorisation: each weight matrix is diag(exp(s)) V, and s and V are trained."""
    factorization_mean: float = field(default=0.5, metadata={"minimum": -10.0, "maximum": 10.0})
    """Mean of s at the start."""
    factorization_deviation: float = field(default=0.1, metadata={"minimum": 0.0, "maximum": 10.0})
    """Standard deviation of s at the start."""
    adaptive_activation: str | None = field(default=None, metadata={"choices": ("layer", "neuron")})
    """Whether the slope of the activation is learned, one for each layer or for each neuron; None: it is not."""
    adaptive_scale: float = field(default=5.0, metadata={"above": 0.0, "maximum": 1e6})
    """Factor by which slopes learn faster than weights."""

    def build(self, inputs: int, outputs: int) -> Any:
        from pinnkit.networks import reparametrized

        network = self.plain(inputs, outputs)
        if self.adaptive_activation:
            network = reparametrized.adaptive(network, self.adaptive_activation == "neuron", self.adaptive_scale)
        if self.weight_factorization:
            network = reparametrized.factorized(network, self.factorization_mean, self.factorization_deviation)
        return network

    def plain(self, inputs: int, outputs: int) -> Any:
        """The network with the weights and activations that it has by itself."""
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
        layers = self.layers(inputs, outputs)
        slopes = {None: 0, "layer": len(layers) - 1, "neuron": sum(size for _, size in layers[:-1])}
        scales = sum(size for _, size in layers) if self.weight_factorization else 0
        return sum((fan_in + 1) * size for fan_in, size in layers) + slopes[self.adaptive_activation] + scales

    def layers(self, inputs: int, outputs: int) -> list[tuple[int, int]]:
        """Inputs and outputs of each linear layer, the last of which no activation follows."""
        assert self.width is not None
        return list(pairwise([inputs, *[self.width] * self.depth, outputs]))
