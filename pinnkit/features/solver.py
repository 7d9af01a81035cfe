"""Features that solve a problem by themselves: their kind, range and number are found by trials on fresh points."""

from __future__ import annotations

import copy
import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import torch

from pinnkit.engines.model import Model
from pinnkit.features.choice import Choice
from pinnkit.features.least_squares import Shares
from pinnkit.features.level import Level
from pinnkit.features.linearise import Expansion
from pinnkit.features.newton import System, expansions_of, newton
from pinnkit.features.points import draw, probe, scales
from pinnkit.features.settings import FeatureSettings
from pinnkit.features.slab import Slab, initial_value_problem
from pinnkit.features.start import Kept, Start
from pinnkit.features.windows import Windows
from pinnkit.losses.residuals import TermGroup
from pinnkit.networks.features import RandomFeatures
from pinnkit.networks.fields import Zero

log = logging.getLogger(__name__)

TRIAL_UNKNOWNS = {1: 150, 2: 450}
"""Coefficients in all of a trial, by the number of coordinates."""
TRIAL_UNKNOWNS_MORE = 600
"""The same in more of them."""
TRIAL_STEPS = 6
"""Newton steps of a trial, which begins with the best one so far."""
FIRST = (("sin", 2.0), ("sin", 4.0), ("sin", 8.0), ("sin", 16.0), ("tanh", 1.0), ("tanh", 2.0), ("tanh", 4.0))
"""Kinds and ranges that are tried first."""
FINER = 2**0.5
HOPELESS = 3.0
"""A trial ends where its linearised residual is this multiple of the least one so far."""
STUCK = 1e-4
"""The share of the first residual above which the trials failed, so that slabs of time are the next thing."""
GROWTH = 1.6
"""Factor on the number of features from level to level."""
FELL = 3.0
"""The factor by which a level must lower the residual on fresh points, or it is the last."""
ROUNDING = 3e-14
"""The share of the first residual that is taken for rounding."""
STREAM = 1000
"""Seeds between two independent sets of features."""
FRESH = 2**29
"""The number of the draw of points that no solve has seen."""


