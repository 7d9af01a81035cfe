"""The state that the parts of training share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from pinnkit.engines.model import Model
from pinnkit.training.clock import Clock
from pinnkit.training.counters import Counters
from pinnkit.training.distributed import ALONE, Ranks
from pinnkit.training.feature_state import network_of
from pinnkit.training.parameter_values import Parameters, ParameterValues
from pinnkit.training.settings import Trainer
from pinnkit.training.stages import Stage
from pinnkit.training.time_windows import TimeWindows
from pinnkit.training.weights import WeightState


@dataclass
class TrainingState:
    """What is trained, by which stages and limits, and how far it is.

    Attributes:
        run_stages: those of a run without windows of time.
        losses: of the last evaluation, by term, and `objective`: their sum under the reference weights.
        weighted_objective: their sum under the present weights, where these are others; None elsewhere.
        diagnostics: what the optimizer reports of its last step.
        windows: of time, one trained after the other; None: the whole time is trained at once.
        losses_window: the number of the window of time that `losses` are of.
        losses_at: the values of parameters at which `losses` are; None: the problem's own.
        parameters: sets such values.
    """

    model: Model
    run_stages: Sequence[Stage]
    limits: Trainer
    weights: WeightState
    progress: Counters = field(default_factory=Counters)
    clock: Clock = field(default_factory=Clock)
    ranks: Ranks = ALONE
    losses: dict[str, Tensor] = field(default_factory=dict)
    weighted_objective: Tensor | None = None
    diagnostics: dict[str, float] = field(default_factory=dict)
    losses_window: int = 0
    losses_at: ParameterValues | None = None
    windows: TimeWindows | None = None

    def __post_init__(self) -> None:
        self.parameters = Parameters(self.model)

    @property
    def stages(self) -> Sequence[Stage]:
        """The stages of the run, or of its present window of time."""
        return self.run_stages if self.windows is None else self.windows.stages

    @property
    def stage(self) -> Stage:
        """The present stage."""
        return self.stages[self.progress.stage]

    @property
    def new_level(self) -> bool:
        """Whether the present stage trains a network that has not begun yet."""
        return self.stage.level >= network_of(self.model).begun

    @property
    def window(self) -> int:
        """The number of the present window of time, from 0."""
        return 0 if self.windows is None else self.windows.number

    @property
    def number(self) -> int:
        """The number of the present stage among those of all windows of time."""
        return self.window * len(self.stages) + self.progress.stage

    @property
    def stage_seconds(self) -> float:
        """Seconds of training in the present stage."""
        return self.clock.seconds() - self.progress.stage_began_s

    @property
    def like(self) -> Tensor:
        """A tensor of the dtype and the device that the network has."""
        return self.model.like

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return self.like.device
