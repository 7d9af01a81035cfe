"""What can be chosen about a network."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

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


@dataclass(frozen=True)
class Network:
    """A multilayer perceptron on inputs scaled to [-1, 1], with embeddings in front where they are asked for."""

    width: int | None = field(default=None, metadata={"minimum": 1, "maximum": 1_000_000})
    """Neurons of a hidden layer; None: 20 for linear equations, 30 for nonlinear ones (and those in Python) in two or
    three coordinates, and 68 in more (10,000 parameters with three layers). Nonlinear equations form fronts: Burgers'
    comes to 3e-7 in seven minutes with 30, and to 1e-6 in twenty with 20; the heat equation only takes longer."""
    widths: dict[str, int] = field(default_factory=dict, metadata={"minimum": 1, "maximum": 1_000_000})
    """Number of coordinates -> neurons of a hidden layer in networks of fields of so many, in the place of `width`."""
    depth: int = field(default=3, metadata={"minimum": 1, "maximum": 1000})
    """Hidden layers."""
    activation: str | None = field(default=None, metadata={"choices": tuple(SMOOTHNESS)})
    """None: sin for linear equations without time in up to three coordinates, tanh for the others. After a minute the
    error on Poisson's equation is 2e-10 with sin and 2e-9 with tanh, but on Burgers' 4e-3 and 1e-5; the heat equation
    takes a little longer. In five coordinates sin is at 1e-5 sooner (58 s, 94 s) but at 4e-6, not 3e-6, after
    600 s."""
    separate: bool = False
    """One network for each field, in place of one network with an output for each."""
    harmonics: int = field(default=1, metadata={"minimum": 1, "maximum": 1_000_000})
    """Harmonics of the exact periodic embedding, in the coordinates that the problem calls periodic."""
    fourier_features: int = field(default=0, metadata={"minimum": 0, "maximum": 1_000_000})
    """Random Fourier features (pairs of cosine and sine); 0: none."""
    fourier_scale: float = field(default=1.0, metadata={"above": 0.0})
    """Standard deviation of the random frequencies."""

    def neurons(self, dimension: int, linear: bool) -> int:
        """Neurons of a hidden layer for linear, or nonlinear, equations in that many coordinates."""
        given = {str(count): width for count, width in self.widths.items()}.get(str(dimension), self.width)
        if given is not None:
            return given
        if dimension > 3:
            return 68
        return 20 if linear or dimension == 1 else 30

    def activation_for(self, dimension: int, linear: bool, steady: bool) -> str:
        """The activation in that many coordinates for linear, or nonlinear, equations without, or with, time."""
        if self.activation is not None:
            return self.activation
        return "sin" if dimension <= 3 and linear and steady else "tanh"
