"""The LightningModule: networks, learned parameters, losses, and the steps of the optimizers."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import lightning
import torch
from torch import Tensor, nn

from pinnkit.losses.residuals import Batch, TermGroup, mean_square
from pinnkit.problem.problem import Problem
from pinnkit.sampling.points import EQUATIONS, batch_index
from pinnkit.training.datamodule import Segment
from pinnkit.training.outcome import Diverged, NoGradient
from pinnkit.training.phases import Phase
from pinnkit.training.settings import Trainer

log = logging.getLogger(__name__)


class PINN(lightning.LightningModule):
    """A physics-informed neural network: minimises J = sum over terms of w * mean |residual|^2.

    One call of `training_step` makes several optimizer steps on one set of points. The phases' optimizers all train
    every parameter: the networks' and the learned ones of the problem.

    Args:
        network: (n, d) -> (n, fields).
        groups: the terms, by the points that they share.
        weights: term -> w.
        phases: the optimizers, one after the other.
        limits: when training ends.
        minibatch: points of the equations in each first-order step; None: all.
        seed: of the mini-batches.
    """

    def __init__(
        self,
        problem: Problem,
        network: nn.Module,
        groups: Sequence[TermGroup],
        weights: Mapping[str, float],
        phases: Sequence[Phase],
        limits: Trainer,
        minibatch: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.problem = problem
        self.network = network
        self.learned = nn.ParameterDict(
            {parameter.name: nn.Parameter(_raw(parameter.value, parameter.positive)) for parameter in problem.learned}
        )
        self.groups = {group.name: group for group in groups}
        self.weights = dict(weights)
        self.phases = tuple(phases)
        self.limits = limits
        self.minibatch = minibatch
        self.seed = seed
        self.progress = {
            "step": 0,
            "phase": 0,
            "phase_step": 0,
            "evaluations": 0,
            "draw": -1,
            "train_time_s": 0.0,
            "first_objective": math.nan,
        }
        self.losses_now: dict[str, Tensor] = {}
        self.diagnostics: dict[str, float] = {}
        self.stopped: str | None = None
        self._started: float | None = None

    # ---------------------------------------------------------------- the mathematics

    def forward(self, points: Tensor) -> Tensor:
        """All fields at points: (n, d) -> (n, fields)."""
        return self.network(points)

    def parameter_values(self) -> dict[str, Tensor]:
        """Every parameter of the problem as a scalar tensor; a positive learned one is exp of what is trained."""
        values = {}
        for parameter in self.problem.parameters:
            if not parameter.learn:
                values[parameter.name] = torch.as_tensor(
                    parameter.value, dtype=self._like.dtype, device=self._like.device
                )
            else:
                raw = self.learned[parameter.name]
                values[parameter.name] = raw.exp() if parameter.positive else raw
        return values

    def residuals(self, group: str, batch: Batch) -> dict[str, Tensor]:
        """The residual (n, 1) of every term of a group."""
        return self.groups[group](self.network, batch, self.parameter_values())

    def losses(self, batches: Mapping[str, Batch]) -> dict[str, Tensor]:
        """The loss of every term: its mean squared residual."""
        parameters = self.parameter_values()
        found = {}
        for name, group in self.groups.items():
            for term, residual in group(self.network, batches[name], parameters).items():
                found[term] = mean_square(residual)
        return found

    def objective(self, losses: Mapping[str, Tensor]) -> Tensor:
        """J = sum over terms of weight * loss."""
        return torch.stack([self.weights[term] * loss for term, loss in losses.items()]).sum()

    @property
    def _like(self) -> nn.Parameter:
        return next(self.network.parameters())

    # ---------------------------------------------------------------- the steps

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        parameters = [parameter for parameter in self.parameters() if parameter.requires_grad]
        return [phase.optimizer(parameters) for phase in self.phases]

    def on_train_start(self) -> None:
        self._started = time.perf_counter() - self.progress["train_time_s"]

    def training_step(self, segment: Segment, batch_idx: int) -> None:
        optimizers = self.optimizers()
        optimizers = optimizers if isinstance(optimizers, list) else [optimizers]
        if self.progress["step"] == 0:
            self.progress["first_objective"] = self._check_gradients(segment.batches)
        redrawn = segment.draw != self.progress["draw"]
        self.progress["draw"] = segment.draw
        self.stopped = self.stopped or self._limit()
        for _ in range(segment.steps):
            if self.stopped:
                break
            optimizer = optimizers[self.progress["phase"]]
            if redrawn and hasattr(optimizer, "refresh"):
                optimizer.refresh()  # its loss and gradient belong to points that are gone; its curvature stays
            redrawn = False
            self._step(optimizer, segment.batches)
            self._end_phase(optimizer)
            self.stopped = self.stopped or self._limit()
        self.progress["train_time_s"] = time.perf_counter() - self._started
        if not all(torch.isfinite(loss) for loss in self.losses_now.values()):
            self._diverged(segment.batches)
        if self.stopped:
            self.trainer.should_stop = True

    def stop(self, reason: str) -> None:
        """End training before the next optimizer step."""
        self.stopped = self.stopped or reason

    def _step(self, optimizer: Any, batches: Mapping[str, Batch]) -> None:
        phase = self.phases[self.progress["phase"]]
        rate = phase.set_learning_rate(optimizer, self.progress["phase_step"])
        if self.minibatch and phase.first_order:
            batches = self._thin(batches)
        last: dict[str, Tensor] = {}

        def closure() -> Tensor:
            optimizer.zero_grad(set_to_none=True)
            losses = self.losses(batches)
            objective = self.objective(losses)
            if phase.first_order and not torch.isfinite(objective):
                raise FloatingPointError  # before it reaches the weights; a line search recovers by itself
            self.manual_backward(objective)
            self.progress["evaluations"] += 1
            last.update({term: loss.detach() for term, loss in losses.items()}, objective=objective.detach())
            return objective

        try:
            optimizer.step(closure=closure)
        except FloatingPointError:
            self._diverged(batches)
        if last:
            self.losses_now = last
        self.diagnostics = dict(getattr(optimizer, "diagnostics", {}))
        if rate is not None:
            self.diagnostics["learning_rate"] = rate
        self.progress["step"] += 1
        self.progress["phase_step"] += 1

    def _thin(self, batches: Mapping[str, Batch]) -> dict[str, Batch]:
        """The mini-batch of this step from the points of the equations; conditions keep all of theirs."""
        if EQUATIONS not in batches:
            return dict(batches)
        points = batches[EQUATIONS].coordinates
        index = batch_index(len(points), self.minibatch, self.seed, EQUATIONS, self.progress["step"])
        return {**batches, EQUATIONS: Batch(points[torch.as_tensor(index, device=points.device)], {})}

    def _end_phase(self, optimizer: Any) -> None:
        phase = self.phases[self.progress["phase"]]
        reason = getattr(optimizer, "finished", None)
        if phase.settings.steps is not None and self.progress["phase_step"] >= phase.settings.steps:
            reason = reason or f"its {phase.settings.steps} steps are done"
        if reason is None:
            return
        if self.progress["phase"] + 1 < len(self.phases):
            self.progress["phase"] += 1
            self.progress["phase_step"] = 0
            log.info("%s ended: %s; %s follows", phase.name, reason, self.phases[self.progress["phase"]].name)
        else:
            self.stopped = f"{phase.name} ended: {reason}"

    def _limit(self) -> str | None:
        """Why training ends here, if it does."""
        if self.limits.steps is not None and self.progress["step"] >= self.limits.steps:
            return f"{self.limits.steps} steps are done"
        if self.limits.max_time is not None and time.perf_counter() - self._started >= self.limits.max_time:
            return f"{self.limits.max_time:g} s of training are over"
        objective = self.losses_now.get("objective")
        if objective is None:
            return None
        if self.limits.stop_loss is not None and objective <= self.limits.stop_loss:
            return f"the objective is at most {self.limits.stop_loss:g}"
        reduction = self.limits.reduction(len(self.problem.coordinates))
        if reduction is not None and objective <= reduction * self.progress["first_objective"]:
            return f"the objective has fallen to {reduction:g} of its first value"
        return None

    # ---------------------------------------------------------------- what can go wrong

    def _check_gradients(self, batches: Mapping[str, Batch]) -> float:
        """Every term must depend on what is trained; returns the objective, for it is computed here first.

        Raises:
            NoGradient: the gradient of a term by every trainable parameter is missing, as happens where a residual
                in Python detaches a derivative: the term would be computed, logged, and train nothing.
        """
        trainable = [parameter for parameter in self.parameters() if parameter.requires_grad]
        with torch.enable_grad():
            losses = self.losses(batches)
        for term, loss in losses.items():
            gradients: Sequence[Tensor | None] = [None]
            if loss.requires_grad:
                gradients = torch.autograd.grad(loss, trainable, retain_graph=True, allow_unused=True)
            if all(gradient is None for gradient in gradients):
                raise NoGradient(term)
        return float(self.objective(losses).detach())

    def _diverged(self, batches: Mapping[str, Batch]) -> None:
        """Name the term and the point at which the loss is no finite number."""
        for group, batch in batches.items():
            for term, residual in self.residuals(group, batch).items():
                bad = (~torch.isfinite(residual.detach()[:, 0])).nonzero()
                if len(bad):
                    row = int(bad[0])
                    point = dict(zip(self.problem.coordinates, batch.coordinates[row].tolist(), strict=True))
                    raise Diverged(self.progress["step"], term, point, float(residual.detach()[row]))
        raise Diverged(self.progress["step"], "objective", {}, math.nan)

    # ---------------------------------------------------------------- what others read

    def score(self, points: Tensor) -> Tensor:
        """The size of the equations' residuals at points (n, d): sqrt(sum of w r^2), shape (n,)."""
        residuals = self.residuals(EQUATIONS, Batch(points, {}))
        return sum(self.weights[term] * residual.detach().square() for term, residual in residuals.items()).sqrt()[:, 0]

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["progress"] = dict(self.progress)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.progress = dict(checkpoint["progress"])
        checkpoint.pop("loops", None)  # the position in the run is `progress`; Lightning's own counters start anew


def _raw(value: float, positive: bool) -> Tensor:
    """What is trained for a learned parameter: its logarithm where it must stay positive."""
    return torch.tensor(math.log(value) if positive else value, dtype=torch.float64)
