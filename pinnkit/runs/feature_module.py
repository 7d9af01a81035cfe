"""The LightningModule of random features: a step is a level of their growth, solved by least squares."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import torch
from torch import Tensor

from pinnkit.features.deflation import Known
from pinnkit.features.linearise import Linearisation
from pinnkit.features.settings import FeatureSettings
from pinnkit.features.solver import FeatureSolver, Level
from pinnkit.features.system import expansions_of
from pinnkit.losses.residuals import mean_square
from pinnkit.optimizers.settings import Optimizer
from pinnkit.sampling.point_set import PointSet
from pinnkit.training.blocks import StepBlock
from pinnkit.training.feature_state import network_of
from pinnkit.training.module import PINN

log = logging.getLogger("pinnkit")


@dataclass(frozen=True)
class Solve(Optimizer):
    """The least-squares problem of features, in the place of an optimizer of parameters."""

    name: ClassVar[str] = "least_squares"

    def build(self, parameters: Iterable[Any]) -> torch.optim.Optimizer:
        return _NoParameters()


class _NoParameters(torch.optim.Optimizer):
    """An optimizer that Lightning may keep, of nothing."""

    def __init__(self) -> None:
        super().__init__([{"params": []}], {})

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Nothing."""


class FeaturePINN(PINN):
    """Random features in the place of networks.

    One call of `training_step` is a level: more features, of which all coefficients are solved for anew. What is kept
    of it are the features, so that a run that goes on begins anew, and comes to the same levels.

    Args:
        features: their settings.
        arguments: of `PINN`, whose network has no parameters.

    Attributes:
        solver: what solves; None: it has not begun.
        known: solutions that it leaves.
    """

    def __init__(self, features: FeatureSettings, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.features, self.seed = features, int(arguments["seed"])
        self._levels: Iterator[Level] | None = None
        self.solver: FeatureSolver | None = None
        self._least = math.inf
        self.known: Sequence[Known] = ()

    @property
    def solves(self) -> bool:
        return True

    def training_step(self, block: StepBlock, batch_idx: int) -> None:
        if self._levels is None:
            self.state.clock.start(self.progress.train_time_s)
            arguments = self.model, self.groups, self.features, self.seed, self.ranks, self.model.like
            self.solver = FeatureSolver(*arguments, known=self.known)
            self._levels = self.solver.levels(self.seconds_left)
        self.stopping.before_block()
        if not self.stopped:
            self._level(block.batches)
        self.progress.train_time_s = self.state.clock.seconds()
        if self.stopped:
            self.trainer.should_stop = True

    def seconds_left(self) -> float:
        """Seconds of training that are left, on the rank that has the fewest; none once one was asked to stop."""
        limit = self.limits.max_time
        left = math.inf if limit is None else limit - self.state.clock.seconds()
        own = torch.tensor(0.0 if self.stopping.requested else left, device=self.device)
        return min(map(float, self.ranks.gathered(own)))

    def _level(self, batches: Mapping[str, PointSet]) -> None:
        assert self._levels is not None
        assert self.solver is not None
        former, began = list(network_of(self.model).expansions), time.perf_counter()
        level = next(self._levels, None)
        self.progress.step_time_s = time.perf_counter() - began
        if level is None:
            signal = self.ranks.first_message(self.stopping.interrupted, self.device)
            self.stopping.reason = signal or self.solver.reason
            if list(network_of(self.model).expansions) == former:
                return
            residual = self._least  # it has gone back to the best level
        else:
            log.info("level %d: %s", self.progress.step + 1, level.text)
            residual = level.residual
            self.state.diagnostics = {"unknowns": float(level.unknowns), "residual": residual}
        self._least = min(self._least, residual)
        self.progress.step += 1
        self.progress.stage_step += 1
        self.progress.evaluations += 1
        self.progress.draw = 0
        self.state.losses = self._losses(batches)
        if not math.isfinite(self.progress.first_objective):
            self.progress.first_objective = float(self.state.losses["objective"])
        if not self.stopped:
            self.stopping.after_block(self.state.losses["objective"])

    def _losses(self, batches: Mapping[str, PointSet]) -> dict[str, Tensor]:
        """The loss of each term at points of the run, and their sum under the weights, as of a trained network."""
        network = network_of(self.model)
        linear = Linearisation(network, self.groups, expansions_of(network))
        parameters = {name: one.detach() for name, one in self.parameter_values().items()}
        found: dict[str, Tensor] = {}
        for name in self.groups:
            for term, residual in linear.rows(name, batches[name], parameters, jacobian=False).residuals.items():
                found[term] = mean_square(residual[:, None], batches[name])
        terms = torch.stack([found[term] for term in self.computation.terms])
        return found | {"objective": torch.dot(self.computation.reference_vector(), cast(Any, terms))}
