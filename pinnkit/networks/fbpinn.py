"""Small networks on overlapping subdomains, joined by smooth windows (FBPINN)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from pinnkit.networks.layers import counted
from pinnkit.networks.mlp import ACTIVATIONS


class FBPINN(nn.Module):
    """u(z) = sum over k of w_k(z) N_k((z - m_k) / s), a perceptron N_k for each of K subdomains.

    The subdomains are boxes with the centres m_k, evenly spread over [-1, 1], and the half-widths s_i = overlap / K_i
    along the coordinate z_i, which has K_i of them. The windows are w_k = W_k / (W_1 + ... + W_K) with W_k the product
    over i of (1 + cos(pi t_i))^2, t = (z - m_k) / s, and 0 where |t_i| > 1 for some i: three times continuously
    differentiable, and with the sum 1. Moseley, Markham and Nissen-Meyer 2021 (arXiv 2107.07871); Dolean et al. 2022
    (arXiv 2211.05560). All N_k are evaluated together. Weights start by Glorot's normal rule, biases at zero.

    Shape: (n, inputs) -> (n, outputs).

    Args:
        counts: K_i of each input; where it is 1, all N_k have z_i as it is, and no window depends on it.
        overlap: width of a subdomain over the distance of two centres.

    Attributes:
        description: such as "4 x 2 subdomains: 2 hidden layers of 10, tanh".

    >>> sum(p.numel() for p in FBPINN(2, 1, width=10, depth=2, counts=[4, 2], overlap=1.9).parameters())
    1208
    """

    centres: Tensor
    halves: Tensor

    def __init__(
        self,
        inputs: int,
        outputs: int,
        width: int,
        depth: int,
        counts: Sequence[int],
        overlap: float,
        activation: str = "tanh",
    ) -> None:
        super().__init__()
        self.split = [place for place, count in enumerate(counts) if count > 1]
        axes = [(2 * torch.arange(count, dtype=torch.float64) + 1) / count - 1 for count in counts]
        centres = torch.stack([one.flatten() for one in torch.meshgrid(*axes, indexing="ij")], dim=1)
        halves = [overlap / count if count > 1 else 1.0 for count in counts]
        self.register_buffer("centres", centres)
        self.register_buffer("halves", torch.tensor(halves, dtype=torch.float64))
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for fan_in, fan_out in pairwise([inputs, *[width] * depth, outputs]):
            start = torch.randn(len(centres), fan_in, fan_out, dtype=torch.float64) * math.sqrt(2 / (fan_in + fan_out))
            self.weights.append(nn.Parameter(start))
            self.biases.append(nn.Parameter(torch.zeros(len(centres), 1, fan_out, dtype=torch.float64)))
        self.activation = ACTIVATIONS[activation]
        boxes = " x ".join(str(counts[place]) for place in self.split) or "1"
        self.description = f"{boxes} subdomain{'s' * bool(self.split)}: {counted(depth)} of {width}, {activation}"

    def forward(self, values: Tensor) -> Tensor:
        local = (values.unsqueeze(1) - self.centres) / self.halves
        hidden = local
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            if number:
                hidden = self.activation(hidden)
            hidden = torch.bmm(hidden.transpose(0, 1), weight).transpose(0, 1) + bias.squeeze(1)
        if not self.split:
            return hidden.squeeze(1)
        return (self._windows(local).unsqueeze(2) * hidden).sum(dim=1)

    def _windows(self, local: Tensor) -> Tensor:
        """w_k at the points, (n, K)."""
        found = None
        for place in self.split:
            distance = local[:, :, place]
            wave = 1 + torch.cos(math.pi * distance)
            one = torch.where(distance.abs() < 1, wave * wave, 0.0)
            found = one if found is None else found * one
        assert found is not None
        return found / found.sum(dim=1, keepdim=True)
