"""Values of parameters that training passes through on its way to those of the problem."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pinnkit.engines.model import Model
from pinnkit.networks.ansatz import HardConstraints
from pinnkit.training.feature_state import network_of


@dataclass(frozen=True)
class ParameterValues:
    """Values of some parameters, in the place of the problem's own.

    Attributes:
        values: parameter -> value.
        constraints: what the fields meet exactly at these values; None: the same as at the problem's own.
    """

    values: Mapping[str, float]
    constraints: HardConstraints | None = None

    @property
    def label(self) -> str:
        """Such as nu = 0.1."""
        return ", ".join(f"{name} = {value:.6g}" for name, value in self.values.items())


class Parameters:
    """The present values of a model's parameters while it is trained.

    An attribute of `TrainingState`; what is measured, loaded or saved after training has the problem's own values.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self._own: HardConstraints | None = None
        self._moved = False
        """Whether the hard conditions are those of other values, and the problem's own wait in `_own`."""

    def put(self, at: ParameterValues | None) -> bool:
        """Set the values; None: the problem's own. Whether hard conditions have changed with them."""
        self.model.values.clear()
        self.model.values.update(at.values if at is not None else {})
        found = at.constraints if at is not None else None
        if found is None and not self._moved:
            return False
        network = network_of(self.model)
        if not self._moved:
            self._own = network.constraints
        network.constraints, self._moved = (self._own, False) if found is None else (found, True)
        return True
