"""Slabs of time, each with features of its own, which start from the end of the one before."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import torch

from pinnkit.features.attached import Kept
from pinnkit.features.choice import Choice
from pinnkit.features.expansions import Expansion
from pinnkit.features.level import Level
from pinnkit.features.plan import Next, Plan, SlabSolver
from pinnkit.features.settings import FeatureSettings
from pinnkit.features.slab import Slab
from pinnkit.features.start import Start, start_of
from pinnkit.features.system import Stopped, expansions_of
from pinnkit.features.tangent import moved, tangent
from pinnkit.networks.fields import FieldNetworks
from pinnkit.problem.problem import Problem

log = logging.getLogger(__name__)

FIRST = 4
"""Slabs at first."""
FAILED = 1e-2
"""The share of a slab's first residual above which it is too wide."""
TOLERANCE = {1: 1e-13}
"""The share of a slab's first residual that is asked for where the equations have one coordinate."""
TOLERANCE_MORE = 1e-11
"""The same with more of them."""
SLACK = 10.0
"""The multiple of what the first slab reaches that a later one may leave."""
ENOUGH = 0.2
"""The share of what is asked at which Newton's method ends."""
INHERITED = 1e6
"""The multiple of what is asked at first that later slabs may leave, since each inherits what the one before left."""
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
HELPS = 4.0
"""The factor by which half the width, or more features, must lower the residual of a slab to be worth it."""
SHARE = 0.05
"""The share of the whole time that is solved from level to level."""


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
        self._limit = 0.0
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
        limit = self._limit = max(self._tolerance, SLACK * plan.residual / plan.size)
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
                self.reason = f"{number} slabs of time are solved, with residuals up to {worst:.1e}"
                return
            if seconds_left() <= 0:
                self.reason = f"the time left ended at {self.problem.time} = {slab.upper:.4g}"
                return
            solved = set(self._network.expansions)
            try:
                following = self._next(part, choice, width, limit)
            except Stopped:
                self._network.remove([one for one in self._network.expansions if one not in solved])
                self.reason = f"the time left ended at {self.problem.time} = {slab.upper:.4g}"
                return
            if following is None:
                return
            part, choice, residual, limit = following.part, following.choice, following.residual, following.limit
            assert part.slab is not None
            number += 1
            width = part.slab.width if not part.slab.last else width
            if following.easy:
                width, choice = WIDER * width, self._in_width(choice, WIDER)

    @property
    def _tolerance(self) -> float:
        return TOLERANCE.get(len(self.problem.coordinates), TOLERANCE_MORE)

    # ------------------------------------------------------------ the first slab

    def _planned(self, seconds_left: Callable[[], float]) -> tuple[SlabSolver, Plan] | None:
        """The first slab, solved, and the plan of all."""
        fixed = self.settings.windows
        width = self.total / (fixed or FIRST)
        former: tuple[float, Choice, Kept] | None = None
        while True:
            part = self._part(self.begin, width)
            choice, residual = part.search(seconds_left)
            if residual <= FAILED * part.size or fixed is not None:
                break
            if former is not None and residual > former[0] / PAYS:  # not the width, but features are in want
                width, (residual, choice, kept) = 4 * width, former
                part.attached.put([])
                part = self._part(self.begin, width)
                part.attached.put(kept)
                break
            former = residual, choice, part.attached.kept()
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
        part.attached.put([(moved(module, part.slab), group) for module, group in plan.kept])
        residual = part.try_choice(choice)
        return Plan(width, choice, residual, part.size, part.attached.kept())

    def _in_width(self, choice: Choice, factor: float) -> Choice:
        """Features for slabs that are wider by a factor."""
        ranges = list(choice.ranges)
        ranges[self.axis] = max(factor**0.5 * ranges[self.axis], 0.5)
        return replace(choice, ranges=tuple(ranges))

    # ------------------------------------------------------------ the following ones

    def _next(self, former: SlabSolver, choice: Choice, width: float, limit: float) -> Next | None:
        """The slab behind another one, narrower or with more features where that helps it to the limit."""
        assert former.slab is not None
        lower, previous = former.slab.upper, former.attached.expansions
        fixed = self.settings.windows is not None
        first = following = self._fitted(lower, width), choice
        narrowing, least = True, math.inf
        while True:
            width, choice = following
            part = self._part(lower, width, previous)
            residual = part.try_choice(choice, warm=False, enough=ENOUGH * limit * part.size)
            relative = residual / part.size
            if relative <= limit or fixed:
                return Next(
                    part, choice, residual, self._inherited(limit, relative), not fixed and relative < EASY * limit
                )
            log.debug("features: %s to %.4g, %s: %.1e is left", self.problem.time, lower + width, choice, relative)
            part.attached.put([])
            if following is not first and relative > least / HELPS:  # in vain
                if not narrowing or not self._has_more(first[1]):
                    break
                narrowing, following = False, (first[0], first[1].larger(LARGER))
                continue
            least = min(least, relative)
            if narrowing and width / 2 >= NARROWEST * self.total:
                following = width / 2, self._in_width(choice, 0.5)
            elif not narrowing and self._has_more(choice):
                following = width, choice.larger(LARGER)
            else:
                break
        if least > FAILED:
            self.reason = f"no slab behind {self.problem.time} = {lower:.6g} converges: {least:.1e} is left"
            return None
        part = self._part(lower, first[0], previous)
        residual = part.try_choice(first[1], warm=False)
        return Next(part, first[1], residual, 2 * residual / part.size, False)

    def _inherited(self, limit: float, relative: float) -> float:
        """What the next slab may leave: it inherits what this one left, as it cannot be met exactly."""
        return max(limit, min(2 * relative, INHERITED * self._limit))

    def _has_more(self, choice: Choice) -> bool:
        """Whether there may be more features."""
        return self.settings.count is None and LARGER * choice.count * self.fields <= self.settings.max_unknowns

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
        part = self._make(slab, start, tangent(self._network, slab, previous))
        part.measure()
        return part
