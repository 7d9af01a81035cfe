"""Settings of collocation points: what all samplers share, and their registry."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from pinnkit.registry import Registry
from pinnkit.sampling.generators import generator

SAMPLERS = Registry("sampler", "pinnkit.sampling.sequences", tag="method", default="sobol")

FRESH = 350
"""Points of the equations in a step that has its own, and at most as many of each condition. In five dimensions the
boundary has ten faces: with 500 and 200 its error was the larger part of Poisson's."""
CONDITIONS = 400
"""Points of each condition."""
LARGEST = 1_000_000_000
"""Points at most: a Sobol sequence of 30 bits has no more."""
SETTLED = 20
"""From so many draws on, each goes on for a share 1 / SETTLED of all steps before it."""
DOUBLINGS = 2
"""How often the points of a run grow where their number is not given. Many short steps come first: with few points a
run of a minute or two gets further."""
POWER, LATE_POWER = 0.5, 0.75
"""k of the redraws by residual, early and late in a run."""
REDRAWS = ("rad", "rar_d", "r3")
RAR_D_POWER = 2.0
"""k of RAR-D by default, as in its paper, where c is 0."""
LATE = 2
"""The draw from which on it is late, in multiples of `doubling_draws`."""


@dataclass(frozen=True)
class Sampling(ABC):
    """How many collocation points, and when they are drawn anew; a sampler says which points of the unit cube.

    Attributes:
        name: the sampler's name, `sampling.method`.
        fixed: whether the points depend on their number alone: they are not redrawn by residual, and a part of them is
            spread evenly over all, where that of a sequence is its first points.
    """

    name: ClassVar[str]
    fixed: ClassVar[bool] = False

    equations: int | None = field(default=None, metadata={"minimum": 1, "maximum": LARGEST})
    """Points of the equations; None: 512 in one coordinate, 2048 in two, 4096 in more."""
    equations_by_residual: int | None = field(default=None, metadata={"minimum": 1, "maximum": LARGEST})
    """The same where they are redrawn by residual; None: `equations`, and twice as many where that is None."""
    equations_doublings: int | None = field(default=None, metadata={"minimum": 0, "maximum": 20})
    """How often points redrawn by residual double, each time after `doubling_draws` draws; None: twice where
    `equations` is None, and never otherwise."""
    conditions: int | None = field(default=None, metadata={"minimum": 1, "maximum": LARGEST})
    """Points of each condition (one where the condition holds at a single point); in a step with points of its own at
    most as many as of the equations. None: 400."""
    conditions_doublings: int | None = field(default=None, metadata={"minimum": 0, "maximum": 20})
    """As `equations_doublings`; None: twice where `conditions` is None, and never otherwise."""
    doubling_draws: int = field(default=40, metadata={"minimum": 1})
    """Draws, counted as if all were equally long, between two doublings (with 250 steps each: steps 10,000, 20,000)."""
    redraw_every: int | None = field(default=250, metadata={"minimum": 1})
    """Optimizer steps between draws of new points, as long as `trainer.max_time` leaves time for so many; None: the
    first points stay. Points of the equations by residual stay longer the longer the run: a twentieth of its steps."""
    redraw: str = field(default="rad", metadata={"choices": REDRAWS})
    """How points follow the residual. rad: once it is concentrated, most points stay and the others are drawn by a
    density; rar_d: from the first redraw on points are added by this density, and all of the start stay; r3: those of
    more than the mean residual stay, and the others are drawn anew, evenly."""
    added: float = field(default=0.25, metadata={"above": 0.0, "maximum": 2.0})
    """rar_d: points that a redraw adds, as a multiple of those at the start."""
    added_most: float = field(default=1.0, metadata={"above": 0.0, "maximum": 1000.0})
    """rar_d: added points in all, as the same multiple; from then on the oldest of them go."""
    residual_power: float | None = field(default=None, metadata={"minimum": 0.0})
    """k of the redraws of the equations' points, or of a condition's (not data, not single points), once the residual
    there has been concentrated: density ~ |r|^k / mean |r|^k + c; 0: never; None: 1/2 (2 for rar_d)."""
    residual_power_late: float | None = field(default=None, metadata={"minimum": 0.0})
    """The same from the draw 2 * `doubling_draws` on; None: `residual_power`, and 3/4 where that is None and for rad.
    With 1/2 the kink in the initial condition of Allen and Cahn's equation still has so few of the points that it opens
    between them (within a draw the error rose from 1e-6 to 6e-6)."""
    residual_floor: float | None = field(default=None, metadata={"minimum": 0.0})
    """c of that density: the share of points that is spread evenly; None: 1 (0 for rar_d)."""
    residual_keep: float = field(default=0.75, metadata={"minimum": 0.0, "below": 1.0})
    """The share of former points in such a redraw, at most: where the last points have made the residual small there
    would else be none, and it would grow again."""
    pool: int = field(default=8, metadata={"minimum": 2, "maximum": 10_000})
    """Candidates of a redraw by residual, as a multiple of its points."""
    batch: int | None = field(default=None, metadata={"minimum": 1, "maximum": LARGEST})
    """Points of the equations in each step of methods that take mini-batches; None: all, and `fresh` new ones in a step
    of spring."""
    fresh: int = field(default=FRESH, metadata={"minimum": 1, "maximum": LARGEST})
    """Points of the equations in a step of spring where `batch` is None; at most as many as of the equations."""

    @abstractmethod
    def unit(self, count: int, dimension: int, rng: np.random.Generator) -> np.ndarray:
        """Points of the unit cube, (count, dimension), both at least 1; every random number comes from `rng`."""

    def unit_points(self, count: int, dimension: int, seed: int, stream: str, draw: int = 0) -> np.ndarray:
        """Points of the unit cube, (count, dimension): a pure function of its arguments."""
        if dimension == 0:
            return np.zeros((count, 0))
        return self.unit(count, dimension, generator(seed, stream, draw))

    def part(self, points: np.ndarray, count: int) -> np.ndarray:
        """`count` of the points, spread as all are."""
        return points[even_indices(len(points), count)] if self.fixed else points[:count]

    def count(self, dimension: int) -> int:
        """Points of the equations in that many coordinates."""
        return self.equations or {1: 512, 2: 2048}.get(dimension, 4096)

    def fresh_points(self) -> Sampling:
        """The same for a method that has new points, and few of them, in each step."""
        equations = self.batch or min(self.equations or self.fresh, self.fresh)
        return replace(self, equations=equations, conditions=min(self.of_condition, equations))

    @property
    def of_condition(self) -> int:
        """Points of a condition."""
        return self.conditions or CONDITIONS

    def count_by_residual(self, dimension: int, draw: int) -> int:
        """Points of the equations where they are redrawn by residual: fewer leave Burgers' equation with the noise of
        its redraws."""
        first = self.equations_by_residual or self.equations or 2 * self.count(dimension)
        return first * self._growth(draw, self.equations_doublings, self.equations)

    def conditions_growth(self, draw: int) -> int:
        """How many times the points of a condition there are in a draw by residual."""
        return self._growth(draw, self.conditions_doublings, self.conditions)

    def power(self, draw: int) -> float:
        """k of a redraw by residual."""
        usual = RAR_D_POWER if self.redraw == "rar_d" else POWER
        early = usual if self.residual_power is None else self.residual_power
        if draw < LATE * self.doubling_draws:
            return early
        if self.residual_power_late is not None:
            return self.residual_power_late
        return LATE_POWER if self.residual_power is None and self.redraw == "rad" else early

    @property
    def floor(self) -> float:
        """c of a redraw by residual."""
        if self.residual_floor is not None:
            return self.residual_floor
        return 0.0 if self.redraw == "rar_d" else 1.0

    def denser(self, factor: int, dimension: int) -> Sampling:
        """The same with so many times the points of the equations."""
        if factor == 1:
            return self
        found = self.resolved(dimension)
        return replace(
            found,
            equations=factor * self.count(dimension),
            equations_by_residual=factor * self.count_by_residual(dimension, 0),
            batch=None if self.batch is None else factor * self.batch,
            fresh=factor * self.fresh,
        )

    def resolved(self, dimension: int) -> Sampling:
        """The same with a number in the place of every None that stands for one."""
        return replace(
            self,
            equations=self.count(dimension),
            equations_by_residual=self.count_by_residual(dimension, 0),
            equations_doublings=_doublings(self.equations_doublings, self.equations),
            conditions=self.of_condition,
            conditions_doublings=_doublings(self.conditions_doublings, self.conditions),
            residual_power=self.power(0),
            residual_power_late=self.power(LATE * self.doubling_draws),
            residual_floor=self.floor,
        )

    def _growth(self, draw: int, doublings: int | None, given: int | None) -> int:
        return 2 ** min(draw // self.doubling_draws, _doublings(doublings, given))


def _doublings(doublings: int | None, given: int | None) -> int:
    """How often a number of points doubles; `given`: that number, if it was given."""
    if doublings is not None:
        return doublings
    return DOUBLINGS if given is None else 0


def even_indices(size: int, count: int) -> np.ndarray:
    """Indices of `count` among `size` things in a row, evenly spread; all where there are no more."""
    count = min(size, count)
    return np.floor(np.arange(count) * size / count).astype(int)


def unit_points(sampler: str, count: int, dimension: int, seed: int, stream: str, draw: int = 0) -> np.ndarray:
    """Points of the unit cube, (count, dimension), by the sampler of that name."""
    return SAMPLERS[sampler]().unit_points(count, dimension, seed, stream, draw)


def draw_interval(draw: int) -> tuple[int, int]:
    """The first of the draws 0, 1, 2 ... that are one with this draw, and the number of the next one that is not.

    Each goes on for a share of what came before it, and at least for itself: 0, 1, ... 40, 42, 44, ... 60, 63, ...

    >>> draw_interval(7), draw_interval(41), draw_interval(90)
    ((7, 8), (40, 42), (89, 93))
    """
    first, following = 0, 1
    while following <= draw:
        first, following = following, following + max(1, following // SETTLED)
    return first, following
