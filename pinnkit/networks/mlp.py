"""Multilayer perceptrons."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from pinnkit.networks.layers import counted, glorot, linear_layers

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "sin": torch.sin,
    "sigmoid": torch.sigmoid,
    "silu": nn.functional.silu,
    "gelu": nn.functional.gelu,
    "softplus": nn.functional.softplus,
    "relu": torch.relu,
}


class MLP(nn.Module):
    """`depth` hidden layers of `width` neurons: z -> W_L a(W_{L-1} ... a(W_0 z + b_0) ...) + b_L.

    Weights start by Glorot's normal rule, var = 2/(fan_in + fan_out); biases at zero.

    Shape: (n, inputs) -> (n, outputs).

    Attributes:
        description: such as "3 hidden layers of 20, tanh".

    >>> sum(p.numel() for p in MLP(2, 1, width=20, depth=3).parameters())
    921
    """

    def __init__(self, inputs: int, outputs: int, width: int, depth: int, activation: str = "tanh") -> None:
        super().__init__()
        linear = linear_layers(inputs, *[width] * depth, outputs)
        glorot(linear)
        self.layers = nn.ModuleList(linear)
        self.activation = ACTIVATIONS[activation]
        self.description = f"{counted(depth)} of {width}, {activation}"

    def forward(self, values: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            values = self.activation(layer(values))
        return self.layers[-1](values)
