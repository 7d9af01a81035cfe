"""Multilayer perceptrons on random Fourier features."""

from __future__ import annotations

from dataclasses import dataclass, field

from pinnkit.networks.architectures.mlp import MLP
from pinnkit.networks.settings import NETWORKS


@NETWORKS.register("fourier")
@dataclass(frozen=True)
class Fourier(MLP):
    """A multilayer perceptron with random Fourier features in front, for solutions with fine structure."""

    fourier_features: int = field(default=32, metadata={"minimum": 0, "maximum": 1_000_000})
    """Random Fourier features (pairs of cosine and sine)."""
