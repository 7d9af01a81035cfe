"""Residual networks whose blocks are gated by two encodings of the input and start as the identity (PirateNet)."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from pinnkit.networks.layers import counted, glorot, linear_layers
from pinnkit.networks.mlp import ACTIVATIONS


class PirateNet(nn.Module):
    """`depth` blocks x -> s h + (1 - s) x that begin with x = z, and a linear last layer.

    In a block f = G(a(W_1 x + b_1)), g = G(a(W_2 f + b_2)) and h = a(W_3 g + b_3), with the gate
    G(y) = y * U + (1 - y) * V and the encodings U = a(W_U z + b_U), V = a(W_V z + b_V). The factor s of a block is
    learned and starts at 0, so that the network starts as a linear function of z, random Fourier features by default.
    Wang, Li, Chen and Perdikaris 2024 (arXiv 2402.00326). Weights start by Glorot's normal rule, biases at zero.

    Shape: (n, inputs) -> (n, outputs).

    Attributes:
        description: such as "2 residual blocks of 20, tanh".

    >>> sum(p.numel() for p in PirateNet(32, 1, width=20, depth=2).parameters())
    4859
    """

    def __init__(self, inputs: int, outputs: int, width: int, depth: int, activation: str = "tanh") -> None:
        super().__init__()
        encoders = [*linear_layers(inputs, width), *linear_layers(inputs, width)]
        blocks = [linear_layers(inputs, width, width, inputs) for _ in range(depth)]
        (last,) = linear_layers(inputs, outputs)
        glorot([*encoders, *(layer for block in blocks for layer in block), last])
        self.encoders, self.blocks = nn.ModuleList(encoders), nn.ModuleList(map(nn.ModuleList, blocks))
        self.last = last
        factors = [nn.Parameter(torch.zeros((), dtype=torch.float64)) for _ in range(depth)]
        self.factors = nn.ParameterList(factors)
        self.activation = ACTIVATIONS[activation]
        self.description = f"{counted(depth, 'residual block')} of {width}, {activation}"

    def forward(self, values: Tensor) -> Tensor:
        one, other = (self.activation(encoder(values)) for encoder in self.encoders)
        difference = one - other
        for block, factor in zip(self.blocks, self.factors, strict=True):
            *gated, final = cast(nn.ModuleList, block)
            hidden = values
            for layer in gated:
                hidden = other + self.activation(layer(hidden)) * difference
            values = values + factor * (self.activation(final(hidden)) - values)
        return self.last(values)
