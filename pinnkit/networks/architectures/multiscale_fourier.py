"""Perceptrons on random Fourier features of several scales."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pinnkit.networks.architectures.mlp import MLP
from pinnkit.networks.settings import NETWORKS


@NETWORKS.register("multiscale_fourier")
@dataclass(frozen=True)
class MultiscaleFourier(MLP):
    """The same hidden layers on random Fourier features of several scales, for solutions with coarse and fine parts."""

    fourier_features: int = field(default=16, metadata={"minimum": 1, "maximum": 1_000_000})
    """Random Fourier features (pairs of cosine and sine) of each scale."""
    scales: tuple[float, ...] = field(default=(1.0, 10.0), metadata={"above": 0.0})
    """Standard deviations of the random frequencies, in units of `fourier_scale`."""

    @property
    def fourier_scales(self) -> tuple[float, ...]:
        return tuple(self.fourier_scale * one for one in self.scales)

    def plain(self, inputs: int, outputs: int) -> Any:
        from pinnkit.networks import multiscale_fourier as network

        assert self.width is not None
        assert self.activation is not None
        options = (self.width, self.depth, len(self.scales), self.activation)
        return network.MultiscaleFourier(inputs, outputs, *options)

    def layers(self, inputs: int, outputs: int) -> list[tuple[int, int]]:
        assert self.width is not None
        *hidden, _ = super().layers(inputs // len(self.scales), outputs)
        return [*hidden, (self.width * len(self.scales), outputs)]
