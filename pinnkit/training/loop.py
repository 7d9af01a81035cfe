"""The loop over the optimizer steps of a block."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from pinnkit.operators.engine_choice import EngineChoice
from pinnkit.operators.memory import out_of_memory
from pinnkit.sampling.point_set import PointSet
from pinnkit.training.blocks import StepBlock
from pinnkit.training.computation import Computation
from pinnkit.training.diagnostics import check_gradients, largest_fitting_chunk
from pinnkit.training.divergence import Divergence
from pinnkit.training.exceptions import INTERRUPTED, OutOfMemory, RankOutOfMemory
from pinnkit.training.level import begin_level
from pinnkit.training.scoring import Scoring
from pinnkit.training.stage_sequence import StageSequence
from pinnkit.training.stages import same_objective
from pinnkit.training.stagnation import Stagnation, explained
from pinnkit.training.state import TrainingState
from pinnkit.training.step import OptimizerStep
from pinnkit.training.stopping import Stopping
from pinnkit.training.term_values import TermValues
from pinnkit.training.weight_updates import WeightUpdates

log = logging.getLogger(__name__)

Broadcast = Callable[[EngineChoice], EngineChoice]
"""Gives every rank what the first has."""
Unseen = Callable[[], tuple[Mapping[str, PointSet], Mapping[str, np.ndarray]]]
"""Gives points that training has not seen, and the sizes of the residuals there."""


class Loop:
    """Makes the optimizer steps of blocks, stage after stage, and looks at what came out at the end of each block."""

    def __init__(
        self,
        state: TrainingState,
        computation: Computation,
        step: OptimizerStep,
        sequence: StageSequence,
        stopping: Stopping,
        divergence: Divergence,
    ) -> None:
        self.state, self.computation, self.step = state, computation, step
        self.sequence, self.stopping, self.divergence = sequence, stopping, divergence
        self._stagnation = Stagnation()
        chunk = computation.operators.chunk
        self._weights = WeightUpdates(state, computation, Scoring(state, divergence.values, chunk))

    def points_match_stage(self, block: StepBlock) -> bool:
        """Whether the points of a block are those of the present stage and window of time."""
        here = block.window == self.state.window
        return here and same_objective(self.state.stages[block.stage], self.state.stage)

    def run(
        self,
        block: StepBlock,
        optimizers: Sequence[Any],
        broadcast: Broadcast,
        unseen: Unseen,
    ) -> None:
        """Make the steps of a block.

        Args:
            optimizers: of all stages.

        Raises:
            Diverged: an objective or a gradient is not finite, or the objective has exploded.
            NoGradient: a term trains nothing.
            OutOfMemory: the points do not fit into the memory at once.
            OptimizerUnsupported: the optimizer cannot treat this network or these residuals.
        """
        try:
            if self.computation.evaluator is None:
                self._begin(block.batches, broadcast)
            elif block.window == self.state.window and math.isnan(self.state.progress.first_objective):
                self._set_first_objective(block.batches)  # of other values of parameters, or of another window of time
            evaluator = self.computation.evaluator
            assert evaluator is not None
            with evaluator.threading():
                self._run(block, optimizers, unseen)
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            chunk = self.computation.chunk(block.batches)
            raise OutOfMemory(*largest_fitting_chunk(block.batches, chunk, self.computation.try_points)) from error

    def _begin(self, batches: Mapping[str, PointSet], broadcast: Broadcast) -> None:
        """Choose the engine; where training of these terms begins, look for such as train nothing."""
        progress, computation, clock = self.state.progress, self.computation, self.state.clock
        trained = clock.seconds() if clock.started else progress.train_time_s
        values = TermValues(self.state.model, computation.groups)  # what residuals in Python read is kept in these
        if self.state.new_level:
            begin_level(self.state, values, batches)
        self.step.renew()
        new = progress.stage_step == 0 and not math.isfinite(progress.first_objective)
        if new:
            check_gradients(values, batches, computation.terms, computation.operators.chunk)
        computation.begin(batches, broadcast)
        if new:
            self._set_first_objective(batches)
        clock.start(trained)

    def _set_first_objective(self, batches: Mapping[str, PointSet]) -> None:
        weights, losses = self.computation.reference_vector(), self.computation.losses(batches)
        self.state.progress.first_objective = float(torch.dot(weights, losses))

    def _run(self, block: StepBlock, optimizers: Sequence[Any], unseen: Unseen) -> None:
        progress = self.state.progress
        self.divergence.drawn = block.draw != progress.draw
        if self.divergence.drawn:
            _refresh(optimizers[progress.stage])  # its loss and gradient belong to points that are gone
            self.state.weights.drop_points()
        self.stopping.before_block()
        if not self.stopping.reason and (over := self.sequence.over_before_block()):
            self.sequence.end(optimizers, over)
            if not self.stopping.reason and not self.points_match_stage(block):
                return
        self.sequence.update_step_decay()
        if not self.stopping.reason and self._weights.update(block.batches, self.divergence.drawn):
            _refresh(optimizers[progress.stage])
        if self.divergence.drawn and self.state.weights.points:  # what is compared has none of their factors
            self.divergence.record_first(
                torch.dot(self.computation.reference_vector(), self.computation.losses(block.batches))
            )
        began, before = self.state.clock.seconds(), progress.step
        over = self._steps(block, optimizers)
        ended = progress.train_time_s = self.state.clock.seconds()
        progress.compile_time_s = self.state.clock.compile_time.seconds
        if taken := progress.step - before:
            progress.step_time_s = (ended - began) / taken
            over = self.sync_metrics(block.batches, before) or over
        if over and self.sequence.last:
            self.sequence.end(optimizers, over)
        if self.stopping.reason:
            self.sequence.finish(self.stopping.reason)
            self.check_unseen_points(unseen)
        if over and not self.sequence.last:
            self.sequence.end(optimizers, over)

    def _steps(self, block: StepBlock, optimizers: Sequence[Any]) -> str | None:
        """Make the steps; why the present stage is over, where it was before or the next one has other points."""
        progress, weights = self.state.progress, self.computation.weight_vector()
        batches = self.state.weights.applied(block.batches)
        for _ in range(block.steps):
            if self.stopping.reason:
                break
            optimizer = optimizers[progress.stage]
            if over := self.state.stage.ended(progress.stage_step, optimizer):  # in an earlier part of the run
                return over
            self.step.take(optimizer, batches, weights)
            progress.draw, self.divergence.drawn = block.draw, False  # a run that stops before it draws anew
            over = self.sequence.over_after_step(optimizer)
            if over and self.sequence.ends_amid_block(over):
                self.sequence.end(optimizers, over)
                over = None
            self.stopping.after_step()
            if over:
                return over
        return None

    def sync_metrics(self, batches: Mapping[str, PointSet], before: int) -> str | None:
        """Read numbers from the device, once a block: a GPU does not wait for them in every step.

        before: the step with which the block began.

        Gives why the present stage is over, if its objective ends it.

        Raises:
            Diverged: an objective is not finite, or has exploded.
        """
        assert self.step.last is not None
        state, (losses, weighted) = self.state, self.step.last
        changed = state.weights.changed
        if state.weights.points:
            losses = self.computation.losses(batches)
        objective = torch.dot(self.computation.reference_vector(), losses) if changed else weighted
        state.losses = dict(zip(self.computation.terms, losses.unbind(), strict=True)) | {"objective": objective}
        state.losses_window = state.window
        state.losses_at, state.weighted_objective = state.stage.at, weighted if changed else None
        self.divergence.check(batches, losses, float(objective), int(self.step.gradient_guard.steps))
        self.divergence.update_least(before)
        fell = self._stagnation.stagnated(state.progress.step, state.number, float(objective))
        if fell is not None and not self.stopping.reason:
            log.info("step %d: %s", state.progress.step, explained(state.stage.name, fell, state.diagnostics))
        self.stopping.after_block(objective)
        return self.sequence.over_after_block(objective)

    def check_unseen_points(self, unseen: Unseen) -> None:
        """Make sure that the objective has not exploded between the points of the last draw.

        Raises:
            Diverged: it has, or has risen and training may go back.
        """
        ranks = self.state.ranks
        if self.state.progress.step == 0 or (self.stopping.reason or "").startswith(INTERRUPTED):
            return
        try:
            batches, scores = unseen()
        except (RuntimeError, MemoryError) as error:
            alone = ranks.count > 1 and not isinstance(error, RankOutOfMemory)
            if alone or not out_of_memory(error):
                raise
            message = "whether the objective is as small on other points is not known: memory is too small to look"
            log.warning("%s. Set operators.chunk to compute fewer points at once", message)
            return
        objective = sum(float(np.square(one).mean()) for one in scores.values())
        self.divergence.check_new_points(batches, objective)


def _refresh(optimizer: Any) -> None:
    """Let an optimizer evaluate anew, as points or weights have changed; its curvature stays."""
    if hasattr(optimizer, "refresh"):
        optimizer.refresh()
