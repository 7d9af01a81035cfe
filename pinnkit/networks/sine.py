"""Perceptrons of sines with learned frequencies."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from pinnkit.networks.layers import counted, for_sines, glorot, linear_layers


class Sine(nn.Module):
    """`depth` hidden layers h -> sin(k (W h + b)), each with a learned factor k, and a linear last one.

    k starts at 1. W of the first layer is uniform in [-frequency, frequency], that of the others in
    [-sqrt(6/n), sqrt(6/n)] with n inputs, by which every layer keeps its variance; b of the first layer is uniform in
    [-pi, pi], that of the others zero. Sitzmann et al. 2020 (arXiv 2006.09661), but for the frequency, which is in the
    weights and not in k: a factor makes the derivatives by W larger, and second-order methods balance them worse.

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
        nn.init.uniform_(first.weight, -frequency, frequency)
        for layer in others:
            for_sines(layer)
        nn.init.uniform_(first.bias, -math.pi, math.pi)
        glorot([last])
        self.frequencies = nn.ParameterList(
            [nn.Parameter(torch.tensor(1.0, dtype=torch.float64)) for _ in range(depth)]
        )
        self.description = f"{counted(depth)} of {width} sines, frequency {frequency:g}"

    def forward(self, values: Tensor) -> Tensor:
        for layer, frequency in zip(self.layers[:-1], self.frequencies, strict=True):
            values = torch.sin(frequency * layer(values))
        return self.layers[-1](values)
