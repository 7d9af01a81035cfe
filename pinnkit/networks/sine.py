"""Multilayer perceptrons of sines whose first layer starts with frequencies of a given range."""

from __future__ import annotations

import math

from torch import nn

from pinnkit.networks.mlp import MLP


class Sine(MLP):
    """z -> W_L sin(W_{L-1} ... sin(W_0 z + b_0) ...) + b_L, where the waves of the first layer start apart.

    W_0 starts uniform in [-frequency, frequency], in radians on inputs scaled to [-1, 1], and b_0 in [-pi, pi]; other
    weights start by Glorot's normal rule, other biases at zero. With one hidden layer u is a sum of plane waves, all of
    whose amplitudes, wave vectors and phases are trained.

    Source: Sitzmann et al. 2020 (arXiv 2006.09661), with the phases of random features (Rahimi and Recht 2008).

    Shape: (n, inputs) -> (n, outputs).

    Attributes:
        description: such as "1 hidden layer of 150, sin, frequencies to 4".

    >>> sum(p.numel() for p in Sine(5, 1, width=150, depth=1, frequency=4.0).parameters())
    1051
    """

    def __init__(self, inputs: int, outputs: int, width: int, depth: int, frequency: float) -> None:
        super().__init__(inputs, outputs, width, depth, "sin")
        first = self.layers[0]
        assert isinstance(first, nn.Linear)
        nn.init.uniform_(first.weight, -frequency, frequency)
        nn.init.uniform_(first.bias, -math.pi, math.pi)
        self.description += f", frequencies to {frequency:g}"
