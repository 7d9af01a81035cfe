"""The public LightningModule, made of a problem and settings, for a Trainer of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from lightning.pytorch.callbacks import Timer
from torch import nn

from pinnkit.language.errors import Mistake, ProblemError
from pinnkit.problem.problem import Problem, check_is_problem
from pinnkit.runs.factory import check_network, data_of, module_arguments
from pinnkit.runs.resolved import resolved
from pinnkit.runs.setup import read
from pinnkit.runs.solution import Solution
from pinnkit.runs.validation import validate
from pinnkit.settings import Settings
from pinnkit.training.blocks import StepBlock
from pinnkit.training.module import PINN as Module


class PINN(Module):
    """A physics-informed neural network for a problem: an ordinary LightningModule with its points in `data`.

    It trains with any Trainer, callbacks and loggers, and minimises J = sum over terms of w * mean |residual|^2. It
    optimizes by itself (`automatic_optimization` is False): one batch is a block of `trainer.steps_per_batch` optimizer
    steps, and an epoch is a draw of points. The Trainer's `max_steps` and `max_time` end training as the settings
    `trainer.max_steps` and `trainer.max_time` do; its own callbacks, loggers and checkpoints work as usual. The losses
    are logged as `loss/TERM` and `loss/objective`.

    Args:
        problem: what is solved.
        settings: how, as `Settings` or as a mapping with the configuration's keys. Of `trainer` the limits are read,
            and neither devices nor checkpoints nor loggers: these are the Trainer's.
        network: a network of your own, (n, d) -> (n, fields), in place of `settings.network`.

    Attributes:
        data: the LightningDataModule that draws its points, for `Trainer.fit(module, module.data)`.

    Raises:
        TypeError: the problem is no Problem, or the settings are none.
        ProblemError: the problem, the settings or the network are wrong; all mistakes are reported together.

    >>> problem = Problem(coordinates={"t": [0, 1]}, fields=["u"], equations="u_t = -u",
    ...                   conditions={"start": {"at": "t = 0", "equations": "u = 1"}})
    >>> module = PINN(problem, {"network": {"width": 5, "depth": 1}, "optimizer": "adam"})
    >>> lightning.Trainer(max_steps=1000).fit(module, module.data)  # doctest: +SKIP
    >>> module.solution()(t=[0.0, 0.5, 1.0])["u"].shape
    (3,)
    """

    def __init__(
        self,
        problem: Problem,
        settings: Settings | Mapping[str, Any] | None = None,
        *,
        network: nn.Module | None = None,
    ) -> None:
        check_is_problem(problem)
        chosen = read(settings)
        if chosen.method != "network":
            message = f"is {chosen.method}, and this module trains a network: pinnkit.solve takes other methods"
            raise ProblemError([Mistake("method", message)])
        problem = validate(problem, chosen, custom_network=network is not None)
        if network is not None:
            check_network(network, problem, chosen)
        self.settings = resolved(problem, chosen, network)
        super().__init__(**module_arguments(problem, self.settings, network))
        self.to(getattr(torch, self.settings.dtype))
        self.data = data_of(self, self.settings)

    def setup(self, stage: str) -> None:
        super().setup(stage)
        trainer: Any = self.trainer  # whose attributes Lightning sets outside its class
        if trainer.world_size > 1 and trainer._accelerator_connector.use_distributed_sampler:
            message = "every process takes every batch, and its share of the points in it"
            raise ValueError(f"{message}: write lightning.Trainer(..., use_distributed_sampler=False)")
        trainer.reload_dataloaders_every_n_epochs = 1  # an epoch is a draw of points
        limits = self.settings.trainer
        if trainer.max_steps >= 0:
            limits = replace(limits, max_steps=trainer.max_steps)
        timer = next((one for one in trainer.callbacks if isinstance(one, Timer)), None)
        if timer is not None and timer.time_remaining() is not None:
            limits = replace(limits, max_time=timer.time_remaining())
        self.state.limits = limits

    def training_step(self, block: StepBlock, batch_idx: int) -> None:
        super().training_step(block, batch_idx)
        losses = {f"loss/{term}": loss for term, loss in self.losses_now.items() if term != "objective"}
        learned = {f"learned/{name}": self.parameter_values()[name].detach() for name in self.learned}
        self.log_dict(losses | learned, batch_size=1)
        if "objective" in self.losses_now:
            self.log("loss/objective", self.losses_now["objective"], prog_bar=True, batch_size=1)

    def solution(self) -> Solution:
        """The solution at the present parameters; it has neither a run folder nor metrics."""
        return Solution("trained", {}, None, self, self.settings)
