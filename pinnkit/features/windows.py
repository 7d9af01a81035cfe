"""Slabs of time, each with features of its own, which start from the end of the one before."""

from __future__ import annotations

import copy
import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch

from pinnkit.features.attached import Attached, Kept
from pinnkit.features.choice import Choice
from pinnkit.features.expansions import Expansion
from pinnkit.features.level import Level
from pinnkit.features.settings import FeatureSettings
from pinnkit.features.slab import Slab
from pinnkit.features.start import Start, start_of
from pinnkit.features.system import expansions_of
from pinnkit.networks.features import RandomFeatures
from pinnkit.networks.fields import FieldNetworks
from pinnkit.problem.problem import Problem

log = logging.getLogger(__name__)

FIRST = 4
"""Slabs at first."""
FAILED = 1e-3
"""The share of a slab's first residual above which it is too wide."""
TOLERANCE = {1: 1e-13}
"""The share of a slab's first residual that is asked for where the equations have one coordinate."""
TOLERANCE_MORE = 1e-11
"""The same with more of them."""
SLACK = 10.0
"""The multiple of what the first slab reaches that a later one may leave."""
ENOUGH = 0.2
"""The share of what is asked at which Newton's method ends."""
EASY = 0.03
"""The share of what is asked below which the next slab is wider."""
WIDER = 1.5
NARROWEST = 1e-4
"""The narrowest slab, as a share of the whole time."""
LARGER = 1.5
"""Factor on the number of features while the first slab is planned."""
PAYS = 2.0
"""The factor by which a change of the plan must lower the residual."""
WORK = 0.5
"""The work of all slabs together at most, as a share of that of one solve with `features.max_unknowns`."""
SLOW = 1e-3
"""The share of their time by which features go on, for the slope by time at the end of a slab."""
SHARE = 0.05
"""The share of the whole time that is solved from level to level."""


class SlabSolver(Protocol):
    """The least-squares problems of a slab."""

    slab: Slab | None
    size: float
    attached: Attached

    def measure(self) -> None: ...

    def search(self) -> tuple[Choice, float]: ...

    def try_choice(self, choice: Choice, warm: bool = True, *, enough: float = 0.0) -> float: ...


@dataclass(frozen=True)
class Plan:
    """How slabs are solved: their width, and the features of each."""

    width: float
    choice: Choice
    residual: float
    size: float
    kept: Kept
    """The features of the first slab."""

    def work(self, fields: int, total: float) -> float:
        """Work of all slabs: the third power of the unknowns of each."""
        return total / self.width * (self.choice.count * fields) ** 3


