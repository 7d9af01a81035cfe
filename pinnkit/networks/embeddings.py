"""Maps from coordinates to the first layer's inputs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn


class CoordinateEmbedding(nn.Module):
    """Scales each coordinate to [-1, 1], or embeds it periodically.

    A coordinate p on [a, b] becomes 2 (p - a)/(b - a) - 1, a logarithmic one the same of log p, log a and log b; a
    periodic one becomes cos(k w p), sin(k w p) with w = 2 pi/(b - a), k = 1 ... harmonics, so that the network is
    periodic to all orders (arXiv 2007.07442).

    Args:
        lower, upper: ends of the ranges, d each.
        periodic: indices of the periodic coordinates.
        logarithmic: indices of those that count by their logarithm.

    Shape: (n, d) -> (n, outputs).
    """

    slope: Tensor
    offset: Tensor
    frequency: Tensor

    def __init__(
        self,
        lower: Sequence[float],
        upper: Sequence[float],
        periodic: Sequence[int] = (),
        harmonics: int = 1,
        logarithmic: Sequence[int] = (),
    ) -> None:
        super().__init__()
        low, high = torch.tensor(lower, dtype=torch.float64), torch.tensor(upper, dtype=torch.float64)
        self.logarithmic = list(logarithmic)
        low[self.logarithmic], high[self.logarithmic] = low[self.logarithmic].log(), high[self.logarithmic].log()
        plain = [index for index in range(len(low)) if index not in periodic]
        self.plain, self.periodic = plain, list(periodic)
        order = torch.arange(1, harmonics + 1, dtype=torch.float64)
        self.register_buffer("slope", 2 / (high - low)[plain])
        self.register_buffer("offset", -(high + low)[plain] / (high - low)[plain])
        self.register_buffer("frequency", 2 * math.pi / (high - low)[self.periodic, None] * order)
        self.outputs = len(plain) + 2 * len(self.periodic) * harmonics

    def forward(self, points: Tensor) -> Tensor:
        if self.logarithmic:
            columns = list(points.unbind(dim=1))
            for index in self.logarithmic:
                columns[index] = columns[index].log()
            points = torch.stack(columns, dim=1)
        if not self.periodic:
            return points * self.slope + self.offset
        phase = (points[:, self.periodic, None] * self.frequency).flatten(1)
        return torch.cat([points[:, self.plain] * self.slope + self.offset, phase.cos(), phase.sin()], dim=1)


class RandomFourier(nn.Module):
    """Random Fourier features: z -> [cos(pi B z), sin(pi B z)], B (m, d) fixed, normal with deviation `scale`.

    With several scales B has m rows of each, one scale after the other. Tancik et al. 2020 (arXiv 2006.10739); for
    PINNs Wang et al. 2020 (arXiv 2012.10047).

    Shape: (n, d) -> (n, 2 m s), with s scales.
    """

    matrix: Tensor

    def __init__(self, inputs: int, features: int, *scales: float) -> None:
        super().__init__()
        parts = [torch.randn(inputs, features, dtype=torch.float64) * scale * math.pi for scale in scales]
        self.register_buffer("matrix", torch.cat(parts, dim=1))
        self.outputs = 2 * features * len(scales)

    def forward(self, values: Tensor) -> Tensor:
        phase = values @ self.matrix
        return torch.cat([phase.cos(), phase.sin()], dim=1)
