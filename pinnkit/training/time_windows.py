"""Windows of time, one trained after the other: where each begins and ends, and what is told of those that are over."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

import sympy
import torch
from torch import Tensor

from pinnkit.language.calculus import partials
from pinnkit.losses.residuals import TermGroup
from pinnkit.networks.fields import FieldNetworks
from pinnkit.networks.windows import Windows
from pinnkit.optimizers.threads import torch_threads
from pinnkit.problem.narrowed_time import START, narrowed_to
from pinnkit.problem.problem import Problem
from pinnkit.sampling.point_set import PointSet
from pinnkit.sampling.points import condition_points
from pinnkit.sampling.sequences.sobol import Sobol
from pinnkit.training.stages import Stage
from pinnkit.training.term_values import TermValues
from pinnkit.training.window_budget import OVER, Course, WindowBudget
from pinnkit.training.window_residual import DRAW, window_residual

log = logging.getLogger(__name__)

FIRST = 10
"""Windows that the first width divides the time into, where the run chooses the widths."""
NARROWEST = 1 / 2000
"""Width of a window at least, as a share of the whole time."""
FAILED = 1e-5, 1e-2
"""Relative residual above which a window has not converged, in one coordinate and in more."""
TRY = 0.6
"""The share of what is left that one window may take, where the run chooses the widths: others may be needed."""
EASY = 0.25
"""The next window is twice as wide where one converges within this share of its budget."""


@dataclass(frozen=True)
class Told:
    """A window that is over.

    Attributes:
        residual: the largest RMS residual of an equation, or difference to the start, relative to its terms.
        failed: whether one half as wide takes its place.
    """

    lower: float
    upper: float
    steps: int
    residual: float
    failed: bool = False


class TimeWindows:
    """The windows of a run.

    Each begins with the parameters that the one before ended with, and with new optimizers. Its share of the steps and
    of the time that are left is its share of the time that is left to solve.

    Args:
        problem: the whole.
        networks: those that are trained, for one window after the other.
        count: windows of one width; None: the width is halved where a window does not converge within its budget, and
            doubled where it is easy.
        stages: of the first window, and of the later ones, which have other terms at their start.
        start: these terms.

    Attributes:
        told: the windows that are over, those that failed too.
        final: the one in which training ended by a limit of the run; None: it goes on, or the last window is over.
        number: counts the windows that have begun before the present one.
        began_step, began_s: steps and seconds of training before the present one.
    """

    def __init__(
        self,
        problem: Problem,
        networks: FieldNetworks,
        count: int | None,
        stages: tuple[Sequence[Stage], Sequence[Stage]],
        start: TermGroup,
        seed: int,
    ) -> None:
        assert networks.windows is not None
        self.whole, self.networks, self.count, self.stages_by_place = problem, networks, count, stages
        self.start, self.seed = start, seed
        self.told: list[Told] = []
        self.number, self.began_step, self.began_s = 0, 0, 0.0
        self.first_objective = math.nan
        self.final: Told | None = None
        placed = self._placed
        self._place(placed.begin, (placed.end - placed.begin) / (count or FIRST))
        self.begun = self._parameters()
        self._problem: tuple[int, Problem] | None = None

    # ------------------------------------------------------------ the present window

    @property
    def _placed(self) -> Windows:
        assert self.networks.windows is not None
        return self.networks.windows

    @property
    def first(self) -> bool:
        """Whether the present window begins where time does."""
        return not self._placed.solved

    @property
    def last(self) -> bool:
        """Whether it ends where time does."""
        return self._placed.upper == self._placed.end

    @property
    def stages(self) -> Sequence[Stage]:
        """The stages of the present window."""
        return self.stages_by_place[0 if self.first else 1]

    @property
    def problem(self) -> Problem:
        """The problem in the present window."""
        if self._problem is None or self._problem[0] != self.number:
            start = () if self.first else tuple(self.start.symbolic)
            self._problem = self.number, narrowed_to(self.whole, self._placed.lower, self._placed.upper, start)
        return self._problem[1]

    def with_start(self, points: PointSet) -> PointSet:
        """Points at the start of the window, with what the one before ends with there as columns."""
        like = next(self.networks.parameters())
        with torch_threads(1):  # the same sums on any number of processes
            given = PointSet(torch.as_tensor(points.coordinates).to(like))
            found = self.start.partials(self.networks.before, given, {}, self.start.wanted)
        columns = dict(points.columns)
        for one in self.start.symbolic:
            (partial,) = partials(cast(sympy.Expr, one.residual))
            columns[one.name] = found[partial].detach().double().cpu().numpy()
        return replace(points, columns=columns)

    def _fresh_start(self) -> PointSet | None:
        """Fresh points at the start of the window with the values there; None: it is the first one."""
        if self.first:
            return None
        (condition,) = (one for one in self.problem.conditions if one.name == START)
        return self.with_start(condition_points(self.problem, condition, Sobol(), self.seed, DRAW))

    def alone(self, alone: bool) -> None:
        """Let the networks stand for the present window at all points, or each window's where it holds."""
        self._placed.alone = alone

    @property
    def budget(self) -> WindowBudget:
        """What the window may take of what is left of the run."""
        placed = self._placed
        share = (placed.upper - placed.lower) / (placed.end - placed.lower)
        own = not self.last or self.count is None
        return WindowBudget(self.began_step, self.began_s, share if self.count else min(share, TRY), own)

    def converged(self, state: Course, objective: Tensor) -> str | None:
        """Why the window is over by its objective, compared with the first one of the run."""
        limits, dimension = state.limits, len(self.whole.coordinates)
        if limits.stop_loss is not None and objective <= limits.stop_loss:
            return f"{OVER}'s objective is at most {limits.stop_loss:g}"
        share = limits.reduction(dimension)
        if share is None and self.count is None:
            share = limits.reduction_by_default(dimension)
        if self.number == 0 and math.isnan(self.first_objective):
            self.first_objective = state.progress.first_objective
        if share is not None and objective <= share * self.first_objective:
            return f"{OVER}'s objective has fallen to {share:g} of the first one of all"
        return None

    # ------------------------------------------------------------ the next one

    def close(self, state: Course, values: TermValues, reason: str) -> str | None:
        """End the present window, and begin the next one; why training ends where it was the last one."""
        placed, left = self._placed, self.budget.left(state)
        lower, upper, width = placed.lower, placed.upper, placed.upper - placed.lower
        residual = self._residual(state, values)
        narrowest = width / 2 < NARROWEST * (placed.end - placed.begin)
        lasting = self.count is not None or narrowest or self.budget.run_over(state)
        failed = not lasting and not residual <= self._bound
        self.told.append(self._told(state, residual, failed))
        self._log(self.told[-1], reason)
        if not failed and self.last:
            return f"the last window of time ended: {reason}"
        if failed:
            self._set(self.begun)
            width /= 2
        else:
            placed.close(self.networks.networks)
            lower = upper
            self.begun = self._parameters()
            if self.count is None and residual <= self._bound and left >= 1.0 - EASY:
                width *= 2
        self._place(lower, width)
        self.number += 1
        self.began_step, self.began_s = state.progress.step, state.clock.seconds()
        return None

    def finish(self, state: Course, values: TermValues, reason: str) -> None:
        """Look at the present window, where a limit of the run has ended training in it."""
        if self.final is None and not (self.told and self.told[-1].upper == self._placed.end):
            self.final = self._told(state, self._residual(state, values), failed=False)
            self._log(self.final, reason)

    @property
    def _bound(self) -> float:
        return FAILED[0 if len(self.whole.coordinates) == 1 else 1]

    def _residual(self, state: Course, values: TermValues) -> float:
        """The relative residual in the present window, by the first process."""
        own = window_residual(values, self.problem, self._fresh_start(), self.seed)
        return float(state.ranks.gathered(torch.tensor(own, dtype=torch.float64, device=state.device))[0])

    def _told(self, state: Course, residual: float, failed: bool) -> Told:
        return Told(self._placed.lower, self._placed.upper, state.progress.step - self.began_step, residual, failed)

    def _log(self, told: Told, reason: str) -> None:
        ends = f"{self.whole.time} = {told.lower:.6g} to {told.upper:.6g}"
        what = "; one half as wide takes its place" if told.failed else ""
        log.info("window %s: %d steps, relative residual %.1e (%s)%s", ends, told.steps, told.residual, reason, what)

    def _place(self, lower: float, width: float) -> None:
        """Begin a window; none is left behind it that is much narrower."""
        placed = self._placed
        left = placed.end - lower
        if left < 1.01 * width:
            width = left
        elif left < 2 * width and self.count is None:
            width = left / 2
        placed.place(lower, placed.end if width == left else lower + width)

    def _parameters(self) -> dict[str, Tensor]:
        return {name: one.detach().clone() for name, one in self.networks.networks.named_parameters()}

    def _set(self, parameters: Mapping[str, Tensor]) -> None:
        with torch.no_grad():
            for name, one in self.networks.networks.named_parameters():
                one.copy_(parameters[name])

    # ------------------------------------------------------------ as plain data

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint holds beside the networks."""
        return {
            "told": [asdict(one) for one in self.told],
            "number": self.number,
            "began_step": self.began_step,
            "began_s": self.began_s,
            "first_objective": self.first_objective,
            "begun": {name: one.cpu() for name, one in self.begun.items()},
        }

    def load_state_dict(self, kept: Mapping[str, Any]) -> None:
        """Set what `state_dict` gave."""
        self.told = [Told(**one) for one in kept["told"]]
        self.number, self.began_step, self.began_s = kept["number"], kept["began_step"], kept["began_s"]
        self.first_objective, self.begun = kept["first_objective"], dict(kept["begun"])
        self._problem = None
