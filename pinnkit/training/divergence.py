"""Divergence: an objective that is not finite or has exploded, and the last step that was sound."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping

from torch import Tensor

from pinnkit.sampling.point_set import PointSet
from pinnkit.training.counters import Counters
from pinnkit.training.diagnostics import WorstTerm, largest, not_finite, scoring_chunk
from pinnkit.training.exceptions import Diverged
from pinnkit.training.rises import Rise
from pinnkit.training.state import TrainingState
from pinnkit.training.term_values import TermValues

log = logging.getLogger(__name__)

EXPLOSION = 1e6
"""How many times its least value on new points the objective is where training has diverged."""
RISE = 100.0
"""By which factor the objective rises on new points where training goes back: from that on the points before, which
were as new, or above its first value from the least."""
ROLLBACKS = 3
"""How often a run goes back to its last good state and takes smaller steps."""
NEW_STAGE = 100
"""Steps of a stage in which a rise is one by its beginning."""


def exploded(objective: float, progress: Counters) -> bool:
    """Whether the objective is larger than at the start of training, and `EXPLOSION` times the least on new points.

    Values on points that training has seen are no measure: few of them are fitted to 1e-20. On
    steep fronts a redraw by residual raises it by a factor of some hundred.
    """
    return objective > max(progress.first_objective, EXPLOSION * progress.least_objective)


def lost(objective: float, progress: Counters) -> bool:
    """Whether an objective on new points is larger than at the start, and `RISE` times the least on such points.

    Not where points of another density begin, which follow the residual.
    """
    known = math.isfinite(progress.fresh_objective)
    return known and objective > max(progress.first_objective, RISE * progress.least_objective)


def rose(objective: float, progress: Counters) -> bool:
    """Whether an objective on new points is `RISE` times that on the points before, when these were new.

    Values on the same points after they were fitted are no measure: where solutions are steep, redraws by residual
    raise them by some hundred.
    """
    return objective > RISE * progress.fresh_objective


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
        if self.first is not None:
            self.check_new_points(batches, float(self.first))
        elif self._rose_in_new_stage(objective):
            progress = self.state.progress
            self._go_back(batches, objective, progress.stage_objective, progress.step - progress.stage_step)

    def check_new_points(self, batches: Mapping[str, PointSet], objective: float) -> None:
        """Look at an objective on points that training had not seen.

        Raises:
            Diverged: it has exploded, or has risen and training may go back once more.
        """
        progress = self.state.progress
        windowed = self.state.windows is not None  # what does not converge is seen at the end of its window
        if exploded(objective, progress) or (lost(objective, progress) and not windowed):
            raise self.explosion(batches, objective, new=True)
        if rose(objective, progress) and not windowed:
            self._go_back(batches, objective, progress.fresh_objective)

    def _rose_in_new_stage(self, objective: float) -> bool:
        """Whether the objective is `RISE` times that at the end of the stage before, on the same points."""
        progress, windowed = self.state.progress, self.state.windows is not None
        return not windowed and progress.stage_step <= NEW_STAGE and objective > RISE * progress.stage_objective

    def _go_back(
        self, batches: Mapping[str, PointSet], objective: float, before: float, sound: int | None = None
    ) -> None:
        """Go back from a rise, or say that training goes on.

        Args:
            before: the objective that it is compared with.
            sound: the step to go back to; None: the last whose weights were good on new points.

        Raises:
            Diverged: training goes back.
        """
        progress = self.state.progress
        if progress.rollbacks < ROLLBACKS:
            error = self.explosion(batches, objective, new=True, before=before)
            error.sound = error.sound if sound is None else sound
            raise error
        factor = objective / before
        self.state.rises.append(Rise(progress.step, factor))
        progress.stage_objective = math.inf  # or the same rise would be found once more
        log.warning(
            "step %d: the objective rose by a factor %.2g; training went back %d times before, and goes on",
            progress.step, factor, progress.rollbacks,
        )  # fmt: skip

    def update_least(self, before: int) -> None:
        """Keep the least objective on new points, and that the weights at step `before` were good there."""
        if self.first is not None and not self._bad_from_start:
            progress = self.state.progress
            progress.least_objective, progress.sound = min(progress.least_objective, float(self.first)), before
            progress.fresh_objective, progress.stage_objective = float(self.first), math.inf
        self.first = None

    def explosion(
        self, batches: Mapping[str, PointSet], objective: float, new: bool, before: float | None = None
    ) -> Diverged:
        """What an objective that has exploded consists of: its largest term, and the points of its largest residuals.

        Args:
            new: whether these points are the first to show it, so that earlier weights may have the same fault.
            before: what it was; None: the least on new points.
        """
        weights, stage = self.state.weights, self.state.stage
        counted = {term: weights.reference_of(term) for term in weights.names if stage.trains(term)}
        found = largest(self.values, batches, counted, scoring_chunk(self._chunk))
        least = self.state.progress.least_objective
        return self._diverged(self.state.progress.step, found, new, (least if before is None else before, objective))

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
