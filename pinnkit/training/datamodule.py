"""The collocation points as Lightning's data: one epoch is one draw of points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import lightning
import numpy as np
import torch
from torch.utils.data import DataLoader

from pinnkit.problem.groups import equation_groups, is_equations, region_of
from pinnkit.problem.parts import Condition
from pinnkit.problem.problem import Problem
from pinnkit.sampling.adaptive import CONCENTRATED, concentration
from pinnkit.sampling.point_set import PointSet
from pinnkit.sampling.points import condition_points, equation_points, shared
from pinnkit.sampling.r3 import evolved
from pinnkit.sampling.settings import Sampling, draw_interval
from pinnkit.training.blocks import StepBlock, StepBlocks
from pinnkit.training.redraw import Density, points_added, points_by_residual
from pinnkit.training.rises import doublings
from pinnkit.training.stages import Stage, same_points

ENDLESS = 10**9
FRESH_DRAWS = 2**31
"""Number of the first draw among those that hold for one step."""


class CollocationData(lightning.LightningDataModule):
    """Draws collocation points, by a rule or by residual, every `redraw_every` optimizer steps.

    Draw k holds for the steps k * redraw_every ... (k + 1) * redraw_every - 1, and to the end where a run is limited by
    time and a whole draw no longer fits into what is left. Where the equations' points are redrawn by residual a draw
    goes on for the next ones too, a twentieth of all steps so far (`draw_interval`), and has more points.
    `Sampling.redraw` says by which method they follow the residual.

    Its points are a function of (seed, k) and, where they are redrawn by residual, of the network at the start of the
    draw and of the points before it. These, and which groups are redrawn so, are in the checkpoint, so that a resumed
    run goes on with the same points. A stage with terms or settings of its own begins with points of its own. The
    reasons for these rules are in docs/how_it_works/sampling.md.

    Args:
        sampling: how points are drawn in stages that have no settings of their own.
        steps_per_batch: optimizer steps in a block.
        stages: of the run; none: one that trains every term.

    Attributes:
        sets: the present points of each group.
        drawn: the number of the present draw; None: there is none yet.
        by_residual: the groups whose residual has been concentrated. Their points are drawn by residual from then on.
        stage: the number of the stage that the present points were drawn for.
        began: the step with which the first block on the present points began.
        window: the number of the window of time that they were drawn for.
        first_draw: the draw from which on points may follow the residual, and become more.
        doublings: how often the number of the equations' points was doubled, as training went back.
    """

    trainer: Any  # of Lightning, which sets it before it asks for batches

    def __init__(
        self,
        problem: Problem,
        sampling: Sampling,
        seed: int,
        dtype: torch.dtype,
        steps_per_batch: int,
        stages: Sequence[Stage] = (),
    ) -> None:
        super().__init__()
        self.problem, self.seed, self.dtype, self.steps_per_batch = problem, seed, dtype, steps_per_batch
        self.run_sampling, self.stages = sampling, stages
        self.stage = 0
        self.window = self.first_draw = 0
        self.sets: dict[str, PointSet] = {}
        self.drawn: int | None = None
        self.began = 0
        self.by_residual: set[str] = set()
        self.doublings = 0

    @property
    def conditions(self) -> dict[str, Condition]:
        """The conditions by name that are terms of the loss."""
        return {condition.name: condition for condition in self.problem.soft_conditions}

    @property
    def sampling(self) -> Sampling:
        """How points are drawn in the present stage."""
        own = self.stages[self.stage].sampling if self.stages else None
        return (own or self.run_sampling).denser(2**self.doublings, len(self.problem.coordinates))

    @property
    def groups(self) -> list[str]:
        """The groups of points that the present stage needs."""
        if self.stages:
            return self.stages[self.stage].group_names(self.problem)
        return [*self.conditions, *equation_groups(self.problem)]

    def train_dataloader(self) -> DataLoader:
        module = self.trainer.lightning_module
        step, stage, self.doublings = module.progress.step, module.progress.stage, doublings(module.state.rises)
        if self.begin_window(step) or not same_points(module.stages[self.stage], module.stages[stage]):
            self.drawn, self.sets, self.began = None, {}, step
        self.stage, fresh = stage, module.stages[stage].fresh_points
        period = module.stages[stage].steps_on_points(self.sampling.redraw_every) or ENDLESS
        draw = step // period
        following = draw + 1
        if fresh:
            draw += FRESH_DRAWS
        elif any(map(is_equations, self.by_residual)):
            draw, following = draw_interval(draw)
            if self.drawn is not None and draw < self.drawn < following:  # they began within what would be one draw
                draw = self.drawn
        if fresh or (self.drawn or 0) >= FRESH_DRAWS:
            self.began = step
        self.began = max(self.began, 0 if fresh else draw * period)  # also where it is too late for other points
        if not fresh and draw != self.drawn and self._too_late((following - draw) * period):
            draw = self.drawn
        if draw != self.drawn:
            self.draw(draw)
        batches = {name: batch.to(module.device) for name, batch in self.batches().items()}
        every, left = module.state.weights.every, following * period - step
        blocks = StepBlocks(batches, draw, left, self.steps_per_batch, stage, step, every, self.began, self.window)
        return DataLoader(blocks, batch_size=None, collate_fn=_as_it_is)

    def begin_window(self, step: int) -> bool:
        """Whether another window of time begins with this step."""
        return False

    def seconds(self) -> tuple[float, float] | None:
        """Seconds of the run, or of its window, and those of them that are left; None: there is no such limit."""
        limit, module = self.trainer.lightning_module.limits.max_time, self.trainer.lightning_module
        return None if limit is None else (limit, limit - module.progress.train_time_s)

    def _age(self, draw: int) -> int:
        """Draws since the first one of the run, or of its window."""
        return max(draw - self.first_draw, 0)

    def _too_late(self, period: int) -> bool:
        """Whether there are points to go on with, and no time for that many steps on others, on some rank."""
        if self.drawn is None or self.drawn >= FRESH_DRAWS:
            return False
        return self._ends_within(period * self.trainer.lightning_module.progress.step_time_s)

    def _early(self) -> bool:
        """Whether half the time of a run that is limited in time is still to come: with less, points by residual would
        not repay their first compilation."""
        seconds = self.seconds()
        return seconds is None or not self._ends_within(seconds[0] / 2)

    def _ends_within(self, seconds: float) -> bool:
        """Whether a run that is limited in time ends so soon, on some rank."""
        module, limit = self.trainer.lightning_module, self.seconds()
        return limit is not None and module.ranks.any(limit[1] < seconds, module.device)

    def draw(self, draw: int) -> None:
        """Draw the points of every group anew."""
        former = {} if self.drawn is None or self.drawn >= FRESH_DRAWS else self.sets
        self.drawn = draw
        self.sets = {name: self._points(name, draw, former.get(name)) for name in self.groups}

    def _points(self, name: str, draw: int, former: PointSet | None) -> PointSet:
        even = self._even(name, draw)
        if not self._age(draw) or draw >= FRESH_DRAWS or not self._may_follow_residual(name):
            return even
        if name not in self.by_residual and self._begins_by_residual(name, even):
            self.by_residual.add(name)
            self.trainer.lightning_module.progress.fresh_objective = math.inf  # points of another density follow
        if name not in self.by_residual:
            return even
        if is_equations(name):
            whole = self.sampling.count_by_residual(len(self.problem.coordinates), self._age(draw))
            count = shared(self.problem, region_of(name), whole)
        else:
            count = len(even) * self.sampling.conditions_growth(self._age(draw))
        return self._following_residual(name, draw, count, former)

    def _begins_by_residual(self, name: str, even: PointSet) -> bool:
        """Whether the points of a group follow its residual from here on: where RAD pays, by other methods at once."""
        if self.sampling.redraw != "rad":
            return True
        return self._early() and concentration(self._scores(name, even)) >= CONCENTRATED

    def unseen(self) -> tuple[dict[str, PointSet], dict[str, np.ndarray]]:
        """Points of every group that training has not seen, as the next draw has them, and the size of the residuals
        there, (n,) for each group.

        Raises:
            Diverged: that is not finite at one.
        """
        found, drawn = {}, cast(int, self.drawn)
        for name, former in self.sets.items():
            if name in self.by_residual and drawn < FRESH_DRAWS:
                found[name] = self._following_residual(name, drawn + 1, len(former), former)
            else:
                found[name] = self._even(name, drawn + 1)
        batches = {name: self._batch(points).to(self.trainer.lightning_module.device) for name, points in found.items()}
        return batches, {name: self._finite_scores(name, points) for name, points in found.items()}

    def _even(self, name: str, draw: int, count: int | None = None) -> PointSet:
        """About `count` points of a group by the method alone, None: as many as are set; the rows of one with data."""
        sampling = self.sampling.fresh_points() if draw >= FRESH_DRAWS else self.sampling
        if is_equations(name):
            return equation_points(self.problem, sampling, self.seed, draw, count, name)
        if count is not None:
            sampling = replace(sampling, conditions=count)
        return condition_points(self.problem, self.conditions[name], sampling, self.seed, draw)

    def _may_follow_residual(self, name: str) -> bool:
        """Not where all points are given, or some: rows of data, a grid, single points."""
        if self.sampling.residual_power == 0 or self.sampling.fixed:
            return False
        if is_equations(name):
            return True
        places = self.conditions[name].places  # none for one with data
        return bool(places) and all(place.dimension for place in places)

    def _following_residual(self, name: str, draw: int, count: int, former: PointSet | None) -> PointSet:
        """`count` points of a group by its residual; some of the former ones stay.

        Raises:
            Diverged: the residual is not finite at a candidate.
        """
        sampling, density, key = self.sampling, Density.of(self.sampling, self._age(draw)), (self.seed, name, draw)

        def score(points: PointSet) -> np.ndarray:
            return self._finite_scores(name, points)

        if sampling.redraw == "rar_d":
            start = self._even(name, self.first_draw)
            pool = self._even(name, draw, len(start) * sampling.pool)
            return points_added(start, former, pool, sampling, density, key, score)
        pool = self._even(name, draw, count * sampling.pool)
        if sampling.redraw == "r3":
            return evolved(former, score, pool, count, key)
        place = self.conditions.get(name, region_of(name))
        return points_by_residual(self.problem, place, pool, former, count, density, key, score)

    def _finite_scores(self, name: str, points: PointSet) -> np.ndarray:
        """The size of a group's residuals at candidates, (n,).

        Raises:
            Diverged: it is not finite at one.
        """
        scores = self._scores(name, points)
        if not np.isfinite(scores).all():
            module = self.trainer.lightning_module
            batches = {name: self._batch(points).to(module.device)}
            raise module.divergence.not_finite(batches, module.progress.step, new=True)
        return scores

    def _scores(self, name: str, points: PointSet) -> np.ndarray:
        """The size of a group's residuals at points, (n,)."""
        module = self.trainer.lightning_module
        return module.score(name, self._batch(points).to(module.device)).double().cpu().numpy()

    def batches(self) -> dict[str, PointSet]:
        """The current points as tensors."""
        return {name: self._batch(points) for name, points in self.sets.items()}

    def _batch(self, points: PointSet) -> PointSet:
        return points.mapped(lambda values: torch.as_tensor(values, dtype=self.dtype))

    def transfer_batch_to_device(self, batch: StepBlock, device: torch.device, dataloader_idx: int) -> StepBlock:
        return batch  # a draw is moved once, where its dataloader is made, not with every block of it

    def state_dict(self) -> dict[str, Any]:
        points = {
            name: points.mapped(torch.from_numpy).arrays()
            for name, points in self.sets.items()
            if is_equations(name) or name in self.by_residual  # these cannot be computed again
        }
        return {
            "stage": self.stage,
            "drawn": self.drawn,
            "began": self.began,
            "by_residual": sorted(self.by_residual),
            "points": points,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.stage, self.drawn, self.began = state["stage"], state["drawn"], state["began"]
        self.by_residual = set(state["by_residual"])
        kept = {name: PointSet.of_arrays(arrays).mapped(torch.Tensor.numpy) for name, arrays in state["points"].items()}
        self.sets = {name: kept[name] if name in kept else self._even(name, self.drawn) for name in self.groups}


def _as_it_is(item: Any) -> Any:
    return item
