"""Features that solve a problem by themselves: their kind, range and number are found by trials on fresh points."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import torch

from pinnkit.engines.model import Model
from pinnkit.features.attached import Attached, Kept
from pinnkit.features.choice import Choice
from pinnkit.features.continuation import followed
from pinnkit.features.correction import corrected
from pinnkit.features.deadline import Deadline
from pinnkit.features.deflation import FarFromKnown, Known
from pinnkit.features.growth import Growth
from pinnkit.features.holes import any_holes
from pinnkit.features.judge import Judge
from pinnkit.features.level import Level
from pinnkit.features.made import made
from pinnkit.features.newton import newton
from pinnkit.features.parts import Shares, of_first
from pinnkit.features.places import concentrated
from pinnkit.features.points import FRESH, draw, scales
from pinnkit.features.settings import FeatureSettings
from pinnkit.features.slab import Slab, initial_value_problem
from pinnkit.features.start import Start
from pinnkit.features.supported import all_linear, check_pointwise, fields_read
from pinnkit.features.system import System
from pinnkit.features.trials import Trials
from pinnkit.features.windows import Windows
from pinnkit.losses.residuals import TermGroup
from pinnkit.networks.features import RandomFeatures
from pinnkit.networks.fields import Zero
from pinnkit.problem.groups import is_equations
from pinnkit.sampling.point_set import PointSet

log = logging.getLogger(__name__)

TRIAL_UNKNOWNS = {1: 150, 2: 450}
"""Coefficients in all of a trial, by the number of coordinates."""
TRIAL_UNKNOWNS_MORE = 600
"""The same in more of them."""
ROUNDING = 3e-14
"""The share of the first residual that is taken for rounding."""
HOPELESS = 3.0
"""A trial ends where its linearised residual is this multiple of the least one so far."""
STUCK = 1e-4
"""The share of the first residual above which the trials failed, so that slabs of time are the next thing."""
KEPT_BACK = 0.8
"""The share of the time that trials leave, where a network was trained."""
POOL = 8192
"""Points among which places are looked for."""


class FeatureSolver:
    """Solves a problem by random features and least squares.

    Args:
        model: whose network has `Zero` networks, to which features are added.
        groups: its terms by the points that they share.
        ranks: processes that share the rows.
        slab: the part of the time that is solved for, where features that are there already stay; None: all of it.
        start: what the slab continues.
        known: solutions that Newton's method leaves.
        guesses: states, as features; Newton's method begins with the one that leaves the smallest residual.

    Attributes:
        reason: why it ended.
        choice: the features that are attached.
        trial_unknowns: coefficients in all of a trial.
        trained: whether a trained network is corrected.
        holed: whether coordinates can be inverted at round holes.
        guess: the state with which Newton's method begins, once it is measured; (): zero.
        slabs: of time that are solved, with the features of each and what they leave; []: one window.
        judge: of answers, by fresh points.
        places: points of each group where the residual is large, or a trained field is steep.
        scales: term -> the factor on its residuals.
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
        guesses: Sequence[Kept] = (),
        known: Sequence[Known] = (),
    ) -> None:
        self.model, self.groups, self.settings, self.seed, self.ranks = model, groups, settings, seed, ranks
        self.slab, self._start, self._guesses, self.known = slab, start, guesses, known
        self.guess: Kept = ()
        self.problem, self.network = model.problem, System(model, groups, {}, {}).network
        self.linear = all_linear(self.problem, self.network)
        self.holed = any_holes(self.problem, self.network)
        self.reason, self.size = "", 0.0
        self.like = like if like is not None else torch.zeros(1, dtype=torch.float64)
        self.attached = Attached(self.network, slab is not None)
        self.deadline = Deadline(self.attached, model.learned)
        self.check = self.deadline.check
        self.slabs: list[tuple[Slab, Choice, float]] = []
        self.trained = not all(isinstance(one, Zero) for one in self.network.networks)
        self.judge = Judge(self)
        self.places: dict[str, PointSet] = {}
        self.trial_unknowns = TRIAL_UNKNOWNS.get(len(self.problem.coordinates), TRIAL_UNKNOWNS_MORE)
        batches = draw(self.problem, self.trial_unknowns, settings.rows, seed, FRESH, self.like, slab=slab)
        self.scales = scales(model, groups, batches, settings.conditions_weight, seed, slab)

    @property
    def exact(self) -> float:
        """The residual that rounding leaves, by that of the state without features."""
        return ROUNDING * self.size

    @property
    def located(self) -> bool:
        """Whether the residual is concentrated somewhere."""
        return bool(self.places)

    def search(self, seconds_left: Callable[[], float] = lambda: math.inf) -> tuple[Choice, float]:
        """The best features by trials, which are attached, and the residual on fresh points."""
        if self.trained:
            self.relocate()
        count = max(40, self.trial_unknowns // sum(map(len, self.network.members)))
        periodic = any(output.periodic for output in self.network.outputs)
        found = Trials(self, seconds_left).search(len(self.problem.coordinates), count, periodic)
        if not self.trained and self.slab is None and seconds_left() > 0 and self.relocate():
            found = Trials(self, seconds_left).search(len(self.problem.coordinates), count, periodic)
        return found

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
        """Solve with more and more features; each level's are attached, and at the end of the time the best."""

        def ended(choice: Choice) -> None:
            self.choice, self.reason = choice, "the time left ended"

        return self.deadline.levels(self._levels(seconds_left), seconds_left, ended)

    def _levels(self, seconds_left: Callable[[], float]) -> Iterator[Level]:
        self._check_pointwise()
        self.measure()
        if self.settings.windows is not None and self.settings.windows > 1 and not self.trained:
            yield from self._in_slabs(seconds_left)
            return
        kept_back = KEPT_BACK * seconds_left() if self.trained else 0.0
        choice, residual = self.search(lambda: seconds_left() - kept_back)
        log.info("features: %s are the best of the trials (residual %.2e)", choice, residual)
        if residual > STUCK * self.size and self._divisible():
            kept = self.attached.kept()
            yield from self._in_slabs(seconds_left, residual / self.size)
            if self.slabs and self.fresh_residual(self.trial_unknowns) < residual:
                return
            log.info("features: one window leaves less than slabs of time do")
            self.slabs = []
            self.attached.put(kept)
        elif self.trained and not initial_value_problem(self.problem) and corrected(self, seconds_left):
            self.reason = f"{len(self.slabs)} slabs of time are corrected"
            return
        elif residual > STUCK * self.size and not self.linear and not self.trained:
            choice, residual = followed(self, choice, residual, seconds_left)
        yield from Growth(self, choice).levels(seconds_left)

    def _check_pointwise(self) -> None:
        """Refuse residuals in Python that mix points, by a state that varies from point to point."""
        if any(group.callables for group in self.groups.values()):
            added = self.add(Choice("sin", (2.0,) * len(self.problem.coordinates), 8))
            with torch.no_grad():
                for one in added:
                    one.coefficients.fill_(1.0)
                check_pointwise(self.system(self.trial_unknowns, FRESH, share=0.5), self.groups)
            self.network.remove(added)

    def measure(self) -> None:
        """Find the residual of the present state, by which others are judged."""
        with torch.no_grad():
            self.size, least = self.fresh_residual(self.trial_unknowns), math.inf
            for guess in self._guesses:
                self.attached.put(guess)
                residual = self.fresh_residual(self.trial_unknowns)
                if residual < least:
                    self.guess, least = guess, residual
                self.attached.put([])

    def _divisible(self) -> bool:
        """Whether to go on with slabs of time."""
        if self.linear or self.trained or self.settings.windows is not None:
            return False
        return not initial_value_problem(self.problem)

    def _in_slabs(self, seconds_left: Callable[[], float], bound: float = math.inf) -> Iterator[Level]:
        """Solve slab by slab, as long as these leave less than a share of the first residual."""
        log.info("features: slabs of time, each of which starts from the end of the one before")
        self.attached.put([])
        windows = Windows(self.part, self.network, self.settings, self.problem, self.like, self.seed, bound)
        for level in windows.levels(seconds_left):
            self.deadline.keep(math.inf, windows.choice)  # with which later slabs may end
            yield level
        self.reason, self.choice, self.slabs = windows.reason, windows.choice, windows.solved

    def part(self, slab: Slab, start: Start | None, guesses: Sequence[Kept]) -> FeatureSolver:
        """The solver of a slab of time."""
        arguments = self.model, self.groups, self.settings, self.seed, self.ranks, self.like
        found = FeatureSolver(*arguments, slab, start, guesses, self.known)
        found.places, found.check = self.judge.places, self.check
        return found

    def add(self, choice: Choice, stream: int = 0) -> list[RandomFeatures]:
        """Add features without coefficients to the outputs of every network; another stream has other ones."""
        added = made(self.network, self.problem, choice, self.seed, stream, self.places, self.slab)
        for module, number in added:
            self.network.add(module.to(self.like), number)
        return [module for module, _ in added]

    def relocate(self) -> bool:
        """Find the places where the residual is large, if it is concentrated; whether that changed anything."""
        former = self.places
        self.spread()
        if self.slab is not None and not self.attached.expansions:
            self.attached.put(self.guess)
        pool = POOL if self.slab is None else POOL // 4
        rows = pool * len(self.problem.equations)
        batches = draw(self.problem, 1, rows, self.seed, FRESH + 7, self.like, slab=self.slab)
        equations = {name: batch for name, batch in batches.items() if is_equations(name)}
        self.places = concentrated(System(self.model, self.groups, equations, self.scales, self.ranks), self.seed)
        return bool(former or self.places)

    def spread(self) -> None:
        """Forget those places."""
        self.places = {}

    def system(self, unknowns: int, drawn: int, share: float = 1.0) -> System:
        """The terms at points for so many unknowns, or a share of those; another number has other points."""
        places = self.places
        if drawn:  # other ones than those of the solve
            places = {name: one.take(slice(None, None, -1)) for name, one in places.items()}
        where = self.seed, drawn, self.like, places, self.slab
        batches = draw(self.problem, unknowns, share * self.settings.rows, *where)
        known = None if drawn else FarFromKnown.at(self.network, self.known, batches)
        return System(self.model, self.groups, batches, self.scales, self.ranks, self._start, None, self.check, known)

    def fresh_residual(self, unknowns: int) -> float:
        """The residual on points that no solve has seen."""
        return self.system(unknowns, FRESH, share=0.5).norm()

    def residual_by_network(self, unknowns: int) -> list[float]:
        """The same of the equations that read a field of each network; 0: none does."""
        system = self.system(unknowns, FRESH, share=0.5)
        squares = {term: (system.scales[term] * one).square().mean() for term, one in system.residuals().items()}
        sizes = dict(zip(squares, of_first(torch.stack([*squares.values()]), self.ranks).tolist(), strict=True))
        read = fields_read(self.problem)
        names = [one.name for one in self.problem.fields]
        return [
            math.sqrt(sum(sizes[term] for term, own in read.items() if own & {names[index] for index in fields}))
            for fields in self.network.members
        ]

    def try_choice(
        self, choice: Choice, warm: bool = True, steps: int | None = None, *, least: float = math.inf, enough: float = 0
    ) -> float:
        """Solve with features of a choice, which take the place of those there are; the residual on fresh points.

        Args:
            warm: begin with the state that there is; else with the guess.
            least: the residual that others left: what cannot come near it ends early.
            enough: the residual at which it ends.
        """
        if not warm or self.linear:
            self.attached.put([] if self.linear else self.guess)
        replaced = self.attached.expansions
        added = set(self.add(choice))
        unknown = [one for one in self.attached.expansions if one.module in added]
        unknowns = sum(one.size for one in unknown)
        steps = steps or self.settings.newton_steps
        with torch.no_grad():
            system = self.system(unknowns, 0)
            newton(system, unknown, steps, self.linear, replaced, HOPELESS * least, enough)
            self.network.remove([one.module for one in replaced if not bool(one.module.coefficients.any())])
            found = math.inf if system.found_again else self.fresh_residual(unknowns)
        if self.slab is None:  # a slab ends with the solver of all of them
            self.deadline.keep(found, choice)
        return found
