"""Divergence: an objective that is not finite or has exploded, and the last step that was sound."""

from __future__ import annotations

import math
from collections.abc import Mapping

from torch import Tensor

from pinnkit.sampling.point_set import PointSet
from pinnkit.training.counters import Counters
from pinnkit.training.diagnostics import WorstTerm, largest, not_finite, scoring_chunk
from pinnkit.training.exceptions import Diverged
from pinnkit.training.state import TrainingState
from pinnkit.training.term_values import TermValues

EXPLOSION = 1e6
"""How many times its least value on new points the objective is where training has diverged."""


def exploded(objective: float, progress: Counters) -> bool:
    """Whether the objective is larger than at the start of training, and `EXPLOSION` times the least on new points.

    Values on points that training has seen are no measure: few of them are fitted to 1e-20. On
    steep fronts a redraw by residual raises it by a factor of some hundred.
    """
    return objective > max(progress.first_objective, EXPLOSION * progress.least_objective)


class Divergence:
    """Watches the objective under the reference weights.

    Attributes:
        first: the objective of the first evaluation on points that were drawn for this block of steps, on the device.
        drawn: whether no step has been made yet on these points.
    """

    def __init__(self, state: TrainingState, values: TermValues, chunk: int | None) -> None:
        self.state, self.values, self._chunk = state, values, chunk
        self.first: Tensor | None = None
        self.drawn = False

    def record_first(self, objective: Tensor) -> None:
        """Take in the objective of an evaluation."""
        if self.drawn and self.first is None:
            self.first = objective

    def check(self, batches: Mapping[str, PointSet], losses: Tensor, objective: float, refused: int) -> None:
        """Look at the last evaluation of a block of steps.

        refused: steps that were not made, since the objective or its gradient was not finite.

        Raises:
            Diverged: it is not finite, or has exploded.
        """
        if refused or not losses.isfinite().all():
            raise self.not_finite(batches, self.state.progress.step - refused, self._bad_from_start)
        if exploded(objective, self.state.progress):
            raise self.explosion(batches, objective, self._bad_from_start)

    def update_least(self, before: int) -> None:
        """Keep the least objective on new points, and that the weights at step `before` were good there."""
        if self.first is not None and not self._bad_from_start:
            progress = self.state.progress
            progress.least_objective, progress.sound = min(progress.least_objective, float(self.first)), before
        self.first = None

    def explosion(self, batches: Mapping[str, PointSet], objective: float, new: bool) -> Diverged:
        """What an objective that has exploded consists of: its largest term, and the points of its largest residuals.

        new: whether these points are the first to show it, so that earlier weights may have the same fault.
        """
        weights, stage = self.state.weights, self.state.stage
        counted = {term: weights.reference_of(term) for term in weights.names if stage.trains(term)}
        found = largest(self.values, batches, counted, scoring_chunk(self._chunk))
        rose = (self.state.progress.least_objective, objective)
        return self._diverged(self.state.progress.step, found, new, rose)

    def not_finite(self, batches: Mapping[str, PointSet], step: int, new: bool | None = None) -> Diverged:
        """The term and the points at which the loss is not a finite number.

        new: as in `explosion`; None: where this block of steps has shown it.
        """
        found = not_finite(self.values, batches, scoring_chunk(self._chunk))
        return self._diverged(step, found, self._bad_from_start if new is None else new)

    def _diverged(
        self, step: int, found: WorstTerm | None, new: bool, rose: tuple[float, float] | None = None
    ) -> Diverged:
        sound = self.state.progress.sound if new else None
        if found is None:
            return Diverged(step, "objective (its gradient)", sound=sound)
        names = self.values.model.problem.coordinates
        points = [dict(zip(names, row, strict=True)) for row in found.points.tolist()]
        return Diverged(step, found.term, points, found.values, found.count, rose=rose, sound=sound)

    @property
    def _bad_from_start(self) -> bool:
        """Whether this block's points are new and were bad from the first step on: the weights were so before."""
        first = None if self.first is None else float(self.first)
        return first is not None and (not math.isfinite(first) or exploded(first, self.state.progress))
