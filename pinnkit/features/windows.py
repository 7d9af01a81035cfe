"""Slabs of time, each with features of its own, which start from the end of the one before."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import torch

from pinnkit.features.adaptation import PAYS, Adaptation, Attempt, SlabSolver, Tried, in_width
from pinnkit.features.attached import Kept
from pinnkit.features.choice import Choice
from pinnkit.features.expansions import Expansion
from pinnkit.features.level import Level
from pinnkit.features.settings import FeatureSettings
from pinnkit.features.slab import Slab
from pinnkit.features.start import Start, start_of
from pinnkit.features.system import Stopped, expansions_of
from pinnkit.features.tangent import extended, tangent
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
SLACK = 5.0
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
WORK = 0.5
"""The work of all slabs together at most, as the first one is planned, as a share of that of one solve with
`features.max_unknowns`."""
WORK_LATER = 6.0
"""The same of the slabs from one on that does not come to what is asked."""
PACE, PACE_LATER = 0.4, 0.8
"""The share of the seconds left that all slabs may take, as the first one is planned, and from a later one on."""
INHERITS = 2.0
"""The multiple of what a slab leaves that the next one may leave."""
SHARE = 0.05
"""The share of the whole time that is solved from level to level."""


class Windows:
    """Solves an initial value problem slab by slab; all features stay in the one network.

    Each slab has its own part of the points, and rows that match the outputs of the networks, and their derivatives by
    time below the order of the equations, at its start. Width and features are planned on the first slab, and changed
    where a later one leaves more than what was planned.

    Args:
        part: the solver of a slab, by what it continues and the states from the best of which Newton's method begins.
        bound: the share of a slab's first residual above which slabs are given up.

    Attributes:
        reason: why it ended.
        choice: the features of the last slab.
        solved: the slabs, with the features of each and the residual that they leave.
    """

    def __init__(
        self,
        part: Callable[[Slab, Start | None, Sequence[Kept]], SlabSolver],
        network: FieldNetworks,
        settings: FeatureSettings,
        problem: Problem,
        like: torch.Tensor,
        seed: int,
        bound: float = math.inf,
    ) -> None:
        self._make, self._network, self.settings, self.problem = part, network, settings, problem
        self.like, self.seed, self._bound = like, seed, bound
        assert problem.time is not None
        self.axis = problem.coordinates.index(problem.time)
        self.begin = float(problem.domain.lower[self.axis])
        self.end = float(problem.domain.upper[self.axis])
        self.reason = ""
        self.solved: list[tuple[Slab, Choice, float]] = []
        self._limit = 0.0
        self._tried = Tried()
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
        number, worst, said = 1, found.residual, self.begin
        limit = self._limit = max(self._tolerance, SLACK * found.relative)
        width = found.width
        while True:
            slab = found.part.slab
            assert slab is not None
            worst, self.choice = max(worst, found.residual), found.choice
            self.solved.append((slab, found.choice, found.residual))
            if found.relative > self._bound:
                self.reason = f"slabs of time leave {found.relative:.1e} of the first residual, and one window less"
                self.solved = []
                return
            if slab.last or slab.upper - said >= SHARE * self.total:
                said = slab.upper
                unknowns = sum(one.size for one in expansions_of(self._network))
                text = f"slab {number}, {self.problem.time} to {slab.upper:.4g}: residual {found.residual:.2e}, "
                text += f"{found.choice}, {time.perf_counter() - began:.1f} s in all"
                yield Level(found.choice.count, unknowns, worst, text)
            if slab.last:
                self.reason = f"{number} slabs of time are solved, with residuals up to {worst:.1e}"
                return
            if seconds_left() <= 0:
                self.reason = f"the time left ended at {self.problem.time} = {slab.upper:.4g}"
                return
            choice, fixed = found.choice, self.settings.windows is not None
            if not fixed and found.relative < EASY * limit:
                width, choice = WIDER * width, in_width(choice, self.axis, WIDER)
            solved = set(self._network.expansions)
            try:
                following = self._next(found, choice, width, limit, seconds_left)
            except Stopped:
                self._network.remove([one for one in self._network.expansions if one not in solved])
                self.reason = f"the time left ended at {self.problem.time} = {slab.upper:.4g}"
                return
            if following is None:
                return
            if following.relative > limit:
                limit = self._inherited(limit, following.relative)
            found = following
            number += 1
            assert found.part.slab is not None
            width = found.width if not found.part.slab.last else width

    @property
    def _tolerance(self) -> float:
        return TOLERANCE.get(len(self.problem.coordinates), TOLERANCE_MORE)

    def _adaptation(
        self,
        lower: float,
        previous: Sequence[Expansion],
        most: float,
        pace: float,
        seconds_left: Callable[[], float],
    ) -> Adaptation:
        """Changes of a slab that begins at a time."""
        settings = self.settings

        def part(width: float) -> SlabSolver:
            return self._part(lower, width, previous)

        return Adaptation(
            part,
            self.axis,
            self._network.members,
            (NARROWEST * self.total, self.end - lower),
            most * settings.max_unknowns**3,
            pace,
            settings.max_unknowns if settings.count is None else 0,
            settings.windows is not None,
            settings.range is None,
            self._tried,
            seconds_left,
        )

    # ------------------------------------------------------------ the first slab

    def _planned(self, seconds_left: Callable[[], float]) -> Attempt | None:
        """The first slab, solved with the width and the features that suit all, as far as it shows them."""
        fixed = self.settings.windows
        width = self.total / (fixed or FIRST)
        best: Attempt | None = None
        while True:
            part = self._part(self.begin, width)
            choice, residual = part.search(seconds_left)
            found = Attempt(part, width, choice, residual, part.attached.kept())
            if best is not None and found.residual > best.residual / PAYS:
                break  # not the width, but features are in want
            best = found
            if best.relative <= FAILED or fixed is not None:
                break
            part.attached.put([])
            width /= 4
            if width < NARROWEST * self.total or seconds_left() <= 0:
                self.reason = f"no slab of time converges: {best.relative:.1e} of the first residual is left"
                return None
        log.info("features: slabs of time of %.3g: %s (residual %.2e)", best.width, best.choice, best.residual)
        if found is not best:
            part.attached.put([])
            best = replace(best, part=self._part(self.begin, best.width))
        best.attach()
        before, choice = seconds_left(), best.choice
        if self.settings.count is not None:
            choice = replace(choice, count=self.settings.count)
        residual = best.part.try_choice(choice)
        seconds = before - seconds_left()
        best = replace(best, choice=choice, residual=residual, kept=best.part.attached.kept(), seconds=seconds)
        limit = self._tolerance
        adaptation = self._adaptation(self.begin, (), WORK, PACE, seconds_left)
        best = adaptation.improved(best, limit, ENOUGH * limit)
        log.info("features: slabs of time of %.3g: %s (residual %.2e)", best.width, best.choice, best.residual)
        return best

    # ------------------------------------------------------------ the following ones

    def _next(
        self, former: Attempt, choice: Choice, width: float, limit: float, seconds_left: Callable[[], float]
    ) -> Attempt | None:
        """The slab behind another one, with other features or narrower where that helps it to the limit."""
        assert former.part.slab is not None
        lower, previous = former.part.slab.upper, former.part.attached.expansions
        adaptation = self._adaptation(lower, previous, WORK_LATER, PACE_LATER, seconds_left)
        found = adaptation.first(self._fitted(lower, width), choice, ENOUGH * limit)
        if found.relative > limit:
            log.debug("features: %s to %.4g: %.1e is left", self.problem.time, lower + found.width, found.relative)
            found = adaptation.improved(found, limit, ENOUGH * limit)
        if found.relative > FAILED and self.settings.windows is None:
            self.reason = f"no slab behind {self.problem.time} = {lower:.6g} converges: {found.relative:.1e} is left"
            return None
        return found

    def _inherited(self, limit: float, relative: float) -> float:
        """What the next slab may leave behind one that left more: what is inherited cannot be met exactly."""
        return max(limit, min(INHERITS * relative, INHERITED * self._limit))

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
        known = (self.problem, slab, self._network, previous, weight, self.like, self.seed)
        start = start_of(*known) if previous else None
        guesses = tangent(self._network, slab, previous), extended(self._network, slab, previous)
        part = self._make(slab, start, guesses if previous else ())
        part.measure()
        return part
