"""Growth of the number of features from level to level."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Protocol

import torch

from pinnkit.features.attached import Attached, Kept
from pinnkit.features.choice import Choice
from pinnkit.features.level import Level
from pinnkit.features.parts import Shares, of_first_number
from pinnkit.features.settings import FeatureSettings
from pinnkit.networks.fields import FieldNetworks

GROWTH = 1.6
"""Factor on the number of features from level to level."""
FELL = 3.0
"""The factor by which a level must lower the residual on fresh points, or it is the last."""
SLOW = 1.2
"""The same as long as the residual is above a share of that without features."""
RESOLVED = 1e-4
"""That share."""
WAYS = (1.0, 0.0, -1.0)
"""Powers of the density of the features along a line, by which their ranges grow."""
CHEAP = 0.4
"""The share of `features.max_unknowns` up to which levels try all of these."""
RESTS = 0.1
"""The share of the largest residual of a network's equations below which another network does not grow."""


class GrowingSolver(Protocol):
    """What solves with the features of a choice."""

    network: FieldNetworks
    settings: FeatureSettings
    attached: Attached
    ranks: Shares | None
    like: torch.Tensor
    size: float
    choice: Choice
    reason: str
    trained: bool

    @property
    def exact(self) -> float: ...

    def relocate(self) -> bool: ...

    def fresh_residual(self, unknowns: int) -> float: ...

    def residual_by_network(self, unknowns: int) -> list[float]: ...

    def try_choice(self, choice: Choice) -> float: ...


class Growth:
    """Solves with more and more features, from those of a choice.

    Ranges grow as the density of the features along a line does, stay, or shrink by as much. Levels of few features try
    all three, others what paid last, and the rest where that lowers the residual by less than a factor 3. Of several
    networks only those grow whose equations leave a residual near the largest one.
    """

    def __init__(self, solver: GrowingSolver, choice: Choice) -> None:
        self._solver = solver
        self._best: tuple[float, Choice] = math.inf, choice
        self._way = 1.0

    def levels(self, seconds_left: Callable[[], float]) -> Iterator[Level]:
        """Each level's features are attached to the network; the solver's `reason` says why it ended."""
        solver, members = self._solver, self._solver.network.members
        settings, choice = solver.settings, self._best[1]
        if settings.count is not None:
            choice = replace(choice, count=settings.count)
        began, left, fell, tries = time.perf_counter(), seconds_left(), math.inf, 1
        residual = solver.try_choice(choice)
        while True:
            taken = time.perf_counter() - began
            each = (left - seconds_left()) / tries  # by the clock that it ends by; not a number without an end
            self._best = min(self._best, (residual, choice), key=lambda one: one[0])
            solver.choice = choice
            text = f"{choice}: residual {residual:.2e} in {taken:.1f} s"
            yield Level(choice.count, choice.unknowns(members), residual, text)
            if settings.count is not None:
                solver.reason = f"features.count is {settings.count}"
            elif residual <= solver.exact:
                solver.reason = "the residual is that of rounding"
            elif fell < FELL and (residual < RESOLVED * solver.size or fell < SLOW):
                solver.reason = "more features do not lower the residual on fresh points"
            elif self._larger(choice, 0).unknowns(members) > settings.max_unknowns:
                solver.reason = f"features.max_unknowns is {settings.max_unknowns}"
            elif seconds_left() < of_first_number(each, solver.ranks, solver.like) * GROWTH**3:
                solver.reason = "the time left is too short for more features"
            else:
                began, left = time.perf_counter(), seconds_left()
                residual, choice, fell, tries = self._grown(choice)
                continue
            break
        solver.choice = self._best[1]
        if self._best[1] != choice:
            solver.try_choice(self._best[1])

    def _grown(self, choice: Choice) -> tuple[float, Choice, float, int]:
        """The residual of more features, these, the factor by which it fell, and the number of solves."""
        solver = self._solver
        if solver.relocate():
            self._best = solver.fresh_residual(choice.unknowns(solver.network.members)), self._best[1]
        former = self._best[0]
        unknowns = self._larger(choice, 0).unknowns(solver.network.members)
        cheap = not solver.trained and unknowns <= CHEAP * solver.settings.max_unknowns  # a correction is short of time
        found: list[tuple[float, Choice, Kept, float]] = []
        for way in sorted(WAYS, key=lambda one: abs(one - self._way)):
            if found and not cheap and found[0][0] < former / FELL:
                break
            other = self._larger(choice, way)
            found.append((solver.try_choice(other), other, solver.attached.kept(), way))
        residual, choice, kept, self._way = min(found, key=lambda one: one[0])
        if len(found) > 1:
            solver.attached.put(kept)
        return residual, choice, former / residual if residual > 0 else math.inf, len(found)

    def _larger(self, choice: Choice, way: float) -> Choice:
        """More features of the networks that need them, with ranges that grow by a power of their density."""
        following = choice.larger(GROWTH)
        members = self._solver.network.members
        if len(members) > 1:
            sizes = self._solver.residual_by_network(choice.unknowns(members))
            rests = [0 < size < RESTS * max(sizes) for size in sizes]
            numbers = [choice.number(index) * (1 if rest else GROWTH) for index, rest in enumerate(rests)]
            following = replace(following, count=math.ceil(max(numbers)))
            following = replace(following, shares=tuple(one / max(numbers) for one in numbers))
        ranges, steep, inverted = (
            tuple(one * (other / one) ** way for one, other in zip(own, larger, strict=True))
            for own, larger in (
                (choice.ranges, following.ranges),
                (choice.steep, following.steep),
                (choice.inverted, following.inverted),
            )
        )
        return replace(following, ranges=ranges, steep=steep, inverted=inverted)
