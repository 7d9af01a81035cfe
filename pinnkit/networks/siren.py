"""Perceptrons of sines of one fixed frequency factor (SIREN)."""

from __future__ import annotations

from torch import Tensor, nn

from pinnkit.networks.layers import counted, for_sines, glorot, linear_layers


class Siren(nn.Module):
    """`depth` hidden layers h -> sin(k (W h + b)) with the same fixed factor k, and a linear last one.

    W of the first layer starts uniform in [-1/n, 1/n] with n inputs and its b in [-1/sqrt(n), 1/sqrt(n)]; W of the
    others in [-sqrt(6/n)/k, sqrt(6/n)/k] and their b at zero. Sitzmann et al. 2020 (arXiv 2006.09661). The last layer
    starts by Glorot's normal rule, so that outputs have size one. A `Sine` network starts as such a function too, but
    learns the factors of its layers, and has 1 in all but the first: here all weights learn faster by k.

    Shape: (n, inputs) -> (n, outputs).

    Attributes:
        description: such as "3 hidden layers of 20 sines, omega 30".

    >>> sum(p.numel() for p in Siren(2, 1, width=20, depth=3, frequency=30.0).parameters())
    921
    """

    def __init__(self, inputs: int, outputs: int, width: int, depth: int, frequency: float) -> None:
        super().__init__()
        first, *others, last = linear_layers(inputs, *[width] * depth, outputs)
        nn.init.uniform_(first.weight, -1 / inputs, 1 / inputs)
        nn.init.uniform_(first.bias, -(inputs**-0.5), inputs**-0.5)
        for layer in others:
            for_sines(layer, frequency)
        glorot([last])
        self.layers, self.frequency = nn.ModuleList([first, *others, last]), frequency
        self.description = f"{counted(depth)} of {width} sines, omega {frequency:g}"

    def forward(self, values: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            values = (self.frequency * layer(values)).sin()
        return self.layers[-1](values)
