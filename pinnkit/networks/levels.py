"""Sums of networks that are trained one after the other, each on what those before leave."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from pinnkit.networks.embeddings import CoordinateEmbedding
from pinnkit.networks.mlp import MLP


class Level(nn.Module):
    """A perceptron whose first layer is waves: z -> N(sin(W (k * z) + b)), z the embedded coordinates.

    The factors k stretch the coordinates to the frequencies that what is left has. W starts normal with variance 1, b
    uniform in [-pi, pi).

    Shape: (n, inputs) -> (n, outputs).
    """

    stretch: Tensor

    def __init__(self, embedding: CoordinateEmbedding, outputs: int, width: int, depth: int, activation: str) -> None:
        super().__init__()
        self.embedding = embedding
        self.register_buffer("stretch", torch.ones(embedding.outputs, dtype=torch.float64))
        self.waves = nn.Linear(embedding.outputs, width, dtype=torch.float64)
        nn.init.normal_(self.waves.weight)
        nn.init.uniform_(self.waves.bias, -math.pi, math.pi)
        self.rest = MLP(width, outputs, width, depth - 1, activation)

    def forward(self, points: Tensor) -> Tensor:
        return self.rest(torch.sin(self.waves(self.embedding(points) * self.stretch)))


class Levels(nn.Module):
    """N_1(z) + s_2 N_2(z) + ... of those levels that have begun; s_k is zero before level k begins.

    Wang and Lai 2023 (arXiv 2307.08934).

    Shape: (n, inputs) -> (n, outputs).

    Attributes:
        begun: how many networks count.
    """

    scales: Tensor

    def __init__(self, first: nn.Module, others: Sequence[Level]) -> None:
        super().__init__()
        self.networks = nn.ModuleList([first, *others])
        self.register_buffer("scales", torch.zeros(len(others), dtype=torch.float64))
        self.begun = 1
        self._train_last()

    @property
    def added(self) -> list[Level]:
        """The networks but for the first."""
        return cast(Any, list(self.networks[1:]))

    def forward(self, points: Tensor) -> Tensor:
        outputs = self.networks[0](points)
        for scale, network in zip(self.scales[: self.begun - 1], self.added, strict=False):
            outputs = outputs + scale * network(points)
        return outputs

    def begin(self, scale: float, stretch: Tensor) -> None:
        """Add the next network, and leave those before as they are.

        Args:
            scale: the size of its outputs.
            stretch: factors on the embedded coordinates (inputs,).
        """
        self.added[self.begun - 1].stretch.copy_(stretch)
        self.begun += 1
        self.scale(scale)
        self._train_last()

    def scale(self, size: float | Tensor) -> None:
        """Set the size of the outputs of the last network."""
        self.scales[self.begun - 2] = size

    def silence(self) -> None:
        """Let the outputs of the last network start at zero, so that nothing changes before it is trained."""
        for parameter in self.added[self.begun - 2].rest.layers[-1].parameters():
            nn.init.zeros_(parameter)

    def parameters_of(self, level: int) -> Iterator[nn.Parameter]:
        """Those of the network of a level, from 0."""
        return self.networks[level].parameters()

    def _train_last(self) -> None:
        for number, network in enumerate(self.networks):
            network.requires_grad_(number == self.begun - 1)

    def _load_from_state_dict(self, state_dict: Mapping[str, Any], prefix: str, *others: Any) -> None:
        super()._load_from_state_dict(state_dict, prefix, *others)
        self.begun = 1 + int((self.scales > 0).sum())
        self._train_last()
