"""Updates of the weights by their strategy, between blocks of optimizer steps."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import cast

import numpy as np
from torch import Tensor

from pinnkit.engines.unsupported import EngineUnsupported
from pinnkit.losses.point_weighting import PointGroup, PointWeighting
from pinnkit.problem.groups import is_equations
from pinnkit.sampling.point_set import PointSet
from pinnkit.training.computation import Computation
from pinnkit.training.exceptions import WeightingUnsupported
from pinnkit.training.state import TrainingState

log = logging.getLogger(__name__)


class WeightUpdates:
    """Asks the strategy for other weights, where it is time.

    score: the sizes of a group's residuals at points, (n,).
    """

    def __init__(
        self, state: TrainingState, computation: Computation, score: Callable[[str, PointSet], Tensor]
    ) -> None:
        self.state, self.computation, self.score = state, computation, score

    def update(self, batches: Mapping[str, PointSet], drawn: bool) -> bool:
        """Whether weights have changed since the optimizer was last told, after the strategy was asked where it is due.

        Args:
            drawn: whether the points are new.

        Raises:
            InvalidWeights: the strategy gives something else than weights, or cannot be used here.
        """
        weights, step = self.state.weights, self.state.progress.step
        due, points = weights.due(step), isinstance(weights.strategy, PointWeighting)
        if points and drawn and weights.memory:
            weights.follow(self._groups(batches, scored=False))
        if due:
            if points:
                weights.observe(step, self._groups(batches, scored=True))
            if not points or cast(PointWeighting, weights.strategy).terms != "fixed":
                self._ask(weights.applied(batches), step)
        changed, weights.pending = weights.pending, False
        if changed and (due or not points):
            shown = {**weights.values(), **weights.summary()}
            log.info("step %d: weights %s", step, ", ".join(f"{one} {w:.3g}" for one, w in shown.items()))
        return changed

    def _groups(self, batches: Mapping[str, PointSet], scored: bool) -> dict[str, PointGroup]:
        """The points of the groups that are trained; with the sizes of the residuals where these are asked for."""
        windows = self.state.windows
        problem = self.state.model.problem if windows is None else windows.problem
        lower, extent = problem.domain.lower, problem.domain.upper - problem.domain.lower
        time = None if problem.time is None else list(problem.coordinates).index(problem.time)
        found = {}
        for group in self.computation.groups:
            batch = batches[group.name]
            coordinates = (batch.coordinates.double().cpu().numpy() - lower) / extent
            sizes = self.score(group.name, batch).double().cpu().numpy() if scored else None
            if sizes is not None and not np.isfinite(sizes).all():
                sizes = None  # the next evaluation says where
            times = None if time is None else coordinates[:, time]
            found[group.name] = PointGroup(coordinates, sizes, times, is_equations(group.name))
        return found

    def _ask(self, points: Mapping[str, PointSet], step: int) -> None:
        computation, strategy = self.computation, self.state.weights.strategy
        assert strategy is not None
        losses = dict(zip(computation.terms, computation.losses(points).tolist(), strict=True))
        try:
            self.state.weights.update(
                step,
                computation.terms,
                losses,
                lambda: computation.term_gradients(points),
                lambda: computation.kernel_traces(points),
                computation.seed,
            )
        except EngineUnsupported as error:
            raise WeightingUnsupported(strategy.name, str(error)) from error
