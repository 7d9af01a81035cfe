"""Products of linear layers and Gabor filters."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from pinnkit.networks.layers import counted, for_sines, glorot, linear_layers


class Gabor(nn.Module):
    """h_1 = g_1(z), h_(i+1) = g_(i+1)(z) * (W_i h_i + b_i), and a linear last layer.

    The filters are waves in Gaussian envelopes, g_ij(z) = exp(-(s_ij |z - m_ij|)^2 / 2) sin(w_ij . z + p_ij). m starts
    uniform in [-1, 1], s uniform in [0, 2], w normal with deviation `frequency` / sqrt(depth), p uniform in [-pi, pi].
    Fathony et al. 2021, Multiplicative filter networks.

    Shape: (n, inputs) -> (n, outputs).

    Attributes:
        description: such as "3 layers of 20 Gabor filters, frequency 10".

    >>> sum(p.numel() for p in Gabor(2, 1, width=20, depth=3, frequency=10.0).parameters())
    1221
    """

    def __init__(self, inputs: int, outputs: int, width: int, depth: int, frequency: float) -> None:
        super().__init__()
        self.centres, self.steepness = nn.ParameterList(), nn.ParameterList()
        waves = [layer for _ in range(depth) for layer in linear_layers(inputs, width)]
        *layers, last = linear_layers(*[width] * depth, outputs)
        self.waves, self.layers, self.last = nn.ModuleList(waves), nn.ModuleList(layers), last
        for wave in waves:
            nn.init.normal_(wave.weight, std=frequency / math.sqrt(depth))
            nn.init.uniform_(wave.bias, -math.pi, math.pi)
            self.centres.append(nn.Parameter(2 * torch.rand(inputs, width, dtype=torch.float64) - 1))
            self.steepness.append(nn.Parameter(2 * torch.rand(width, dtype=torch.float64)))
        for layer in layers:
            for_sines(layer)
        glorot([last])
        self.description = f"{counted(depth, 'layer')} of {width} Gabor filters, frequency {frequency:g}"

    def forward(self, values: Tensor) -> Tensor:
        square = (values * values).sum(dim=1, keepdim=True)
        hidden = self._filter(0, values, square)
        for number, layer in enumerate(self.layers, start=1):
            hidden = self._filter(number, values, square) * layer(hidden)
        return self.last(hidden)

    def _filter(self, number: int, values: Tensor, square: Tensor) -> Tensor:
        centres, steepness = self.centres[number], self.steepness[number]
        distance = square - 2 * (values @ centres) + (centres * centres).sum(dim=0)
        return torch.exp(-0.5 * steepness.square() * distance) * torch.sin(self.waves[number](values))
