"""The LightningModule: networks, learned parameters, losses, and the steps of the optimizers."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor, nn

from pinnkit.engines.evaluator import EngineUnsupported, Evaluator, Model, Prepared
from pinnkit.engines.jacobian import Jacobian, Linearisation
from pinnkit.engines.selection import Budget, Chooser
from pinnkit.losses.residuals import TermGroup, mean_square
from pinnkit.operators.compiled import CompileTime
from pinnkit.operators.engine_choice import EngineChoice
from pinnkit.operators.memory import out_of_memory
from pinnkit.operators.settings import Operators
from pinnkit.optimizers.deterministic import DeterministicOptimizer
from pinnkit.optimizers.least_squares import LeastSquaresOptimizer
from pinnkit.optimizers.self_scaled import SelfScaled
from pinnkit.optimizers.threads import torch_threads
from pinnkit.problem.problem import Problem
from pinnkit.sampling.point_set import PointSet
from pinnkit.sampling.points import EQUATIONS, batch_index
from pinnkit.training.datamodule import StepBlock
from pinnkit.training.diagnostics import at_once, check_gradients, divergence, exploded, explosion, what_fits
from pinnkit.training.distributed import ALONE, Ranks
from pinnkit.training.exceptions import INTERRUPTED, NoMemory, OutOfMemory, Unsuitable
from pinnkit.training.phases import Phase
from pinnkit.training.settings import Trainer
from pinnkit.training.stagnation import Progress, explained

log = logging.getLogger(__name__)

EXPECTED_STEPS = 2500
"""Optimizer steps that a run without limits is expected to take, when the engine is chosen."""
EVALUATIONS_PER_STEP = 1.1


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
        operators: how derivatives are computed.
        width: neurons in a layer, by which chunks are sized.
        threads: on how many threads compiled code works.
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
        operators: Operators,
        width: int,
        threads: int = 1,
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
        self.terms = tuple(term for group in groups for term in group.terms)
        self.weights = dict(weights)
        self.phases = tuple(phases)
        self.limits = limits
        self.operators, self.width, self.threads = operators, width, threads
        self.model = Model(problem, network, self.learned)
        self.evaluator: Evaluator | None = None
        self.choice: EngineChoice | None = None
        self._prepared: tuple[Mapping[str, PointSet], list[Prepared]] | None = None
        self._jacobian: Jacobian | None = None
        self._linearised: tuple[Mapping[str, PointSet], Linearisation] | None = None
        self._gradient: Tensor | None = None
        self._refused = torch.zeros((), dtype=torch.int64)
        self._last: list[Tensor] = []
        """Losses and objective of the last evaluation, on the device."""
        self._first: Tensor | None = None
        """The objective of the first evaluation on points that were drawn for this segment, on the device."""
        self._drawn = False
        """Whether no step has been made yet on these points."""
        self.minibatch = minibatch
        self.seed = seed
        self.progress = {
            "step": 0,
            "phase": 0,
            "phase_step": 0,
            "evaluations": 0,
            "draw": -1,
            "train_time_s": 0.0,
            "compile_time_s": 0.0,
            "step_time_s": 0.0,
            "settling": None,
            "first_objective": math.nan,
            "least_objective": math.inf,
            "sound": 0,
            "rollbacks": 0,
        }
        self.losses_now: dict[str, Tensor] = {}
        self.diagnostics: dict[str, float] = {}
        self.stopped: str | None = None
        self.ranks = ALONE
        self.rolled_back = False
        """Whether training diverged, and goes on from an earlier state with smaller steps."""
        self._wish: str | None = None
        """Why this process wants to stop: a signal, or an error that is small enough."""
        self._progress = Progress()
        self.compile_time = CompileTime()
        self._origin: float | None = None
        """The reading of `_clock` at which this run's training time was zero."""

    # ---------------------------------------------------------------- the mathematics

    def forward(self, points: Tensor) -> Tensor:
        """All fields at points: (n, d) -> (n, fields)."""
        return self.network(points)

    def parameter_values(self) -> dict[str, Tensor]:
        """Every parameter of the problem as a scalar tensor; a positive learned one is exp of what is trained."""
        return self.model.parameters(self.learned, self.model.constants(self._like))

    def residuals(self, group: str, batch: PointSet, weigh: bool = True) -> dict[str, Tensor]:
        """The residual (n, 1) of every term of a group, times the root of a weight that differs between points."""
        return self.groups[group](self.network, batch, self.parameter_values(), weigh)

    def losses(self, batches: Mapping[str, PointSet]) -> dict[str, Tensor]:
        """The loss of every term: its mean squared residual."""
        parameters = self.parameter_values()
        found = {}
        for name, group in self.groups.items():
            for term, residual in group(self.network, batches[name], parameters).items():
                found[term] = mean_square(residual, batches[name])
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
        matrices = 1 if self.limits.shards else self.threads  # sums in products of matrices depend on it
        if self.ranks.count > 1:  # whose machines may have other numbers of cores
            matrices = self.trainer.strategy.broadcast(matrices)
        optimizers = [phase.optimizer(parameters) for phase in self.phases]
        for one in optimizers:
            if isinstance(one, SelfScaled):
                one.set_worker_threads(self.threads)
            elif isinstance(one, LeastSquaresOptimizer):
                one.set_matrix_threads(matrices)
        return optimizers

    def setup(self, stage: str) -> None:
        self.ranks = Ranks(self.trainer.global_rank, self.trainer.world_size, self.limits.shards)

    def on_train_start(self) -> None:
        self.compile_time.seconds = self.progress["compile_time_s"]
        if self.rolled_back:
            for optimizer in self.trainer.optimizers:
                if isinstance(
                    optimizer, DeterministicOptimizer
                ):  # with what it has learned it would take the same steps again
                    optimizer.restart(0.5 ** self.progress["rollbacks"])

    def training_step(self, segment: StepBlock, batch_idx: int) -> None:
        optimizers = self.optimizers()
        optimizers = optimizers if isinstance(optimizers, list) else [optimizers]
        try:
            if self.evaluator is None:
                self._begin(segment.batches)
                self._origin = self._clock() - self.progress["train_time_s"]
            with self.evaluator.threading():
                self._segment(optimizers, segment)
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            raise OutOfMemory(*what_fits(self, segment.batches)) from error

    def _begin(self, batches: Mapping[str, PointSet]) -> None:
        """What is done once in each process: look for terms that train nothing, and choose the engine."""
        if self.progress["step"] == 0:
            check_gradients(self, batches)
        own = self.ranks.share(batches)
        chooser = Chooser(self.make_evaluator, self.operators, own[0], self.weight_vector(), self._budget(), len(own))
        if self.choice is None:
            self.evaluator, choice = chooser.choose()
            self.choice = self.trainer.strategy.broadcast(choice)
            if (self.choice.engine, self.choice.chunk) != (choice.engine, choice.chunk):
                self.evaluator = chooser.restored(self.choice)  # each rank has measured other times: the first decides
        else:
            self.evaluator = chooser.restored(self.choice)
        if self.progress["step"] == 0:
            with self.evaluator.threading():
                losses, _ = self._evaluate(self.prepared(batches), self.weight_vector(), self._directions())
            self.progress["first_objective"] = float(torch.dot(self.weight_vector(), losses))

    def _clock(self) -> float:
        """Seconds, without those of compiling."""
        return time.perf_counter() - self.compile_time.seconds

    def _train_time(self) -> float:
        """Seconds of training so far: choosing an engine and compiling are no part of it."""
        return self._clock() - self._origin

    def make_evaluator(self, engine: str, chunk: int | None) -> Evaluator:
        """An evaluator of this module's losses."""
        return Evaluator(
            self.model,
            tuple(self.groups.values()),
            engine,
            self.width,
            chunk,
            self.operators.directions,
            self.choice.threads if self.choice else self.threads,
            self.limits.shards is not None,
            self.compile_time,
        )

    def prepared(self, batches: Mapping[str, PointSet]) -> list[Prepared]:
        """This rank's shards, cut for the evaluator; done once for each draw."""
        if self._prepared is None or self._prepared[0] is not batches:
            self._prepared = (batches, [self.evaluator.prepare(shard) for shard in self.ranks.share(batches)])
        return self._prepared[1]

    def _evaluate(self, shards: list[Prepared], weights: Tensor, directions: list[Tensor]) -> tuple[Tensor, ...]:
        """Losses and gradient over the points of all ranks: the same numbers on each."""
        return self.ranks.total(self.evaluator.each(shards, weights, directions))

    def weight_vector(self) -> Tensor:
        """The weights in the order of the terms."""
        return torch.tensor([self.weights[term] for term in self.terms], dtype=self._like.dtype, device=self.device)

    def _directions(self) -> list[Tensor]:
        return self.evaluator.draw_directions(self.seed, self.progress["step"])

    def _budget(self) -> Budget:
        steps = self.limits.max_steps or (EXPECTED_STEPS if self.limits.max_time is None else math.inf)
        left = max(steps - self.progress["step"], 0)
        return Budget(EVALUATIONS_PER_STEP * left, self.limits.max_time or math.inf)

    def _segment(self, optimizers: Sequence[Any], segment: StepBlock) -> None:
        self._drawn = segment.draw != self.progress["draw"]
        if self._drawn:
            optimizer = optimizers[self.progress["phase"]]
            if hasattr(optimizer, "refresh"):
                optimizer.refresh()  # its loss and gradient belong to points that are gone; its curvature stays
        self.stopped = self.stopped or self.ranks.first_message(self._asked(), self.device) or self._limit()
        self._settle()
        weights = self.weight_vector()
        began, before = self._train_time(), self.progress["step"]
        for _ in range(segment.steps):
            if self.stopped:
                break
            optimizer = optimizers[self.progress["phase"]]
            self._step(optimizer, segment.batches, weights)
            self.progress["draw"], self._drawn = segment.draw, False  # a run that stops before it resumes with new ones
            self._end_phase(optimizers)
            if self.ranks.count == 1:  # several agree once a segment: to ask in each step would cost a message
                self.stopped = self.stopped or self._asked()
            self.stopped = self.stopped or self._limit()
        ended = self.progress["train_time_s"] = self._train_time()
        self.progress["compile_time_s"] = self.compile_time.seconds
        if taken := self.progress["step"] - before:
            self.progress["step_time_s"] = (ended - began) / taken
        self._sync_metrics(segment.batches, before)
        if self.stopped:
            self._check_unseen_points()
            self.trainer.should_stop = True

    def _sync_metrics(self, batches: Mapping[str, PointSet], before: int) -> None:
        """What needs numbers from the device, once a segment: a GPU does not wait for them in every step.

        before: the step with which the segment began.
        """
        if not self._last:
            return
        losses, objective = self._last
        self.losses_now = dict(zip(self.terms, losses.unbind(), strict=True)) | {"objective": objective}
        refused = int(self._refused)
        if refused or not torch.isfinite(losses).all():
            raise divergence(self, batches, self.progress["step"] - refused, self._spoilt)
        if exploded(float(objective), self.progress):
            raise explosion(self, batches, float(objective), self._spoilt)
        if self._first is not None and not self._spoilt:
            least = min(self.progress["least_objective"], float(self._first))
            self.progress["least_objective"], self.progress["sound"] = least, before
        self._first = None
        phase = self.progress["phase"]
        fell = self._progress.stagnated(self.progress["step"], phase, float(objective))
        if fell is not None and not self.stopped:
            log.info("step %d: %s", self.progress["step"], explained(self.phases[phase].name, fell, self.diagnostics))
        self.stopped = self.stopped or self._reached()

    def _check_unseen_points(self) -> None:
        """Make sure that the objective has not exploded between the points of the last draw.

        Raises:
            Diverged: it has.
        """
        if self.progress["step"] == 0 or self.stopped.startswith(INTERRUPTED):
            return
        try:
            batches, scores = self.trainer.datamodule.unseen()
        except (RuntimeError, MemoryError) as error:
            alone = self.ranks.count > 1 and not isinstance(error, NoMemory)
            if alone or not out_of_memory(error):
                raise
            message = "whether the objective is as small on other points is not known: memory is too small to look"
            log.warning("%s. Set operators.chunk to compute fewer points at once", message)
            return
        objective = sum(float(np.square(one).mean()) for one in scores.values())
        if exploded(objective, self.progress):
            raise explosion(self, batches, objective, new=True)

    @property
    def _spoilt(self) -> bool:
        """Whether this segment's points are new and were bad from the first step on: the weights were so before."""
        first = None if self._first is None else float(self._first)
        return first is not None and (not math.isfinite(first) or exploded(first, self.progress))

    def _settle(self) -> None:
        """Begin to shorten the steps of a phase that wants it, where little of it is left on some rank."""
        phase = self.phases[self.progress["phase"]]
        if not phase.fresh_points or not self.ranks.any(self._left() < phase.settings.settle, self.device):
            self.progress["settling"] = None
        elif self.progress["settling"] is None:
            self.progress["settling"] = self.progress["step"]
            log.info("step %d: the steps of %s shorten from here to the end", self.progress["step"], phase.name)

    def _left(self) -> float:
        """The share of the present phase, or of the run, that is left: of its steps or its time."""
        left = self.phases[self.progress["phase"]].left(self.progress["phase_step"])
        if self.limits.steps is not None:
            left = min(left, 1.0 - self.progress["step"] / self.limits.steps)
        if self.limits.max_time is not None:
            left = min(left, 1.0 - self._train_time() / self.limits.max_time)
        return left

    def stop(self, reason: str) -> None:
        """End training before the next optimizer step; with several ranks, before the next segment of steps."""
        self._wish = self._wish or reason

    @property
    def interrupted(self) -> str | None:
        """The signal by which this process was asked to stop."""
        return self._wish if self._wish and self._wish.startswith(INTERRUPTED) else None

    def _step(self, optimizer: Any, batches: Mapping[str, PointSet], weights: Tensor) -> None:
        phase = self.phases[self.progress["phase"]]
        rate = phase.set_learning_rate(optimizer, self.progress["phase_step"], 0.5 ** self.progress["rollbacks"])
        settling = self.progress["settling"]
        phase.settle(optimizer.optimizer, None if settling is None else self.progress["step"] - settling)
        if self.minibatch and phase.mini_batches:
            batches = self._minibatch(batches)
            if not phase.first_order:
                optimizer.refresh()
        prepared, directions = self.prepared(batches), self._directions()

        def closure() -> Tensor:
            losses, gradient = self._evaluate(prepared, weights, directions)
            objective = torch.dot(weights, losses)
            self._set_gradient(gradient)
            if phase.first_order:  # a line search recovers by itself
                self._refuse_infinite(optimizer, objective, gradient)
            self.progress["evaluations"] += 1
            self._last[:] = [losses, objective]
            if self._drawn and self._first is None:
                self._first = objective
            return objective

        if phase.least_squares:
            optimizer.optimizer.system = self._linearisation(phase, batches, weights)
        try:
            optimizer.step(closure=closure)
        except FloatingPointError:
            raise divergence(self, batches, self.progress["step"], self._spoilt) from None
        except EngineUnsupported as error:
            raise Unsuitable(phase.name, str(error)) from error
        self.diagnostics.clear()
        self.diagnostics.update(getattr(optimizer, "diagnostics", {}))
        if note := getattr(optimizer, "note", None):
            log.info("step %d of %s: %s", self.progress["step"], phase.name, note)
        if rate is not None:
            self.diagnostics["learning_rate"] = rate
        self.progress["step"] += 1
        self.progress["phase_step"] += 1

    def _linearisation(self, phase: Phase, batches: Mapping[str, PointSet], weights: Tensor) -> Linearisation:
        """The least-squares problem of these points.

        Raises:
            Unsuitable: the network cannot be recorded, or a residual is no function of its point alone.
        """
        if self._linearised is None or self._linearised[0] is not batches:
            try:
                if self._jacobian is None:
                    self._jacobian = Jacobian(self.evaluator)
                    self._jacobian.verify(batches, weights)
                own = [self._jacobian.prepare(shard) for shard in self.ranks.share(batches)]
                self._linearised = (batches, self._jacobian.at(own, weights, self.ranks))
            except EngineUnsupported as error:
                raise Unsuitable(phase.name, str(error)) from error
        return self._linearised[1]

    def _set_gradient(self, gradient: Tensor) -> None:
        """Hand the flat gradient to the parameters, as views of one tensor."""
        if self._gradient is None or self._gradient.device != gradient.device:
            self._gradient = torch.empty_like(gradient)
            parameters = list(self.model.trainable().values())
            parts = self._gradient.split([one.numel() for one in parameters])
            for one, part in zip(parameters, parts, strict=True):
                one.grad = part.view_as(one)
        self._gradient.copy_(gradient)

    def _refuse_infinite(self, optimizer: Any, objective: Tensor, gradient: Tensor) -> None:
        """Keep the weights where a step from here would spoil them, without asking the device whether it would.

        torch's fused Adam makes no step where `found_inf` is 1, as it does for gradient scaling; SOAP does likewise. So
        the weights stay those that gave the infinite loss until the end of the segment, where it is told.
        """
        if self._refused.device != gradient.device:
            self._refused = self._refused.to(gradient.device)
        infinite = (gradient.sum() + objective) * 0 != 0
        self._refused.add_(infinite.logical_or_(self._refused))
        optimizer.optimizer.found_inf = infinite.to(torch.float32)

    def _minibatch(self, batches: Mapping[str, PointSet]) -> dict[str, PointSet]:
        """The mini-batch of this step from the points of the equations; conditions keep all of theirs."""
        if EQUATIONS not in batches:
            return dict(batches)
        points = batches[EQUATIONS]
        index = batch_index(len(points), self.minibatch, self.seed, EQUATIONS, self.progress["step"])
        index = torch.as_tensor(index, device=points.coordinates.device)
        return {**batches, EQUATIONS: points.take(index)}

    def _end_phase(self, optimizers: Sequence[Any]) -> None:
        phase, optimizer = self.phases[self.progress["phase"]], optimizers[self.progress["phase"]]
        reason = getattr(optimizer, "finished", None)
        if phase.settings.steps is not None and self.progress["phase_step"] >= phase.settings.steps:
            reason = reason or f"its {phase.settings.steps} steps are done"
        if reason is None:
            return
        if self.progress["phase"] + 1 < len(self.phases):
            self.progress["phase"] += 1
            self.progress["phase_step"] = 0
            following = optimizers[self.progress["phase"]]
            if hasattr(following, "warm_start"):
                following.warm_start(optimizer.optimizer)
            log.info("%s ended: %s; %s follows", phase.name, reason, self.phases[self.progress["phase"]].name)
        else:
            self.stopped = f"{phase.name} ended: {reason}"

    def _limit(self) -> str | None:
        """Why training ends before the next step, if it does, as every rank can tell by itself."""
        if self.limits.steps is not None and self.progress["step"] >= self.limits.steps:
            return f"{self.limits.steps} steps are done"
        return None

    def _asked(self) -> str | None:
        """Why this rank would end training now: its clock, a signal, a callback."""
        over = self.limits.max_time is not None and self._train_time() >= self.limits.max_time
        if over and self.progress["step"]:  # at least one step is made
            return self._wish or f"{self.limits.max_time:g} s of training are over"
        return self._wish

    def _reached(self) -> str | None:
        """The limit on the objective that has been reached."""
        objective = self.losses_now.get("objective")
        if objective is None:
            return None
        if self.limits.stop_loss is not None and objective <= self.limits.stop_loss:
            return f"the objective is at most {self.limits.stop_loss:g}"
        reduction = self.limits.reduction(len(self.problem.coordinates))
        if reduction is not None and objective <= reduction * self.progress["first_objective"]:
            return f"the objective has fallen to {reduction:g} of its first value"
        return None

    # ---------------------------------------------------------------- what others read

    def score(self, group: str, batch: PointSet) -> Tensor:
        """The size of a group's residuals at n points: sqrt(sum of w r^2), (n,); w: term's weight * point's."""
        parts: list[Tensor] | None = None
        try:
            parts = self._own_scores(group, batch)
        except (RuntimeError, MemoryError) as error:
            if self.ranks.count == 1 or not out_of_memory(error):
                raise
        if self.ranks.any(parts is None, self.device):  # all raise, or the others would wait for this rank
            raise NoMemory(f"a rank has too little memory for the residuals of '{group}' at {len(batch)} points")
        return self.ranks.interleaved(parts, len(batch))

    def _own_scores(self, group: str, batch: PointSet) -> list[Tensor]:
        """This rank's share of them."""
        parts, size = [], at_once(self)
        with torch_threads(1 if self.limits.shards else None):
            for index in self.ranks.own(len(batch)):
                own = batch.take(index.to(batch.coordinates.device))
                for start in range(0, len(own), size):
                    points = own.take(slice(start, start + size))
                    residuals = self.residuals(group, points).items()
                    squares = sum(self.weights[term] * residual.detach().square() for term, residual in residuals)
                    squares = squares if points.weights is None else squares * points.weights
                    parts.append(squares.sqrt()[:, 0])
        return parts

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["progress"] = dict(self.progress)
        checkpoint["operators"] = self.choice.to_dict() if self.choice else None

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        rollbacks = self.progress["rollbacks"]
        self.rolled_back = rollbacks > checkpoint["progress"]["rollbacks"]
        self.progress = {**self.progress, **checkpoint["progress"], "rollbacks": rollbacks}
        saved = checkpoint.get("operators")
        self.choice = EngineChoice(**saved) if saved else None
        checkpoint.pop("loops", None)  # the position in the run is `progress`; Lightning's own counters start anew


def _raw(value: float, positive: bool) -> Tensor:
    """What is trained for a learned parameter: its logarithm where it must stay positive."""
    return torch.tensor(math.log(value) if positive else value, dtype=torch.float64)
