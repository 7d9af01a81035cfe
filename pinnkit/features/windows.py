"""Slabs of time, each with features of its own, which start from the end of the one before."""

from __future__ import annotations

import copy
import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from pinnkit.engines.model import Model
from pinnkit.features.least_squares import Shares
from pinnkit.features.linearise import Expansion
from pinnkit.features.newton import expansions_of
from pinnkit.features.points import on_side
from pinnkit.features.settings import FeatureSettings
from pinnkit.features.slab import Slab, start_points, time_orders
from pinnkit.features.start import Match, Start, outputs_by_time
from pinnkit.features.trials import Choice, Level, Trials
from pinnkit.losses.residuals import TermGroup
from pinnkit.networks.features import RandomFeatures
from pinnkit.networks.fields import FieldNetworks

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
EASY = 0.03
"""The share of what is asked below which the next slab is wider."""
WIDER = 1.5
NARROWEST = 1e-4
"""The narrowest slab, as a share of the whole time."""
LARGER = 1.5
"""Factor on the number of features while the first slab is planned."""
PAYS = 2.0
"""The factor by which a change of the plan must lower the residual."""
STEPS = 4
"""Newton steps of the largest solve that all slabs together may be as much work as."""
SHARE = 0.05
"""The share of the whole time that is solved from level to level."""


