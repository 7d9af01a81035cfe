"""Trials: solves with features of one kind, range and number, and the search for the best on fresh points."""

from __future__ import annotations

import copy
import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch

from pinnkit.engines.model import Model
from pinnkit.features.least_squares import Shares
from pinnkit.features.linearise import Expansion
from pinnkit.features.newton import System, expansions_of, newton
from pinnkit.features.points import draw, probe, scales
from pinnkit.features.settings import FeatureSettings
from pinnkit.features.slab import Slab
from pinnkit.features.start import Start
from pinnkit.losses.residuals import TermGroup
from pinnkit.networks.features import RandomFeatures

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
ROUNDING = 3e-14
"""The share of the first residual that is taken for rounding."""
STREAM = 1000
"""Seeds between two independent sets of features."""
FRESH = 2**29
"""The number of the draw of points that no solve has seen."""


@dataclass(frozen=True)
class Choice:
    """What features are drawn: kind, range along each coordinate, and how many."""

    kind: str
    ranges: tuple[float, ...]
    count: int

    def __str__(self) -> str:
        ranges = sorted(set(self.ranges))
        shown = f"{ranges[0]:.3g}" if len(ranges) == 1 else ", ".join(f"{one:.3g}" for one in self.ranges)
        return f"{self.count} {self.kind} features with weights up to {shown}"


@dataclass(frozen=True)
class Level:
    """The state after a growth.

    Attributes:
        count: features of each field.
        unknowns: coefficients in all.
        residual: on fresh points, by the terms' scales.
        text: of the log.
    """

    count: int
    unknowns: int
    residual: float
    text: str


class Trials:
    """Solves a problem, or a slab of it, by random features and least squares.

    Args:
        model: whose network has `Zero` networks, to which features are added.
        groups: its terms by the points that they share.
        ranks: processes that share the rows.
        slab: the part of the time that is solved for; None: all of it. Features that are there already stay.
        start: what the slab continues.
        guess: features, and the networks that they belong to, of the state from which Newton's method begins.
    """

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
        guess: Sequence[tuple[RandomFeatures, int]] = (),
    ) -> None:
        self.model, self.groups, self.settings, self.seed, self.ranks = model, groups, settings, seed, ranks
        self.problem = model.problem
        self.linear = self.problem.linear and not self.problem.learned and self._linear_conditions()
        self.slab, self.start, self.guess = slab, start, guess
        self.like = like if like is not None else torch.zeros(1, dtype=torch.float64)
        self.network = System(model, groups, {}, {}).network
        self._others = set(self.network.expansions) if slab is not None else set()
        self._trial = TRIAL_UNKNOWNS.get(len(self.problem.coordinates), TRIAL_UNKNOWNS_MORE)
        batches = draw(self.problem, self._trial, settings.rows, seed, FRESH, self.like, slab)
        self._scales = scales(model, groups, batches, settings.conditions_weight, seed, slab)
        with torch.no_grad():
            self.size = self.fresh_residual(self._trial)
            """The residual of the state without features."""

    @property
    def fields(self) -> int:
        """Outputs of all networks."""
        return sum(map(len, self.network.members))

    @property
    def own(self) -> list[Expansion]:
        """The features that are solved for."""
        return [one for one in expansions_of(self.network) if one.module not in self._others]

    def clear(self) -> None:
        """Take its features away."""
        self.network.remove([one.module for one in self.own])

    def kept(self) -> list[tuple[RandomFeatures, int]]:
        """Copies of its features, each with the network that it belongs to."""
        pairs = zip(self.network.expansions, self.network.expanded, strict=True)
        return [(copy.deepcopy(module), group) for module, group in pairs if module not in self._others]

    def put(self, kept: Sequence[tuple[RandomFeatures, int]]) -> None:
        """Have these features, and no others of its own."""
        self.clear()
        for module, group in kept:
            self.network.add(copy.deepcopy(module), group)

    @property
    def exact(self) -> float:
        """The residual that rounding leaves, by that of the state without features."""
        return ROUNDING * self.size

    # ------------------------------------------------------------ trials

    def search(self) -> tuple[Choice, float]:
        """Kind and ranges by trials with few features; the best one's are attached."""
        count = max(40, self._trial // self.fields)
        size = len(self.problem.coordinates)
        tried: dict[Choice, float] = {}
        kept: list[tuple[RandomFeatures, int]] = []

        def trial(choice: Choice) -> float:
            if choice not in tried:
                self.put(kept)
                least = min(tried.values(), default=math.inf)
                tried[choice] = self.solve(choice, warm=bool(kept), steps=TRIAL_STEPS if kept else None, least=least)
                if tried[choice] < least:
                    kept[:] = self.kept()
                log.debug("trial: %s: residual %.2e", choice, tried[choice])
            return tried[choice]

        choices = [Choice(kind, (value,) * size, count) for kind, value in self._first()]
        best = choices[0]
        for one in choices:
            if trial(one) < trial(best):
                best = one
            if trial(best) <= self.exact:
                break
        if self.settings.range is None and trial(best) > self.exact:
            best = self._refined(best, trial)
        self.put(kept)
        return best, trial(best)

    def _first(self) -> list[tuple[str, float]]:
        """Kinds and ranges that are tried first."""
        periodic = any(output.periodic for output in self.network.outputs)
        first = [one for one in FIRST if one[0] == "sin" or not periodic]
        if self.settings.kind != "auto":
            first = [one for one in first if one[0] == self.settings.kind] or [(self.settings.kind, 4.0)]
        if self.settings.range is not None:
            first = list(dict.fromkeys((kind, self.settings.range) for kind, _ in first))
        return first

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
        return System(self.model, self.groups, batches, self._scales, self.ranks, self.start)

    def fresh_residual(self, unknowns: int) -> float:
        """The residual on points that no solve has seen."""
        return self.system(unknowns, FRESH, share=0.5).norm()

    def solve(self, choice: Choice, warm: bool = False, steps: int | None = None, least: float = math.inf) -> float:
        """Solve with features of a choice, which take the place of those there are; the residual on fresh points.

        Args:
            warm: begin with the state that there is; else with the guess.
            least: the residual that others left: a trial ends early where it cannot come near.
        """
        if not warm or self.linear:
            self.put([] if self.linear else self.guess)
        replaced = self.own
        added = set(self.add(choice))
        unknown = [one for one in self.own if one.module in added]
        unknowns = sum(one.size for one in unknown)
        steps = steps or self.settings.newton_steps
        with torch.no_grad():
            self.last = newton(self.system(unknowns, 0), unknown, steps, self.linear, replaced, HOPELESS * least)
            self.network.remove([one.module for one in replaced if not bool(one.module.coefficients.any())])
            return self.fresh_residual(unknowns)

    def _linear_conditions(self) -> bool:
        """Whether the conditions are linear too, and each field an affine function of the network's output."""
        from pinnkit.language.linear import is_linear

        equations = [one for condition in self.problem.soft_conditions for one in condition.equations]
        plain = all(not callable(one.residual) and is_linear(one.residual) for one in equations)
        return plain and all(output.affine for output in System(self.model, self.groups, {}, {}).network.outputs)
