"""Sums of products of networks of one coordinate each."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from pinnkit.networks.layers import counted, glorot
from pinnkit.networks.mlp import ACTIVATIONS


class Separable(nn.Module):
    """u = b + sum over r of C_r f_1r(z_1) f_2r(z_2) ... f_dr(z_d), r = 1 ... rank.

    f_i = (f_i1, f_i2, ...) is a multilayer perceptron of the one input z_i. They are evaluated together, as one whose
    matrices are block-diagonal. Cho et al. 2023 (arXiv 2306.15969), here at any points and not on grids alone.

    Weights start by Glorot's normal rule, those of the first layer with variance 1 and its biases with 1/4, so that the
    neurons of one input differ; the last biases of f_i start at 1, so that products of many of them keep their size.

    Shape: (n, inputs) -> (n, outputs).

    Attributes:
        description: such as "12 products of networks of one coordinate: 2 hidden layers of 8, sin".

    >>> sum(p.numel() for p in Separable(10, 1, width=6, depth=2, rank=12).parameters())
    1393
    """

    def __init__(self, inputs: int, outputs: int, width: int, depth: int, rank: int, activation: str = "sin") -> None:
        super().__init__()
        self.inputs, self.rank = inputs, rank
        weights: list[nn.Parameter] = []
        biases: list[nn.Parameter] = []
        for fan_in, fan_out in pairwise([1, *[width] * depth, rank]):
            first, last = not weights, len(weights) == depth
            scale = 1.0 if first else math.sqrt(2 / (fan_in + fan_out))
            weights.append(nn.Parameter(scale * torch.randn(inputs, fan_out, fan_in, dtype=torch.float64)))
            bias = 0.5 * first * torch.randn(inputs * fan_out, dtype=torch.float64) + float(last)
            biases.append(nn.Parameter(bias))
        self.weights, self.biases = nn.ParameterList(weights), nn.ParameterList(biases)
        self.last = nn.Linear(rank, outputs, dtype=torch.float64)
        glorot([self.last])
        self.activation = ACTIVATIONS[activation]
        layers = f"{counted(depth)} of {width}, {activation}"
        self.description = f"{counted(rank, 'product')} of networks of one coordinate: {layers}"

    def forward(self, values: Tensor) -> Tensor:
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            if number:
                values = self.activation(values)
            values = nn.functional.linear(values, torch.block_diag(*weight.unbind()), bias)
        product, *others = values.unflatten(1, (self.inputs, self.rank)).unbind(1)
        for other in others:
            product = product * other
        return self.last(product)
