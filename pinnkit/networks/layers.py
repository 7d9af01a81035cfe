"""Linear layers and how they start: what the networks have in common."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise

import torch
from torch import nn


def linear_layers(*sizes: int) -> list[nn.Linear]:
    """Layers from each size to the next, in float64."""
    return [nn.Linear(fan_in, fan_out, dtype=torch.float64) for fan_in, fan_out in pairwise(sizes)]


def glorot(layers: Iterable[nn.Linear]) -> None:
    """Start weights by Glorot's normal rule, var = 2/(fan_in + fan_out), and biases at zero."""
    for layer in layers:
        nn.init.xavier_normal_(layer.weight)
        nn.init.zeros_(layer.bias)


def for_sines(layer: nn.Linear, factor: float = 1.0) -> None:
    """Start h -> sin(factor (W h + b)) such that it keeps its variance: W uniform up to sqrt(6/fan_in)/factor, b zero.

    Sitzmann et al. 2020 (arXiv 2006.09661).
    """
    bound = math.sqrt(6 / layer.in_features) / factor
    nn.init.uniform_(layer.weight, -bound, bound)
    nn.init.zeros_(layer.bias)


def counted(count: int, noun: str = "hidden layer") -> str:
    """Such as "3 hidden layers".

    >>> counted(1), counted(2, "block")
    ('1 hidden layer', '2 blocks')
    """
    return f"{count} {noun}{'s' if count != 1 else ''}"
