"""Changes of a slab's width and features by which less is left of its residual."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from pinnkit.features.attached import Attached, Kept
from pinnkit.features.choice import Choice
from pinnkit.features.slab import Slab
from pinnkit.features.tangent import moved

log = logging.getLogger(__name__)

LARGER = 1.5
"""Factor on the number of features."""
BENDS = 1.5
"""Factor on the ranges along a coordinate."""
STEEP = (12.0, 48.0)
"""Ranges in space of features through places where the residual is large that are tried first."""
SLOW = 0.5
"""The range in time of such features, as a share of that of the others."""
PAYS, PAYS_FREE = 2.0, 1.5
"""The factor by which a change must lower the residual, and one that costs nothing."""
COSTS = 2.5
"""The power of the number of features by which the seconds of a slab grow."""
WORSE, MUCH_WORSE = 1.5, 3.0
"""The factor by which more must be left than where a change of ranges has failed, for it to be tried again; and where
there are many unknowns, and it has never paid."""
CHEAP = 0.2
"""The share of `features.max_unknowns` up to which there are few, so that all are tried again where width or number
have changed."""
SMALLEST = 0.25
"""The smallest range: with smaller ones features are so alike that rounding is what is left."""


class SlabSolver(Protocol):
    """The least-squares problems of a slab."""

    slab: Slab | None
    size: float
    attached: Attached

    def measure(self) -> None: ...

    def search(self, seconds_left: Callable[[], float] = ...) -> tuple[Choice, float]: ...

    def relocate(self) -> bool: ...

    def spread(self) -> None: ...

    def try_choice(
        self, choice: Choice, warm: bool = True, *, least: float = math.inf, enough: float = 0.0
    ) -> float: ...


@dataclass(frozen=True)
class Attempt:
    """A slab that is solved.

    Attributes:
        residual: on fresh points.
        kept: the features, which need not be attached any more.
        seconds: that it took; not a number where there is no limit.
    """

    part: SlabSolver
    width: float
    choice: Choice
    residual: float
    kept: Kept
    seconds: float = math.nan

    @property
    def relative(self) -> float:
        """The residual as a share of that without features."""
        return self.residual / self.part.size if self.part.size > 0 else self.residual

    def attach(self) -> None:
        """Let the network have its features."""
        self.part.attached.put(self.kept)


@dataclass(frozen=True)
class Tried:
    """Changes of ranges that were tried.

    Attributes:
        paid: how often each has paid.
        failed: what was left, as a share of the residual without features, where one did not pay.
    """

    paid: Counter[str] = field(default_factory=Counter)
    failed: dict[str, float] = field(default_factory=dict)


def in_width(choice: Choice, axis: int, factor: float) -> Choice:
    """Features for slabs that are wider by a factor."""
    ranges = list(choice.ranges)
    ranges[axis] = max(factor**0.5 * ranges[axis], SMALLEST)
    return replace(choice, ranges=tuple(ranges))


class Adaptation:
    """Changes an attempt at a slab until its residual is small enough, or no change pays.

    Ranges along each coordinate and steep features where the residual is large come first, as they cost nothing; then
    half the width, or half as many features more, whichever lowers the residual more for its work.

    Args:
        part: the least-squares problems of a slab of a width; those of the slab before stay attached.
        axis: the index of t.
        members: the fields of each network.
        widths: the narrowest slab, and what the slabs from here on have to fill.
        most: work of the slabs from here on at most, in cubes of unknowns.
        pace: the share of the seconds left that they may take.
        unknowns: coefficients of a slab at most; 0: features are given.
        fixed: whether the width is given.
        ranges: whether ranges may change.
        tried: changes of ranges on this slab and those before, which is kept up to date.
        seconds_left: not all that pays is done where time ends first.
    """

    def __init__(
        self,
        part: Callable[[float], SlabSolver],
        axis: int,
        members: Sequence[Sequence[int]],
        widths: tuple[float, float],
        most: float,
        pace: float,
        unknowns: int,
        fixed: bool,
        ranges: bool,
        tried: Tried,
        seconds_left: Callable[[], float],
    ) -> None:
        self._part, self._axis, self._members = part, axis, members
        self._narrowest, self._left = widths
        self._most, self._pace, self._unknowns, self._fixed, self._ranges = most, pace, unknowns, fixed, ranges
        self._tried, self._seconds_left = tried, seconds_left

    def first(self, width: float, choice: Choice, enough: float) -> Attempt:
        """The slab from its guess."""
        before = self._seconds_left()
        part = self._part(width)
        if choice.steep:
            part.relocate()
        residual = part.try_choice(choice, warm=False, enough=enough * part.size)
        return Attempt(part, width, choice, residual, part.attached.kept(), before - self._seconds_left())

    def improved(self, best: Attempt, limit: float, enough: float) -> Attempt:
        """The attempt with the changes that pay, which is attached."""
        while best.relative > limit and self._seconds_left() > 0:
            found = self._by_ranges(best, enough) or self._by_work(best, enough)
            if found is None:
                break
            best = found
            log.debug("features: slab of %.3g: %s: %.1e is left", best.width, best.choice, best.relative)
        best.attach()
        return best

    def _by_ranges(self, best: Attempt, enough: float) -> Attempt | None:
        """The first attempt with other ranges that pays, those first that paid before."""
        free = dict(self._free(best)) if self._ranges else {}
        tried, dear = self._tried, not self._cheap(best.choice)
        for name in sorted(free, key=lambda one: -tried.paid[one]):
            worse = MUCH_WORSE if dear and not tried.paid[name] else WORSE
            if best.relative < worse * tried.failed.get(name, 0.0):
                continue
            if self._seconds_left() - self._all(best.width, best.seconds) < best.seconds:
                break  # the time is needed for the slabs to come
            other = self._attempt(best, best.width, free[name], enough)
            if other.residual < best.residual / PAYS_FREE:
                tried.paid[name] += 1
                return other
            tried.failed[name] = best.relative
        return None

    def _by_work(self, best: Attempt, enough: float) -> Attempt | None:
        """The attempt with half the width or more features that lowers the residual more for its work."""
        paying = []
        for width, choice in self._dearer(best):
            seconds = best.seconds * (choice.count / best.choice.count) ** COSTS
            if self._all(width, seconds) > self._pace * self._seconds_left():
                continue
            other = self._attempt(best, width, choice, enough)
            if other.relative < best.relative / PAYS:
                paying.append(other)
        found = max(paying, key=lambda one: self._gain(best, one), default=None)
        if found is not None and self._cheap(found.choice):
            self._tried.failed.clear()
        return found

    def _cheap(self, choice: Choice) -> bool:
        """Whether a solve with the features of a choice takes little time."""
        return choice.unknowns(self._members) <= CHEAP * self._unknowns

    def _all(self, width: float, seconds: float) -> float:
        """Seconds of all slabs to come."""
        return (self._left / width - 1) * seconds

    def _attempt(self, best: Attempt, width: float, choice: Choice, enough: float) -> Attempt:
        """Another attempt, which begins with the state that the best one found."""
        part, before = best.part, self._seconds_left()
        if width != best.width:
            part.attached.put([])
            part = self._part(width)
        assert part.slab is not None
        kept = [(moved(module, part.slab), group) for module, group in best.kept]
        if choice.steep and (width != best.width or not best.choice.steep):
            part.attached.put(kept)
            part.relocate()
        elif not choice.steep:
            part.spread()
        part.attached.put(kept)
        least = best.relative / PAYS_FREE * part.size
        residual = part.try_choice(choice, least=least, enough=enough * part.size)
        return Attempt(part, width, choice, residual, part.attached.kept(), before - self._seconds_left())

    def _free(self, best: Attempt) -> Iterator[tuple[str, Choice]]:
        """Name and choice of as many features with other ranges."""
        choice, axis = best.choice, self._axis
        size = len(choice.ranges)
        space = [index for index in range(size) if index != axis]
        if space and not choice.steep:
            for value in STEEP:
                ranges = [value] * size
                ranges[axis] = SLOW * choice.ranges[axis]
                yield f"steep {value}", replace(choice, steep=tuple(ranges))
        for key in ("steep", "ranges") if choice.steep else ("ranges",):
            for label, indices in (("space", space), ("time", [axis])):
                for factor in (BENDS, 1 / BENDS) if indices else ():
                    ranges = list(getattr(choice, key))
                    for index in indices:
                        ranges[index] *= factor
                    if min(ranges) >= SMALLEST:
                        changed = {"ranges": choice.ranges, "steep": choice.steep, key: tuple(ranges)}
                        other = replace(choice, ranges=changed["ranges"], steep=changed["steep"])
                        yield f"{key} {label} {factor}", other

    def _dearer(self, best: Attempt) -> Iterator[tuple[float, Choice]]:
        """Width and choice of more work that is allowed."""
        options = []
        if self._unknowns and best.choice.larger(LARGER).unknowns(self._members) <= self._unknowns:
            options.append((best.width, best.choice.larger(LARGER)))
        if not self._fixed and best.width / 2 >= self._narrowest:
            options.append((best.width / 2, in_width(best.choice, self._axis, 0.5)))
        for one in options:
            if self._work(*one) <= self._most:
                yield one

    def _work(self, width: float, choice: Choice) -> float:
        """Work of the slabs from here on: the third power of the unknowns of each."""
        return self._left / width * float(choice.unknowns(self._members)) ** 3

    def _gain(self, best: Attempt, other: Attempt) -> float:
        """Digits for each factor of work."""
        work = self._work(other.width, other.choice) / self._work(best.width, best.choice)
        return math.log(best.relative / max(other.relative, 1e-300)) / max(math.log(work), 0.1)
