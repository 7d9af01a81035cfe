"""Settings of random features."""

from __future__ import annotations

from dataclasses import dataclass, field

KINDS = ("auto", "tanh", "sin")


@dataclass(frozen=True)
class FeatureSettings:
    """How random features solve a problem (method=features) or correct a trained network (polish)."""

    kind: str = field(default="auto", metadata={"choices": KINDS})
    """The function of a feature; auto: the one with which trials leave the smaller residual."""
    range: float | None = field(default=None, metadata={"above": 0.0})
    """Half-width of the weights on coordinates scaled to [-1, 1]; None: found by trials, for each coordinate."""
    count: int | None = field(default=None, metadata={"minimum": 1, "maximum": 1_000_000})
    """Features of each field; None: grown until the estimated error stops falling."""
    max_unknowns: int = field(default=3000, metadata={"minimum": 1, "maximum": 1_000_000})
    """Coefficients in all at most while they are grown: time grows with their third power, memory with the second."""
    rows: float = field(default=2.5, metadata={"above": 1.0})
    """Rows of the equations for each unknown."""
    conditions_weight: float = field(default=30.0, metadata={"above": 0.0})
    """Factor on the residuals of conditions, beside those of the equations; each is scaled by the size of its terms."""
    newton_steps: int = field(default=20, metadata={"minimum": 1, "maximum": 10_000})
    """Newton steps at most, where the problem is nonlinear."""
    windows: int | None = field(default=None, metadata={"minimum": 1, "maximum": 10_000})
    """Slabs of time, each of which starts from the end of the one before; None: as many as are needed."""