class FeatureSolver:
    """Solves a problem by random features and least squares.

    Args:
        model: whose network has `Zero` networks, to which features are added.
        groups: its terms by the points that they share.
        ranks: processes that share the rows.
        slab: the part of the time that is solved for, where features that are there already stay; None: all of it.
        start: what the slab continues.
        guess: the features, each with its network, of the state from which Newton's method begins.

    Attributes:
        reason: why it ended.
        choice: the features that are attached.
        trial_unknowns: coefficients in all of a trial.
        like: a tensor of the type and on the device of the points.
    """

    choice: Choice

    def __init__(
        self,
        model: Model,
        groups: Mapping[str, TermGroup],
        settings: FeatureSettings,
        seed: int,
        ranks: Shares | None = None,
        like: torch.Tensor | None = None,
        slab: Slab | None = None,
        start: Start | None = None,
        guess: Kept = (),
    ) -> None:
        self.model, self.groups, self.settings, self.seed, self.ranks = model, groups, settings, seed, ranks
        self.slab, self._start, self._guess = slab, start, guess
        self.problem = model.problem
        self.linear = self.problem.linear and not self.problem.learned and self._linear_conditions()
        self.reason = ""
        self.like = like if like is not None else torch.zeros(1, dtype=torch.float64)
        self.network = System(model, groups, {}, {}).network
        self._others = set(self.network.expansions) if slab is not None else set()
        self.size = 0.0
        self.trial_unknowns = TRIAL_UNKNOWNS.get(len(self.problem.coordinates), TRIAL_UNKNOWNS_MORE)
        self._scales = scales(
            model,
            groups,
            draw(self.problem, self.trial_unknowns, settings.rows, seed, FRESH, self.like, slab),
            settings.conditions_weight,
            seed,
            slab,
        )

    @property
    def exact(self) -> float:
        """The residual that rounding leaves, by that of the state without features."""
        return ROUNDING * self.size

    def numbers(self) -> dict[str, float]:
        """The values of the learned numbers."""
        values = self.system(1, 0).parameters()
        return {name: float(values[name]) for name in self.model.learned}

    def solve(self, seconds_left: Callable[[], float]) -> Choice:
        """Go through all levels; the choice of the features that are attached then."""
        for level in self.levels(seconds_left):
            log.info("features: %s", level.text)
        return self.choice

    def levels(self, seconds_left: Callable[[], float]) -> Iterator[Level]:
        """Solve with more and more features; each level's are attached to the network."""
        self.measure()
        why_not = initial_value_problem(self.problem)
        several = self.settings.windows is not None and self.settings.windows > 1
        if not several:
            choice, residual = self.search()
            log.info("features: %s are the best of the trials (residual %.2e)", choice, residual)
            alone = all(isinstance(one, Zero) for one in self.network.networks)
            if self.settings.windows is None and alone and not self.linear and not why_not:
                several = residual > STUCK * self.size
        if several:
            yield from self._in_slabs(seconds_left)
            return
        best: tuple[float, Choice] = (math.inf, choice)
        fields = sum(map(len, self.network.members))
        if self.settings.count is not None:
            choice = replace(choice, count=self.settings.count)
        while True:
            began = time.perf_counter()
            residual = self.try_choice(choice)
            if residual >= best[0] / FELL and best[0] < math.inf:  # the larger range did not pay
                again = replace(choice, ranges=best[1].ranges)
                other = self.try_choice(again)
                residual, choice = min((residual, choice), (other, again), key=lambda one: one[0])
            taken = time.perf_counter() - began
            unknowns = choice.count * fields
            fell = best[0] / residual if residual > 0 else math.inf
            best = min(best, (residual, choice), key=lambda one: one[0])
            self.choice = choice
            yield Level(choice.count, unknowns, residual, f"{choice}: residual {residual:.2e} in {taken:.1f} s")
            if self.settings.count is not None:
                self.reason = f"features.count is {self.settings.count}"
                return
            if residual <= self.exact:
                self.reason = "the residual is that of rounding"
                return
            if fell < FELL:
                self.reason = "more features do not lower the residual on fresh points"
                break
            larger = math.ceil(GROWTH * choice.count)
            if larger * fields > self.settings.max_unknowns:
                self.reason = f"features.max_unknowns is {self.settings.max_unknowns}"
                break
            if seconds_left() < taken * GROWTH**3:
                self.reason = "the time left is too short for more features"
                break
            choice = choice.larger(GROWTH)
        self.choice = best[1]
        if best[1] != choice:
            self.try_choice(best[1])

    # ------------------------------------------------------------ slabs of time

    def measure(self) -> None:
        """Find the residual of the present state, by which others are judged."""
        with torch.no_grad():
            self.size = self.fresh_residual(self.trial_unknowns)

    def _in_slabs(self, seconds_left: Callable[[], float]) -> Iterator[Level]:
        """Solve slab by slab."""
        log.info("features: slabs of time, each of which starts from the end of the one before")
        self.network.remove(list(self.network.expansions))
        arguments = self.model, self.groups, self.settings, self.seed, self.ranks, self.like

        def part(slab: Slab, start: Start | None, guess: Kept) -> FeatureSolver:
            return FeatureSolver(*arguments, slab, start, guess)

        windows = Windows(part, self.network, self.settings, self.problem, self.like, self.seed)
        yield from windows.levels(seconds_left)
        self.reason, self.choice = windows.reason, windows.choice

    @property
    def own(self) -> list[Expansion]:
        """The features that are solved for, and not those of other slabs."""
        return [one for one in expansions_of(self.network) if one.module not in self._others]

    def kept(self) -> Kept:
        """Copies of its features, each with the network that it belongs to."""
        pairs = zip(self.network.expansions, self.network.expanded, strict=True)
        return [(copy.deepcopy(module), group) for module, group in pairs if module not in self._others]

    def put(self, kept: Kept) -> None:
        """Have these features, and no others of its own."""
        self.network.remove([one.module for one in self.own])
        for module, group in kept:
            self.network.add(copy.deepcopy(module), group)

    # ------------------------------------------------------------ trials

    def search(self) -> tuple[Choice, float]:
        """Kind and ranges by trials with few features; the best one's are attached."""
        fields = sum(map(len, self.network.members))
        count = max(40, self.trial_unknowns // fields)
        size = len(self.problem.coordinates)
        periodic = any(output.periodic for output in self.network.outputs)
        tried: dict[Choice, float] = {}
        kept: Kept = []

        def trial(choice: Choice) -> float:
            nonlocal kept
            if choice not in tried:
                self.put(kept)
                least = min(tried.values(), default=math.inf)
                tried[choice] = self.try_choice(choice, bool(kept), TRIAL_STEPS if kept else None, least)
                if tried[choice] < least:
                    kept = self.kept()
                log.debug("trial: %s: residual %.2e", choice, tried[choice])
            return tried[choice]

        first = [one for one in FIRST if one[0] == "sin" or not periodic]
        if self.settings.kind != "auto":
            first = [one for one in first if one[0] == self.settings.kind] or [(self.settings.kind, 4.0)]
        if self.settings.range is not None:
            first = list(dict.fromkeys((kind, self.settings.range) for kind, _ in first))
        choices = [Choice(kind, (value,) * size, count) for kind, value in first]
        for one in choices:
            if trial(one) <= self.exact:
                self.put(kept)
                return one, tried[one]
        best = min(choices, key=trial)
        if self.settings.range is None:
            best = self._refined(best, trial)
        self.put(kept)
        return best, trial(best)

    def _refined(self, best: Choice, trial: Callable[[Choice], float]) -> Choice:
        """The best of ranges near by: of all coordinates, then of each."""
        size = len(best.ranges)
        masks = [tuple(range(size)), *((index,) for index in range(size) if size > 1)]
        for mask in masks:
            for factor in (2.0, 0.5, FINER, 1 / FINER):
                while True:
                    ranges = tuple(one * (factor if index in mask else 1) for index, one in enumerate(best.ranges))
                    other = Choice(best.kind, ranges, best.count)
                    if max(ranges) > 400 or min(ranges) < 0.05 or not trial(other) < 0.7 * trial(best):
                        break
                    best = other
        return best

    # ------------------------------------------------------------ one solve

    def add(self, choice: Choice, stream: int = 0) -> list[RandomFeatures]:
        """Add features without coefficients to the outputs of every network; another stream has other ones."""
        problem = self.problem
        box = problem.domain.lower.tolist(), problem.domain.upper.tolist()
        logarithmic = [problem.coordinates.index(name) for name in problem.axes.logarithmic]
        added = []
        for number in range(len(self.network.members)):
            seed = self.seed + STREAM * stream
            module = probe(
                self.network, number, choice.kind, choice.count, choice.ranges, seed, box, logarithmic, self.slab
            )
            added.append(module.to(self.like))
            self.network.add(added[-1], number)
        return added

    def system(self, unknowns: int, drawn: int, share: float = 1.0) -> System:
        """The terms at points for so many unknowns, or a share of those; another number has other points."""
        rows = share * self.settings.rows
        batches = draw(self.problem, unknowns, rows, self.seed, drawn, self.like, self.slab)
        return System(self.model, self.groups, batches, self._scales, self.ranks, self._start)

    def fresh_residual(self, unknowns: int) -> float:
        """The residual on points that no solve has seen."""
        return self.system(unknowns, FRESH, share=0.5).norm()

    def try_choice(self, choice: Choice, warm: bool = True, steps: int | None = None, least: float = math.inf) -> float:
        """Solve with features of a choice, which take the place of those there are; the residual on fresh points.

        Args:
            warm: begin with the state that there is; else with the guess.
            least: the residual that others left: what cannot come near it ends early.
        """
        if not warm or self.linear:
            self.put([] if self.linear else self._guess)
        replaced = self.own
        added = set(self.add(choice))
        unknown = [one for one in self.own if one.module in added]
        unknowns = sum(one.size for one in unknown)
        steps = steps or self.settings.newton_steps
        with torch.no_grad():
            newton(self.system(unknowns, 0), unknown, steps, self.linear, replaced, HOPELESS * least)
            self.network.remove([one.module for one in replaced if not bool(one.module.coefficients.any())])
            return self.fresh_residual(unknowns)

    def _linear_conditions(self) -> bool:
        """Whether the conditions are linear too, and each field an affine function of the network's output."""
        from pinnkit.language.linear import is_linear

        equations = [one for condition in self.problem.soft_conditions for one in condition.equations]
        plain = all(not callable(one.residual) and is_linear(one.residual) for one in equations)
        return plain and all(output.affine for output in System(self.model, self.groups, {}, {}).network.outputs)
