"""The LightningModule: what is trained, and the parts that train it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from pinnkit.engines.evaluator import Evaluator
from pinnkit.engines.model import Model, learned_parameters
from pinnkit.losses.residuals import TermGroup
from pinnkit.losses.settings import Weighting
from pinnkit.operators.engine_choice import EngineChoice
from pinnkit.operators.settings import Operators
from pinnkit.optimizers.deterministic import DeterministicOptimizer
from pinnkit.problem.problem import Problem
from pinnkit.sampling.point_set import PointSet
from pinnkit.training.blocks import StepBlock
from pinnkit.training.computation import Computation
from pinnkit.training.continuation import ContinuedModule
from pinnkit.training.counters import Counters
from pinnkit.training.distributed import Ranks
from pinnkit.training.divergence import Divergence
from pinnkit.training.feature_state import put_features, set_windows
from pinnkit.training.loop import Loop
from pinnkit.training.minibatch import MiniBatches
from pinnkit.training.scoring import Scoring
from pinnkit.training.settings import Trainer
from pinnkit.training.stage_sequence import StageSequence
from pinnkit.training.stages import Stage
from pinnkit.training.state import TrainingState
from pinnkit.training.step import OptimizerStep
from pinnkit.training.stopping import Stopping
from pinnkit.training.term_values import TermValues
from pinnkit.training.time_windows import TimeWindows
from pinnkit.training.trained import trained
from pinnkit.training.weights import WeightState


class PINN(ContinuedModule):
    """A physics-informed neural network: minimises J = sum over terms of w * mean |residual|^2.

    One call of `training_step` makes several optimizer steps on one set of points. Every optimizer trains the networks'
    parameters and the learned ones of the problem.

    Args:
        network: (n, d) -> (n, fields).
        groups: the terms, by the points that they share.
        weights: term -> w.
        stages: one after the other.
        limits: when training ends.
        operators: how derivatives are computed.
        width: neurons in a layer, by which chunks are sized.
        threads: on how many threads compiled code works.
        minibatch: points of the equations in each first-order step; None: all.
        seed: of the mini-batches.
        weighting: changes the weights; None: they stay.
        windows: of time, one trained after the other; None: the whole time is trained at once.
    """

    def __init__(
        self,
        problem: Problem,
        network: nn.Module,
        groups: Sequence[TermGroup],
        weights: Mapping[str, float],
        stages: Sequence[Stage],
        limits: Trainer,
        operators: Operators,
        width: int,
        threads: int = 1,
        minibatch: int | None = None,
        seed: int = 0,
        weighting: Weighting | None = None,
        windows: TimeWindows | None = None,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.problem = problem
        self.network = network
        self.learned = learned_parameters(problem)
        self.terms = tuple(term for group in groups for term in group.terms)
        self.model = Model(problem, network, self.learned)
        state = WeightState({term: weights[term] for term in self.terms}, weighting, [one.name for one in groups])
        self.state = TrainingState(self.model, tuple(stages), limits, state, windows=windows)
        self.values = TermValues(self.model, groups)
        self.computation = Computation(self.state, groups, operators, width, threads, seed)
        self.divergence = Divergence(self.state, self.values, operators.chunk)
        self.scoring = Scoring(self.state, self.values, operators.chunk)
        self.stopping = Stopping(self.state)
        step = OptimizerStep(self.state, self.computation, self.divergence, MiniBatches(minibatch, seed))
        sequence = StageSequence(self.state, self.stopping, self.computation, self.values)
        self.loop = Loop(self.state, self.computation, step, sequence, self.stopping, self.divergence)
        self.rolled_back = False  # whether training diverged, and goes on from an earlier state with smaller steps

    @property
    def solves(self) -> bool:
        """Whether a step is a solve by itself, so that a run that goes on begins anew."""
        return False

    def forward(self, points: Tensor) -> Tensor:
        """All fields at points: (n, d) -> (n, fields)."""
        return self.network(points)

    def parameter_values(self) -> dict[str, Tensor]:
        """Every parameter of the problem as a scalar tensor."""
        return self.values.parameters()

    def residuals(self, group: str, batch: PointSet, weigh: bool = True) -> dict[str, Tensor]:
        """The residual (n, 1) of every term of a group, times the root of a weight that differs between points."""
        return self.values.residuals(group, batch, weigh)

    def losses(self, batches: Mapping[str, PointSet]) -> dict[str, Tensor]:
        """The loss of every term."""
        return self.values.losses(batches)

    def score(self, group: str, batch: PointSet) -> Tensor:
        """The size of a group's residuals at n points, (n,)."""
        return self.scoring(group, batch)

    def make_evaluator(self, engine: str, chunk: int | None) -> Evaluator:
        """An evaluator of the present terms' losses."""
        return self.computation.make_evaluator(engine, chunk)

    @property
    def groups(self) -> dict[str, TermGroup]:
        return self.values.groups

    @property
    def stages(self) -> Sequence[Stage]:
        return self.state.stages

    @property
    def limits(self) -> Trainer:
        return self.state.limits

    @property
    def progress(self) -> Counters:
        return self.state.progress

    @property
    def ranks(self) -> Ranks:
        return self.state.ranks

    @property
    def losses_now(self) -> dict[str, Tensor]:
        return self.state.losses

    @property
    def choice(self) -> EngineChoice | None:
        return self.computation.choice

    @property
    def stopped(self) -> str | None:
        return self.stopping.reason

    def stop(self, reason: str) -> None:
        """End training before the next optimizer step; with several ranks, before the next block of steps."""
        self.stopping.request_stop(reason)

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        rows = self.computation.threads
        matrices = 1 if self.limits.shards else rows  # sums in products of matrices depend on it
        if self.ranks.count > 1:  # whose machines may have other numbers of cores
            matrices = self.trainer.strategy.broadcast(matrices)
        return [stage.optimizer(trained(self, stage.level), rows, matrices) for stage in self.stages]

    def setup(self, stage: str) -> None:
        self.state.ranks = Ranks(self.trainer.global_rank, self.trainer.world_size, self.limits.shards)

    def on_train_start(self) -> None:
        self.state.clock.compile_time.seconds = self.progress.compile_time_s
        if self.rolled_back or self.state.restarts.left_last:
            for optimizer in self.trainer.optimizers:
                if isinstance(optimizer, DeterministicOptimizer):  # what it has learned would repeat the same steps
                    optimizer.restart(0.5**self.progress.rollbacks)

    def on_train_batch_start(self, batch: StepBlock, batch_idx: int) -> int | None:
        return None if self.loop.points_match_stage(batch) else -1  # -1: the rest of this draw is left out

    def training_step(self, block: StepBlock, batch_idx: int) -> None:
        optimizers = found if isinstance(found := self.optimizers(), list) else [found]
        self.loop.run(block, optimizers, self.trainer.strategy.broadcast, self.trainer.datamodule.unseen)  # type: ignore[attr-defined]
        if self.stopped:
            self.trainer.should_stop = True

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint |= self.state.saved()
        checkpoint["operators"] = self.choice.to_dict() if self.choice else None
        put_features(checkpoint, self.model)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.rolled_back = self.progress.rollbacks > checkpoint["progress"]["rollbacks"]
        self.state.load(checkpoint, rolled_back=self.rolled_back)
        set_windows(self.model, checkpoint)
        self.computation.choice = EngineChoice(**saved) if (saved := checkpoint.get("operators")) else None
        checkpoint.pop("loops", None)  # the position in the run is `progress`; Lightning's own counters start anew
