"""The state that the parts of training share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from pinnkit.engines.model import Model
from pinnkit.training.clock import Clock
from pinnkit.training.counters import Counters
from pinnkit.training.distributed import ALONE, Ranks
from pinnkit.training.feature_state import network_of
from pinnkit.training.parameter_values import Parameters, ParameterValues
from pinnkit.training.restarts import KEY as RESTARTS
from pinnkit.training.restarts import Restarts
from pinnkit.training.rises import KEY as RISES
from pinnkit.training.rises import Rise, loaded_rises, saved_rises
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
        rises: of the objective, that training went back from, in all of the run.
        restarts: from other first weights, in all of the run.
        unsaved: whether no checkpoint has the present state, though one may have been written at this step.
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
    rises: list[Rise] = field(default_factory=list)
    restarts: Restarts = field(default_factory=Restarts)
    unsaved: bool = False
    losses_at: ParameterValues | None = None
    windows: TimeWindows | None = None

    def __post_init__(self) -> None:
        self.parameters = Parameters(self.model)

    def begin_at(self, before: Counters) -> None:
        """Count steps, evaluations and seconds on from those of an answer that was left."""
        for name in ("step", "evaluations", "train_time_s", "compile_time_s", "step_time_s"):
            setattr(self.progress, name, getattr(before, name))
        self.progress.sound, self.progress.stage_began_s = before.step, before.train_time_s
        self.weights.updated = before.step

    def saved(self) -> dict[str, Any]:
        """What a checkpoint holds of it."""
        found: dict[str, Any] = {"progress": self.progress.state_dict(), "weights": self.weights.state_dict()}
        if self.rises:
            found[RISES] = saved_rises(self.rises)
        if self.restarts.done:
            found[RESTARTS] = self.restarts.state_dict()
        return found

    def load(self, checkpoint: Mapping[str, Any], rolled_back: bool) -> None:
        """Take over what a checkpoint holds; rises and restarts only where training does not go back."""
        self.progress.load_state_dict(checkpoint["progress"])
        self.weights.load_state_dict(checkpoint["weights"])
        if not rolled_back:
            self.rises = loaded_rises(checkpoint.get(RISES))
            self.restarts = Restarts.of(checkpoint.get(RESTARTS))

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
