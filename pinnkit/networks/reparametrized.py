"""Linear layers with other parameters in the place of their weights, or besides: factorised, adaptive."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn


class FactorizedLinear(nn.Module):
    """z -> diag(exp(s)) V z + b, which starts as the linear layer that it is made of.

    Random weight factorisation, Wang, Wang, Seidman and Perdikaris 2022 (arXiv 2210.01274): s starts normal, and V
    such that diag(exp(s)) V is the layer's weight.

    Args:
        mean, deviation: of s.

    Shape: (n, inputs) -> (n, outputs).
    """

    def __init__(self, layer: nn.Linear, mean: float, deviation: float) -> None:
        super().__init__()
        scale = mean + deviation * torch.randn(layer.out_features, 1, dtype=torch.float64)
        self.scale = nn.Parameter(scale)
        self.direction = nn.Parameter(layer.weight.detach() / scale.exp())
        self.bias = layer.bias

    def forward(self, values: Tensor) -> Tensor:
        return nn.functional.linear(values, self.scale.exp() * self.direction, self.bias)


class AdaptiveLinear(nn.Module):
    """z -> n a (W z + b), the argument of an adaptive activation; a starts at 1/n, as the layer that it is made of.

    Jagtap, Kawaguchi and Karniadakis 2019 (arXiv 1906.01170) with one a for a layer, 2019 (arXiv 1909.12228) with one
    for each neuron.

    Args:
        size: how many numbers a holds, 1 or one for each output.
        scale: n, by which a learns faster than the weights.

    Shape: (n, inputs) -> (n, outputs).
    """

    def __init__(self, layer: nn.Module, size: int, scale: float) -> None:
        super().__init__()
        self.layer, self.scale = layer, scale
        self.slope = nn.Parameter(torch.full((size,), 1 / scale, dtype=torch.float64))

    def forward(self, values: Tensor) -> Tensor:
        return self.scale * self.slope * self.layer(values)


def factorized(network: nn.Module, mean: float, deviation: float) -> nn.Module:
    """The network with the weights of all of its linear layers factorised."""
    return _replaced(network, _linear(network), lambda layer: FactorizedLinear(layer, mean, deviation))


def adaptive(network: nn.Module, by_neuron: bool, scale: float) -> nn.Module:
    """The network with an adaptive activation after each of its linear layers but the last."""

    def made(layer: nn.Linear) -> AdaptiveLinear:
        return AdaptiveLinear(layer, layer.out_features if by_neuron else 1, scale)

    return _replaced(network, _linear(network)[:-1], made)


def _linear(network: nn.Module) -> list[str]:
    return [name for name, module in network.named_modules() if isinstance(module, nn.Linear)]


def _replaced(network: nn.Module, names: list[str], made: Callable[[nn.Linear], nn.Module]) -> nn.Module:
    for name in names:
        parent, _, own = name.rpartition(".")
        setattr(network.get_submodule(parent), own, made(cast(nn.Linear, network.get_submodule(name))))
    return network
