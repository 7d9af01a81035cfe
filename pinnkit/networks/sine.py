"""Perceptrons of sines with learned frequencies."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from pinnkit.networks.layers import counted, for_sines, glorot, linear_layers


class Sine(nn.Module):
    """`depth` hidden layers h -> sin(k (W h + b)), each with a learned factor k, and a linear last one.

    k starts at `frequency` in the first layer and at 1 in the others. W of the first layer is uniform in [-1, 1], that
    of the others in [-sqrt(6/n), sqrt(6/n)] with n inputs, by which every layer keeps its variance; b of the first
    layer is uniform in [-pi/k, pi/k], that of the others zero. Sitzmann et al. 2020 (arXiv 2006.09661).

    Shape: (n, inputs) -> (n, outputs).

    Attributes:
        description: such as "3 hidden layers of 20 sines, frequency 10".

    >>> sum(p.numel() for p in Sine(2, 1, width=20, depth=3, frequency=10.0).parameters())
    924
    """

    def __init__(self, inputs: int, outputs: int, width: int, depth: int, frequency: float) -> None:
        super().__init__()
        first, *others, last = linear_layers(inputs, *[width] * depth, outputs)
        self.layers = nn.ModuleList([first, *others, last])
        nn.init.uniform_(first.weight, -1.0, 1.0)
        for layer in others:
            for_sines(layer)
        nn.init.uniform_(first.bias, -math.pi / frequency, math.pi / frequency)
        glorot([last])
        factors = [frequency, *[1.0] * (depth - 1)]
        self.frequencies = nn.ParameterList([nn.Parameter(torch.tensor(k, dtype=torch.float64)) for k in factors])
        self.description = f"{counted(depth)} of {width} sines, frequency {frequency:g}"

    def forward(self, values: Tensor) -> Tensor:
        for layer, frequency in zip(self.layers[:-1], self.frequencies, strict=True):
            values = torch.sin(frequency * layer(values))
        return self.layers[-1](values)