class Windows:
    """Solves an initial value problem slab by slab; all features stay in the one network.

    Each slab has its own part of the points, and rows that match the outputs of the networks, and their derivatives by
    time below the order of the equations, at its start. Width and features are planned on the first slab: whichever
    lowers the residual more for its work, narrower slabs or more features, until what is left is small or the work is
    that of one solve with `features.max_unknowns`. Later ones are halved where they do not converge.

    Attributes:
        reason: why it ended.
        choice: the features of the last slab.
    """

    def __init__(
        self,
        part: Callable[[Slab, Start | None, Kept], SlabSolver],
        network: FieldNetworks,
        settings: FeatureSettings,
        problem: Problem,
        like: torch.Tensor,
        seed: int,
    ) -> None:
        self._make, self._network, self.settings, self.problem = part, network, settings, problem
        self.like, self.seed = like, seed
        assert problem.time is not None
        self.axis = problem.coordinates.index(problem.time)
        self.begin = float(problem.domain.lower[self.axis])
        self.end = float(problem.domain.upper[self.axis])
        self.fields = len(problem.fields)
        self.reason = ""
        self.choice = Choice("tanh", (1.0,) * len(problem.coordinates), 0)

    @property
    def total(self) -> float:
        """The whole time."""
        return self.end - self.begin

    def levels(self, seconds_left: Callable[[], float]) -> Iterator[Level]:
        """Solve slab by slab; each one's features are attached to the network."""
        began = time.perf_counter()
        found = self._planned(seconds_left)
        if found is None:
            return
        part, plan = found
        number, worst, said = 1, plan.residual, self.begin
        limit = max(self._tolerance, SLACK * plan.residual / plan.size)
        width, choice, residual = plan.width, plan.choice, plan.residual
        while True:
            slab = part.slab
            assert slab is not None
            worst, self.choice = max(worst, residual), choice
            if slab.last or slab.upper - said >= SHARE * self.total:
                said = slab.upper
                unknowns = sum(one.size for one in expansions_of(self._network))
                text = f"slab {number}, {self.problem.time} to {slab.upper:.4g}: residual {residual:.2e}, {choice}, "
                yield Level(choice.count, unknowns, worst, text + f"{time.perf_counter() - began:.1f} s in all")
            if slab.last:
                self.reason = f"the last of {number} slabs of time is solved"
                return
            if seconds_left() <= 0:
                self.reason = f"the time left ended at {self.problem.time} = {slab.upper:.4g}"
                return
            following = self._next(part, choice, width, limit)
            if following is None:
                return
            part, choice, residual, eased = following
            assert part.slab is not None
            number += 1
            width = part.slab.width if not part.slab.last else width
            if eased:
                width, choice = WIDER * width, self._in_width(choice, WIDER)

    @property
    def _tolerance(self) -> float:
        return TOLERANCE.get(len(self.problem.coordinates), TOLERANCE_MORE)

    # ------------------------------------------------------------ the first slab

    def _planned(self, seconds_left: Callable[[], float]) -> tuple[SlabSolver, Plan] | None:
        """The first slab, solved, and the plan of all."""
        fixed = self.settings.windows
        width = self.total / (fixed or FIRST)
        while True:
            part = self._part(self.begin, width)
            choice, residual = part.search()
            if residual <= FAILED * part.size or fixed is not None:
                break
            part.attached.put([])
            width /= 4
            if width < NARROWEST * self.total or seconds_left() <= 0:
                self.reason = f"no slab of time converges: {residual / part.size:.1e} of the first residual is left"
                return None
        log.info("features: slabs of time of %.3g: %s (residual %.2e)", width, choice, residual)
        if self.settings.count is not None:
            choice = replace(choice, count=self.settings.count)
            residual = part.try_choice(choice)
        plan = Plan(width, choice, residual, part.size, part.attached.kept())
        most = WORK * self.settings.max_unknowns**3
        while plan.residual > self._tolerance * plan.size and seconds_left() > 0:
            options = []
            if self.settings.count is None:
                options.append(self._more(plan))
            if fixed is None and plan.width > 4 * NARROWEST * self.total:
                options.append(self._narrower(plan))
            paying = [one for one in options if one.residual < plan.residual / PAYS]
            paying = [one for one in paying if one.work(self.fields, self.total) <= most]
            if not paying:
                break
            plan = max(paying, key=lambda one: self._gain(plan, one, self.fields))
            log.info("features: slabs of time of %.3g: %s (residual %.2e)", plan.width, plan.choice, plan.residual)
        part.attached.put([])
        part = self._part(self.begin, plan.width)
        part.attached.put(plan.kept)
        return part, plan

    def _gain(self, plan: Plan, other: Plan, fields: int) -> float:
        """Digits for each factor of work."""
        work = other.work(fields, self.total) / plan.work(fields, self.total)
        return math.log(plan.residual / max(other.residual, 1e-300)) / max(math.log(work), 0.1)

    def _more(self, plan: Plan) -> Plan:
        """The plan with more features."""
        return self._changed(plan, plan.width, plan.choice.larger(LARGER))

    def _narrower(self, plan: Plan) -> Plan:
        """The plan with slabs of half the width."""
        return self._changed(plan, plan.width / 2, self._in_width(plan.choice, 0.5))

    def _changed(self, plan: Plan, width: float, choice: Choice) -> Plan:
        """Another plan, whose first slab begins from the state that the former one found."""
        if choice.count * self.fields > self.settings.max_unknowns:
            return replace(plan, residual=math.inf)
        self._network.remove(list(self._network.expansions))
        part = self._part(self.begin, width)
        assert part.slab is not None
        part.attached.put([(_in_slab(module, part.slab), group) for module, group in plan.kept])
        residual = part.try_choice(choice)
        return Plan(width, choice, residual, part.size, part.attached.kept())

    def _in_width(self, choice: Choice, factor: float) -> Choice:
        """Features for slabs that are wider by a factor."""
        ranges = list(choice.ranges)
        ranges[self.axis] = max(factor**0.5 * ranges[self.axis], 0.5)
        return replace(choice, ranges=tuple(ranges))

    # ------------------------------------------------------------ the following ones

    def _next(
        self, former: SlabSolver, choice: Choice, width: float, limit: float
    ) -> tuple[SlabSolver, Choice, float, bool] | None:
        """The slab behind another one, solved: its features, the residual, and whether it was easy."""
        assert former.slab is not None
        lower, previous = former.slab.upper, former.attached.expansions
        best = math.inf
        while True:
            part = self._part(lower, self._fitted(lower, width), previous)
            residual = part.try_choice(choice, warm=False, enough=ENOUGH * limit * part.size)
            assert part.slab is not None
            relative = residual / part.size
            if relative <= limit or self.settings.windows is not None:
                return part, choice, residual, relative < EASY * limit and self.settings.windows is None
            if relative <= FAILED and relative > best / PAYS:  # narrower ones are no better
                return part, choice, residual, False
            log.debug("features: %s to %.4g leaves %.1e", self.problem.time, part.slab.upper, relative)
            best = min(best, relative)
            part.attached.put([])
            width, choice = part.slab.width / 2, self._in_width(choice, 0.5)
            if width < NARROWEST * self.total:
                self.reason = f"no slab behind {self.problem.time} = {lower:.6g} converges: {relative:.1e} is left"
                return None

    def _fitted(self, lower: float, width: float) -> float:
        """The width of a slab, so that none is left that is very narrow."""
        left = self.end - lower
        return left if left < 1.01 * width else left / 2 if left < 2 * width else width

    def _part(self, lower: float, width: float, previous: Sequence[Expansion] = ()) -> SlabSolver:
        """The least-squares problems of a slab."""
        upper = lower + width
        last = upper > self.end - 1e-9 * self.total
        slab = Slab(self.axis, lower, self.end if last else upper, not previous, last)
        weight = self.settings.conditions_weight
        start = start_of(self.problem, slab, previous, weight, self.like, self.seed) if previous else None
        part = self._make(slab, start, self._guess(slab, previous))
        part.measure()
        return part

    def _guess(self, slab: Slab, previous: Sequence[Expansion]) -> Kept:
        """The tangent by time at the end of the slab before: z0 + (z(t0 + e (t - t0)) - z0) / e with a small e."""
        members = [tuple(fields) for fields in self._network.members]
        found = []
        for one in previous:
            for slower, factor in ((0.0, 1 - 1 / SLOW), (SLOW, 1 / SLOW)):
                module = _in_slab(one.module, slab)
                if self.axis in module.features.columns:
                    place = module.features.columns.index(self.axis)
                    module.offset += (1 - slower) * module.weight[place] * slab.lower
                    module.weight[place] *= slower
                with torch.no_grad():
                    module.coefficients *= factor
                found.append((module, members.index(one.fields)))
        return found


def _in_slab(module: RandomFeatures, slab: Slab) -> RandomFeatures:
    """A copy of features that is not zero in a slab."""
    module = copy.deepcopy(module)
    module.features = replace(module.features, interval=slab.interval)
    return module
