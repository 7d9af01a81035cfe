"""Settings of networks: what all architectures share, and their registry."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from pinnkit.registry import Registry

NETWORKS = Registry("network", "pinnkit.networks.architectures", default="mlp")

SMOOTHNESS = {
    "tanh": math.inf,
    "sin": math.inf,
    "sigmoid": math.inf,
    "silu": math.inf,
    "gelu": math.inf,
    "softplus": math.inf,
    "relu": 1,
}
"""Activation -> the highest order of derivative that a network built of it gives usefully."""
LINEAR_WIDTH, NONLINEAR_WIDTH = 20, 30
"""Neurons of a hidden layer where none are given, in up to three coordinates."""
MANY_COORDINATES_WIDTH = 68
"""The same for one equation in more coordinates: 10,000 parameters with three layers."""


@dataclass(frozen=True)
class Network(ABC):
    """A network on inputs scaled to [-1, 1], with embeddings in front where they are asked for.

    Attributes:
        name: the architecture's name, `network.name`.
        levels: whether others, of the same size, can be added to what it has learned.
        sizes: settings by which the network's memory grows, and their smallest values.
    """

    name: ClassVar[str]
    levels: ClassVar[bool] = False
    sizes: ClassVar[dict[str, int]] = {"harmonics": 1, "fourier_features": 0, "width": 1}

    width: int | None = field(default=None, metadata={"minimum": 1, "maximum": 1_000_000})
    """Neurons of a hidden layer; None: 20 for linear equations in a single shape, 30 for nonlinear ones (and those in
    Python) and combined shapes in two or three coordinates; in more 68 for one equation, else 30."""
    widths: dict[str, int] = field(default_factory=dict, metadata={"minimum": 1, "maximum": 1_000_000})
    """Number of coordinates -> neurons of a hidden layer in networks of fields of so many, in the place of `width`."""
    activation: str | None = field(default=None, metadata={"choices": tuple(SMOOTHNESS)})
    """Between layers; None: sin for linear equations without time in a single shape in up to three coordinates, tanh
    for the others."""
    separate: bool = False
    """One network for each field, in place of one network with an output for each."""
    harmonics: int = field(default=1, metadata={"minimum": 1, "maximum": 1_000_000})
    """Harmonics of the exact periodic embedding, in the coordinates that the problem calls periodic."""
    fourier_features: int = field(default=0, metadata={"minimum": 0, "maximum": 1_000_000})
    """Random Fourier features (pairs of cosine and sine); 0: none."""
    fourier_scale: float = field(default=1.0, metadata={"above": 0.0})
    """Standard deviation of the random frequencies."""

    @abstractmethod
    def build(self, inputs: int, outputs: int) -> Any:
        """The `nn.Module` in float64, (n, inputs) -> (n, outputs), for settings in which nothing is None."""

    @abstractmethod
    def parameters(self, inputs: int, outputs: int) -> int:
        """How many parameters that network has."""

    def chosen(self, coordinates: int, inputs: int, linear: bool, steady: bool, equations: int = 1) -> Network:
        """These settings with the values that the problem decides in the place of None.

        Args:
            coordinates: of the problem.
            inputs: those of them on which the network's fields depend.
            linear, steady: whether the equations are linear (in a single shape), and without time.
            equations: how many there are.
        """
        widths = {str(count): width for count, width in self.widths.items()}
        width, activation = widths.get(str(inputs), self.width), self.activation
        if width is None:
            few = LINEAR_WIDTH if linear or inputs == 1 else NONLINEAR_WIDTH
            many = MANY_COORDINATES_WIDTH if equations == 1 else NONLINEAR_WIDTH
            width = many if inputs > 3 else few
        if activation is None:
            activation = "sin" if coordinates <= 3 and linear and steady else "tanh"
        return replace(self, width=width, activation=activation)

    def on(self, names: Sequence[str]) -> Network:
        """These settings for a network whose first inputs are scaled coordinates of these names; "": another field."""
        return self

    def level(self, embedding: Any, outputs: int) -> Any:
        """The network that is added to the chosen one, where there are levels."""
        raise NotImplementedError

    @property
    def smoothness(self) -> float:
        """The highest order of derivative that the chosen network gives usefully."""
        return SMOOTHNESS[str(self.activation)]

    def embedded(self, plain: int, periodic: int) -> int:
        """Numbers into which that many coordinates, and periodic ones, are embedded."""
        return plain + 2 * periodic * self.harmonics

    @property
    def fourier_scales(self) -> tuple[float, ...]:
        """Standard deviations of the random frequencies, of which each has `fourier_features`."""
        return (self.fourier_scale,)

    def fixed(self, embedded: int) -> int:
        """How many numbers the network has that are not trained, on so many embedded coordinates."""
        return embedded * self.fourier_features * len(self.fourier_scales)

    def total(self, embedded: int, outputs: int) -> int:
        """How many numbers the network has on so many embedded coordinates, fixed frequencies included."""
        if not self.fourier_features:
            return self.parameters(embedded, outputs)
        inputs = 2 * self.fourier_features * len(self.fourier_scales)
        return self.fixed(embedded) + self.parameters(inputs, outputs)
