"""The collocation points as Lightning's data: one epoch is one draw of points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import lightning
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from pinnkit.losses.residuals import Batch
from pinnkit.problem.problem import Problem
from pinnkit.sampling.adaptive import CONCENTRATED, concentration, select
from pinnkit.sampling.points import EQUATIONS, Points, condition_points, equation_points
from pinnkit.sampling.settings import Sampling

ENDLESS = 10**9
FRESH_DRAWS = 2**31
"""Number of the first draw among those that hold for one step."""


@dataclass(frozen=True)
class Segment:
    """What one call of `training_step` works on: a draw of points, and how many optimizer steps to make on it."""

    batches: Mapping[str, Batch]
    steps: int
    draw: int


class Segments(Dataset):
    """The segments that are left of a draw: all on the same points, `length` steps each but the last."""

    def __init__(self, batches: Mapping[str, Batch], draw: int, steps: int, length: int) -> None:
        self.batches, self.draw, self.steps, self.length = batches, draw, steps, length

    def __len__(self) -> int:
        return -(-self.steps // self.length)

    def __getitem__(self, index: int) -> Segment:
        return Segment(self.batches, min(self.length, self.steps - index * self.length), self.draw)


class CollocationData(lightning.LightningDataModule):
    """Draws collocation points, by a rule or by residual, every `redraw_every` optimizer steps.

    Draw k holds for the steps k * redraw_every ... (k + 1) * redraw_every - 1. Its points are a function of
    (seed, k) and, where they are redrawn by residual, of the network at the start of the draw and of the points before
    it; these, and whether the next are redrawn so, are kept in the checkpoint, so that a resumed run goes on with the
    same points.
    """

    def __init__(
        self, problem: Problem, sampling: Sampling, seed: int, dtype: torch.dtype, steps_per_batch: int
    ) -> None:
        super().__init__()
        self.problem, self.sampling, self.seed, self.dtype = problem, sampling, seed, dtype
        self.steps_per_batch = steps_per_batch
        self.sets: dict[str, Points] = {}
        self.drawn: int | None = None
        self.concentrated = False
        """Whether the residual has been concentrated. Points drawn by residual spread it; drawn evenly again, it would
        gather again (on Burgers' and Allen and Cahn's equations every other draw undid what the one before it did)."""

    def train_dataloader(self) -> DataLoader:
        module = self.trainer.lightning_module
        step, fresh = module.progress["step"], module.phases[module.progress["phase"]].fresh_points
        period = 1 if fresh else self.sampling.redraw_every or ENDLESS
        draw, done = divmod(step, period)
        if fresh:
            draw += FRESH_DRAWS
        if draw != self.drawn:
            self.draw(draw)
        batches = {name: _moved(batch, module.device) for name, batch in self.batches().items()}
        segments = Segments(batches, draw, period - done, self.steps_per_batch)
        return DataLoader(segments, batch_size=None, collate_fn=_as_it_is)

    def draw(self, draw: int) -> None:
        """Draw the points of every group anew."""
        former = self.sets.get(EQUATIONS) if self.drawn is not None and self.drawn < FRESH_DRAWS else None
        self.drawn = draw
        self.sets = self._condition_points(draw)
        if self.problem.equations:
            self.sets[EQUATIONS] = self._equation_points(draw, former)

    def _condition_points(self, draw: int) -> dict[str, Points]:
        sampling = self.sampling.fresh() if draw >= FRESH_DRAWS else self.sampling
        return {
            condition.name: condition_points(self.problem, condition, sampling, self.seed, draw)
            for condition in self.problem.conditions
        }

    def _equation_points(self, draw: int, former: Points | None) -> Points:
        if draw >= FRESH_DRAWS:
            return equation_points(self.problem, self.sampling.fresh(), self.seed, draw)
        points = equation_points(self.problem, self.sampling, self.seed, draw)
        if draw == 0 or self.sampling.residual_power == 0 or self.sampling.method == "grid":
            return points
        self.concentrated = self.concentrated or concentration(self._scores(points)) >= CONCENTRATED
        return self._by_residual(draw, former) if self.concentrated else points

    def _by_residual(self, draw: int, former: Points | None) -> Points:
        """A share of the former points, and new ones by residual."""
        count = self.sampling.count_by_residual(len(self.problem.coordinates))
        pool = equation_points(self.problem, self.sampling, self.seed, draw, count * self.sampling.pool)
        power, floor = self.sampling.residual_power, self.sampling.residual_floor
        kept = 0 if former is None else min(round(self.sampling.residual_keep * count), count - 1, len(former))
        scores, key = self._scores(pool), (self.seed, EQUATIONS, draw)
        new = pool.take(select(pool.coordinates, scores, count - kept, power, floor, *key))
        if not kept:
            return new
        old = former.take(select(former.coordinates, np.ones(len(former)), kept, 0.0, 0.0, *key))
        return Points(np.concatenate([old.coordinates, new.coordinates]), {})

    def _scores(self, points: Points) -> np.ndarray:
        """The size of the equations' residuals at points, (n,)."""
        module = self.trainer.lightning_module
        coordinates = torch.as_tensor(points.coordinates, dtype=self.dtype, device=module.device)
        return module.score(coordinates).double().cpu().numpy()

    def batches(self) -> dict[str, Batch]:
        """The current points as tensors."""
        return {name: self._batch(points) for name, points in self.sets.items()}

    def _batch(self, points: Points) -> Batch:
        def tensor(values: Any) -> torch.Tensor:
            return torch.as_tensor(values, dtype=self.dtype)

        return Batch(tensor(points.coordinates), {name: tensor(values) for name, values in points.columns.items()})

    def transfer_batch_to_device(self, batch: Segment, device: torch.device, dataloader_idx: int) -> Segment:
        return batch  # a draw is moved once, where its dataloader is made, and not with every segment of it

    def state_dict(self) -> dict[str, Any]:
        state: dict[str, Any] = {"drawn": self.drawn, "concentrated": self.concentrated}
        if EQUATIONS in self.sets:  # points drawn by residual cannot be computed again
            state["equations"] = torch.from_numpy(self.sets[EQUATIONS].coordinates)
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.drawn, self.concentrated = state["drawn"], state.get("concentrated", False)
        self.sets = self._condition_points(self.drawn)
        if "equations" in state:
            self.sets[EQUATIONS] = Points(state["equations"].numpy(), {})


def _moved(batch: Batch, device: torch.device) -> Batch:
    return Batch(batch.coordinates.to(device), {name: column.to(device) for name, column in batch.columns.items()})


def _as_it_is(item: Segment) -> Segment:
    return item
