"""Multilayer perceptrons whose layers are gated by two encodings of the input."""

from __future__ import annotations

from torch import Tensor, nn

from pinnkit.networks.layers import counted, glorot, linear_layers
from pinnkit.networks.mlp import ACTIVATIONS


class ModifiedMLP(nn.Module):
    """`depth` hidden layers h -> (1 - g) * U + g * V, g = a(W h + b), and a linear last one.

    The encodings U = a(W_U z + b_U) and V = a(W_V z + b_V) of the input z enter every layer. Wang, Teng and Perdikaris
    2020 (arXiv 2001.04536). Weights start by Glorot's normal rule, biases at zero.

    Shape: (n, inputs) -> (n, outputs).

    Attributes:
        description: such as "3 gated hidden layers of 20, tanh".

    >>> sum(p.numel() for p in ModifiedMLP(2, 1, width=20, depth=3).parameters())
    1041
    """

    def __init__(self, inputs: int, outputs: int, width: int, depth: int, activation: str = "tanh") -> None:
        super().__init__()
        encoders = [*linear_layers(inputs, width), *linear_layers(inputs, width)]
        layers = linear_layers(inputs, *[width] * depth, outputs)
        glorot([*encoders, *layers])
        self.encoders, self.layers = nn.ModuleList(encoders), nn.ModuleList(layers)
        self.activation = ACTIVATIONS[activation]
        self.description = f"{counted(depth, 'gated hidden layer')} of {width}, {activation}"

    def forward(self, values: Tensor) -> Tensor:
        low, high = (self.activation(encoder(values)) for encoder in self.encoders)
        difference = high - low
        for layer in self.layers[:-1]:
            values = low + self.activation(layer(values)) * difference
        return self.layers[-1](values)
