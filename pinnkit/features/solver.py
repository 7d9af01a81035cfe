"""Features that solve a problem by themselves: their kind, range and number are found by trials on fresh points."""

from __future__ import annotations

import copy
import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np
import torch

from pinnkit.engines.model import Model
from pinnkit.features.choice import Choice
from pinnkit.features.least_squares import Shares
from pinnkit.features.level import Level
from pinnkit.features.linearise import Expansion
from pinnkit.features.newton import System, expansions_of, newton
from pinnkit.features.places import POOL, Places
from pinnkit.features.points import FRESH, draw, probe, scales
from pinnkit.features.settings import FeatureSettings
from pinnkit.features.slab import Slab, initial_value_problem
from pinnkit.features.start import Kept, Start
from pinnkit.features.trials import Trials
from pinnkit.features.windows import Windows
from pinnkit.language.linear import is_linear
from pinnkit.losses.residuals import TermGroup
from pinnkit.networks.features import RandomFeatures
from pinnkit.networks.fields import Zero

log = logging.getLogger(__name__)

TRIAL_UNKNOWNS = {1: 150, 2: 450}
"""Coefficients in all of a trial, by the number of coordinates."""
TRIAL_UNKNOWNS_MORE = 600
"""The same in more of them."""
HOPELESS = 3.0
"""A trial ends where its linearised residual is this multiple of the least one so far."""
STUCK = 1e-4
"""The share of the first residual above which the trials failed, so that slabs of time are the next thing."""
GROWTH = 1.6
"""Factor on the number of features from level to level."""
FELL = 3.0
"""The factor by which a level must lower the residual on fresh points, or it is the last."""
SLOW = 1.2
"""The same as long as the residual is above a share of that without features."""
RESOLVED = 1e-4
"""That share."""
ROUNDING = 3e-14
"""The share of the first residual that is taken for rounding."""
STREAM = 1000
"""Seeds between two independent sets of features."""


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
        self._trained = not all(isinstance(one, Zero) for one in self.network.networks)
        self.places = Places()
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
    def located(self) -> bool:
        """Whether the residual is concentrated somewhere."""
        return bool(self.places)

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
            if self.settings.windows is None and not self._trained and not self.linear and not why_not:
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
            if best[0] < math.inf and self.relocate():
                best = self.fresh_residual(choice.count * fields), best[1]
            residual = self.try_choice(choice)
            if residual >= best[0] / FELL and best[0] < math.inf:  # the larger range did not pay
                again = replace(choice, ranges=best[1].ranges, steep=best[1].steep)
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
            if fell < FELL and (residual < RESOLVED * self.size or fell < SLOW):
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
        """The best features by trials, which are attached, and the residual on fresh points."""
        count = max(40, self.trial_unknowns // sum(map(len, self.network.members)))
        periodic = any(output.periodic for output in self.network.outputs)
        size = len(self.problem.coordinates)
        if self._trained:
            self.relocate()
        found = Trials(self).search(size, count, periodic)
        if not self._trained and found[1] > self.exact and self.relocate():
            found = Trials(self).search(size, count, periodic)
        return found

    def relocate(self) -> bool:
        """Find the places where the residual is concentrated; whether there are any, or were."""
        if self.slab is not None:
            return False
        former = self.places
        batches = draw(self.problem, 1, POOL * len(self.problem.equations), self.seed, FRESH + 7, self.like)
        self.places = Places.found(System(self.model, self.groups, batches, self._scales), self.seed)
        return bool(former or self.places)

    # ------------------------------------------------------------ one solve

    def add(self, choice: Choice, stream: int = 0) -> list[RandomFeatures]:
        """Add features without coefficients to the outputs of every network; another stream has other ones."""
        problem = self.problem
        box = problem.domain.lower.tolist(), problem.domain.upper.tolist()
        logarithmic = [problem.coordinates.index(name) for name in problem.axes.logarithmic]
        seed = self.seed + STREAM * stream
        added = []
        for number, members in enumerate(self.network.members):
            kinds = [(choice.kind, choice.count, choice.ranges, seed, np.zeros((0, 0)))]
            planes = self.places.planes(problem, self.network.outputs[members[0]].part, stream)
            if choice.steep and len(planes):
                half = choice.count // 2
                kinds = [
                    (choice.kind, choice.count - half, choice.ranges, seed, kinds[0][-1]),
                    ("tanh", half, choice.steep, seed + STREAM // 2, planes),
                ]
            for kind, count, ranges, own, through in kinds:
                module = probe(self.network, number, kind, count, ranges, own, box, logarithmic, self.slab, through)
                added.append(module.to(self.like))
                self.network.add(added[-1], number)
        return added

    def system(self, unknowns: int, drawn: int, share: float = 1.0) -> System:
        """The terms at points for so many unknowns, or a share of those; another number has other points."""
        rows, places = share * self.settings.rows, self.places.drawn(fresh=drawn > 0)
        batches = draw(self.problem, unknowns, rows, self.seed, drawn, self.like, self.slab, places)
        return System(self.model, self.groups, batches, self._scales, self.ranks, self._start)

    def missed(self, condition: str) -> float:
        """RMS of the residuals of a condition's samples, as a share of that of the samples."""
        batch = {condition: self.system(self.trial_unknowns, 0).batches[condition]}
        size = max((float(one.square().mean().sqrt()) for one in batch[condition].columns.values()), default=1.0)
        terms = self.groups[condition].terms
        found = System(self.model, self.groups, batch, dict.fromkeys(terms, 1.0)).norm()
        return found / size if size > 0 else found

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
        equations = [one for condition in self.problem.soft_conditions for one in condition.equations]
        plain = all(not callable(one.residual) and is_linear(one.residual) for one in equations)
        return plain and all(output.affine for output in System(self.model, self.groups, {}, {}).network.outputs)
