"""One optimizer step."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from pinnkit.engines.unsupported import EngineUnsupported
from pinnkit.sampling.point_set import PointSet
from pinnkit.training.computation import Computation
from pinnkit.training.deflation import Deflation
from pinnkit.training.divergence import Divergence
from pinnkit.training.exceptions import OptimizerUnsupported
from pinnkit.training.gradient import FlatGradient, NonFiniteGradientGuard
from pinnkit.training.minibatch import MiniBatches
from pinnkit.training.state import TrainingState

log = logging.getLogger(__name__)


class OptimizerStep:
    """Makes steps of the present stage's optimizer.

    Attributes:
        last: losses (terms,) and weighted objective of the last evaluation, on the device; None before the first.
    """

    def __init__(
        self, state: TrainingState, computation: Computation, divergence: Divergence, minibatches: MiniBatches
    ) -> None:
        self.state, self.computation, self.divergence, self.minibatches = state, computation, divergence, minibatches
        self.last: tuple[Tensor, Tensor] | None = None
        self.gradient_guard = NonFiniteGradientGuard()
        self.deflation: Deflation | None = None
        """What leads away from known solutions; None: nothing does."""
        self._gradient = FlatGradient(state.model)

    def renew(self) -> None:
        """Forget the parameters that were trained, as others may be."""
        self._gradient = FlatGradient(self.state.model)

    def take(self, optimizer: Any, batches: Mapping[str, PointSet], weights: Tensor) -> None:
        """Make one step.

        Args:
            weights: of the terms, (terms,).

        Raises:
            Diverged: the objective or its gradient is not finite before any trial.
            OptimizerUnsupported: the optimizer cannot treat these residuals.
        """
        stage, progress = self.state.stage, self.state.progress
        rate = stage.set_learning_rate(optimizer, progress.stage_step, 0.5**progress.rollbacks)
        stage.settle(optimizer.optimizer, None if progress.settling is None else progress.step - progress.settling)
        if self.minibatches.used_in(stage):
            batches = self.minibatches.at(progress.step, batches, stage)
            if not stage.first_order:
                optimizer.refresh()
        closure = self._closure(optimizer, batches, weights)
        if stage.least_squares:
            optimizer.optimizer.system = self.computation.linearisation(batches, weights)
        try:
            optimizer.step(closure=closure)
        except FloatingPointError:
            raise self.divergence.not_finite(batches, progress.step) from None
        except EngineUnsupported as error:
            raise OptimizerUnsupported(stage.name, str(error)) from error
        self._report(optimizer, rate)
        progress.step += 1
        progress.stage_step += 1

    def _closure(self, optimizer: Any, batches: Mapping[str, PointSet], weights: Tensor) -> Any:
        """What computes the objective, and leaves its gradient in the parameters."""
        computation, first_order = self.computation, self.state.stage.first_order
        prepared, directions = computation.prepared(batches), computation.directions()
        reference = computation.reference_vector() if self.divergence.drawn and self.state.weights.changed else weights

        def closure() -> Tensor:
            losses, gradient = computation.evaluate(prepared, weights, directions)
            objective = steered = torch.dot(weights, losses)
            if self.deflation is not None:  # what is reported is the objective itself
                steered, gradient = self.deflation(batches, objective, gradient)
            self._gradient.set(gradient)
            if first_order:  # a line search recovers by itself
                self.gradient_guard.check(optimizer, steered, gradient)
            self.state.progress.evaluations += 1
            self.last = (losses, objective)
            if self.divergence.drawn:
                self.divergence.record_first(objective if reference is weights else torch.dot(reference, losses))
            return steered

        return closure

    def _report(self, optimizer: Any, rate: float | None) -> None:
        diagnostics, progress = self.state.diagnostics, self.state.progress
        diagnostics.clear()
        diagnostics.update(getattr(optimizer, "diagnostics", {}))
        if note := getattr(optimizer, "note", None):
            log.info("step %d of %s: %s", progress.step, self.state.stage.name, note)
        if rate is not None:
            diagnostics["learning_rate"] = rate