@dataclass(frozen=True)
class Plan:
    """How slabs are solved: their width, and the features of each."""

    width: float
    choice: Choice
    residual: float
    size: float
    kept: Sequence[tuple[RandomFeatures, int]]
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
    """

    def __init__(
        self,
        model: Model,
        groups: Mapping[str, TermGroup],
        settings: FeatureSettings,
        seed: int,
        ranks: Shares | None,
        like: torch.Tensor,
    ) -> None:
        self.model, self.groups, self.settings, self.seed = model, groups, settings, seed
        self.ranks, self.like, self.problem = ranks, like, model.problem
        assert self.problem.time is not None
        self.axis = self.problem.coordinates.index(self.problem.time)
        self.begin = float(self.problem.domain.lower[self.axis])
        self.end = float(self.problem.domain.upper[self.axis])
        self.orders = time_orders(self.problem)
        self.reason = ""
        network = model.network
        assert isinstance(network, FieldNetworks)
        self._network = network

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
        trials, plan = found
        number, worst, said = 1, plan.residual, self.begin
        limit = max(self._tolerance, SLACK * plan.residual / plan.size)
        width, choice, residual = plan.width, plan.choice, plan.residual
        while True:
            slab = trials.slab
            assert slab is not None
            worst = max(worst, residual)
            if slab.last or slab.upper - said >= SHARE * self.total:
                said = slab.upper
                unknowns = sum(one.size for one in expansions_of(trials.network))
                text = f"slab {number}, {self.problem.time} to {slab.upper:.4g}: residual {residual:.2e}, {choice}, "
                yield Level(choice.count, unknowns, worst, text + f"{time.perf_counter() - began:.1f} s in all")
            if slab.last:
                self.reason = f"the last of {number} slabs of time is solved"
                return
            if seconds_left() <= 0:
                self.reason = f"the time left ended at {self.problem.time} = {slab.upper:.4g}"
                return
            following = self._next(trials, choice, width, limit)
            if following is None:
                return
            trials, choice, residual, eased = following
            assert trials.slab is not None
            number += 1
            width = trials.slab.width if not trials.slab.last else width
            if eased:
                width, choice = WIDER * width, self._in_width(choice, WIDER)

    @property
    def _tolerance(self) -> float:
        return TOLERANCE.get(len(self.problem.coordinates), TOLERANCE_MORE)

    # ------------------------------------------------------------ the first slab

    def _planned(self, seconds_left: Callable[[], float]) -> tuple[Trials, Plan] | None:
        """The first slab, solved, and the plan of all."""
        fixed = self.settings.windows
        width = self.total / (fixed or FIRST)
        while True:
            trials = self._trials(self.begin, width)
            choice, residual = trials.search()
            if residual <= FAILED * trials.size or fixed is not None:
                break
            trials.clear()
            width /= 4
            if width < NARROWEST * self.total or seconds_left() <= 0:
                self.reason = f"no slab of time converges: {residual / trials.size:.1e} of the first residual is left"
                return None
        log.info("features: slabs of time of %.3g: %s (residual %.2e)", width, choice, residual)
        if self.settings.count is not None:
            choice = replace(choice, count=self.settings.count)
            residual = trials.solve(choice, warm=True)
        plan = Plan(width, choice, residual, trials.size, trials.kept())
        most = STEPS * self.settings.max_unknowns**3
        while plan.residual > self._tolerance * plan.size and seconds_left() > 0:
            options = []
            if self.settings.count is None:
                options.append(self._more(plan))
            if fixed is None and plan.width > 4 * NARROWEST * self.total:
                options.append(self._narrower(plan))
            paying = [one for one in options if one.residual < plan.residual / PAYS]
            paying = [one for one in paying if one.work(trials.fields, self.total) <= most]
            if not paying:
                break
            plan = max(paying, key=lambda one: self._gain(plan, one, trials.fields))
            log.info("features: slabs of time of %.3g: %s (residual %.2e)", plan.width, plan.choice, plan.residual)
        trials.clear()
        trials = self._trials(self.begin, plan.width)
        trials.put(plan.kept)
        return trials, plan

    def _gain(self, plan: Plan, other: Plan, fields: int) -> float:
        """Digits for each factor of work."""
        work = other.work(fields, self.total) / plan.work(fields, self.total)
        return math.log(plan.residual / max(other.residual, 1e-300)) / max(math.log(work), 0.1)

    def _more(self, plan: Plan) -> Plan:
        """The plan with more features."""
        factor = LARGER ** (1 / len(self.problem.coordinates))
        ranges = tuple(factor * one for one in plan.choice.ranges)
        return self._changed(plan, plan.width, Choice(plan.choice.kind, ranges, math.ceil(LARGER * plan.choice.count)))

    def _narrower(self, plan: Plan) -> Plan:
        """The plan with slabs of half the width."""
        return self._changed(plan, plan.width / 2, self._in_width(plan.choice, 0.5))

    def _changed(self, plan: Plan, width: float, choice: Choice) -> Plan:
        """Another plan, whose first slab begins from the state that the former one found."""
        if choice.count * sum(map(len, self._network.members)) > self.settings.max_unknowns:
            return replace(plan, residual=math.inf)
        self._network.remove(list(self._network.expansions))
        trials = self._trials(self.begin, width)
        assert trials.slab is not None
        trials.put([(_in_slab(module, trials.slab), group) for module, group in plan.kept])
        residual = trials.solve(choice, warm=True)
        return Plan(width, choice, residual, trials.size, trials.kept())

    def _in_width(self, choice: Choice, factor: float) -> Choice:
        """Features for slabs that are wider by a factor."""
        ranges = list(choice.ranges)
        ranges[self.axis] = max(factor**0.5 * ranges[self.axis], 0.5)
        return replace(choice, ranges=tuple(ranges))

    # ------------------------------------------------------------ the following ones

    def _next(
        self, former: Trials, choice: Choice, width: float, limit: float
    ) -> tuple[Trials, Choice, float, bool] | None:
        """The slab behind another one, solved: its features, the residual, and whether it was easy."""
        assert former.slab is not None
        lower, previous = former.slab.upper, former.own
        best = math.inf
        while True:
            trials = self._trials(lower, self._fitted(lower, width), previous)
            residual = trials.solve(choice)
            assert trials.slab is not None
            relative = residual / trials.size
            if relative <= limit or self.settings.windows is not None:
                return trials, choice, residual, relative < EASY * limit and self.settings.windows is None
            if relative <= FAILED and relative > best / PAYS:  # narrower ones are no better
                return trials, choice, residual, False
            log.debug("features: %s to %.4g leaves %.1e", self.problem.time, trials.slab.upper, relative)
            best = min(best, relative)
            trials.clear()
            width, choice = trials.slab.width / 2, self._in_width(choice, 0.5)
            if width < NARROWEST * self.total:
                self.reason = f"no slab behind {self.problem.time} = {lower:.6g} converges: {relative:.1e} is left"
                return None

    def _fitted(self, lower: float, width: float) -> float:
        """The width of a slab, so that none is left that is very narrow."""
        left = self.end - lower
        return left if left < 1.01 * width else left / 2 if left < 2 * width else width

    def _trials(self, lower: float, width: float, previous: Sequence[Expansion] = ()) -> Trials:
        """The least-squares problems of a slab."""
        upper = lower + width
        last = upper > self.end - 1e-9 * self.total
        slab = Slab(self.axis, lower, self.end if last else upper, not previous, last)
        arguments = self.model, self.groups, self.settings, self.seed, self.ranks, self.like
        if not previous:
            return Trials(*arguments, slab)
        start = self._start(slab, previous)
        constant = [self._continued(one, slab) for one in previous]
        return Trials(*arguments, slab, start, constant)

    def _continued(self, one: Expansion, slab: Slab) -> tuple[RandomFeatures, int]:
        """Features that hold what those of the slab before end with, constant in time."""
        module = _in_slab(one.module, slab)
        if self.axis in module.features.columns:
            place = module.features.columns.index(self.axis)
            module.offset += module.weight[place] * slab.lower
            module.weight[place] = 0.0
        members = [tuple(fields) for fields in self._network.members]
        return module, members.index(one.fields)

    def _start(self, slab: Slab, previous: Sequence[Expansion]) -> Start:
        """What the features of a slab continue."""
        problem = self.problem
        count = on_side(problem, max(one.module.features.count for one in previous))
        points = torch.as_tensor(start_points(problem, slab, count, self.seed)).to(self.like)
        matches = []
        for field, order in enumerate(self.orders):
            part = problem.fields[field].part
            inside = torch.ones(len(points), dtype=torch.bool)
            if part:
                inside = torch.as_tensor(problem.solid(part).contains(points.cpu().numpy()))
            index = inside.nonzero()[:, 0].to(points.device)
            for one in range(order if len(index) else 0):
                values = outputs_by_time(previous, points[index], self.axis, field, one)
                scale = self.settings.conditions_weight * (slab.width / 2) ** one
                matches.append(Match(field, one, values, index, scale))
        return Start(points, self.axis, slab.lower, tuple(matches))


def _in_slab(module: RandomFeatures, slab: Slab) -> RandomFeatures:
    """A copy of features that is not zero in a slab."""
    module = copy.deepcopy(module)
    module.features = replace(module.features, interval=slab.interval)
    return module
