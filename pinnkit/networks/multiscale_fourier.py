"""Perceptrons on random Fourier features of several scales."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pinnkit.networks.layers import counted, glorot, linear_layers
from pinnkit.networks.mlp import ACTIVATIONS


class MultiscaleFourier(nn.Module):
    """u = W [h_1, h_2, ...] + b: the same hidden layers h on the random Fourier features of each scale.

    The inputs are the cosines of all scales, one scale after the other, and then the sines, as `RandomFourier` gives
    them. Wang, Wang and Perdikaris 2020 (arXiv 2012.10047). Weights start by Glorot's normal rule, biases at zero.

    Shape: (n, inputs) -> (n, outputs), inputs = 2 * scales * features.

    Args:
        scales: how many there are.

    Attributes:
        description: such as "3 hidden layers of 20 for each of 2 scales, tanh".

    >>> sum(p.numel() for p in MultiscaleFourier(64, 1, width=20, depth=3, scales=2).parameters())
    1541
    """

    def __init__(
        self, inputs: int, outputs: int, width: int, depth: int, scales: int, activation: str = "tanh"
    ) -> None:
        super().__init__()
        self.shape = (2, scales, inputs // (2 * scales))
        hidden = linear_layers(2 * self.shape[2], *[width] * depth)
        (last,) = linear_layers(scales * width, outputs)
        glorot([*hidden, last])
        self.hidden, self.last = nn.ModuleList(hidden), last
        self.activation = ACTIVATIONS[activation]
        self.description = f"{counted(depth)} of {width} for each of {counted(scales, 'scale')}, {activation}"

    def forward(self, values: Tensor) -> Tensor:
        found = []
        for features in values.unflatten(1, self.shape).unbind(2):
            one = features.flatten(1)
            for layer in self.hidden:
                one = self.activation(layer(one))
            found.append(one)
        return self.last(torch.cat(found, dim=1))
