"""Corrections of trained networks slab by slab, by features that have the networks' outputs as coordinates too.

The linearised equations around a trained u have a correction that is steep where u is: at a front it is a function of
t and u that varies slowly. So features phi(w . p + a . z(p) + b), with z the outputs of the trained network, are steep
there, across the front alone, wherever it goes. Slabs of time make a matrix of each tenth of the problem.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol, TypeAlias

import torch

from pinnkit.features.attached import Attached, Kept
from pinnkit.features.choice import Choice
from pinnkit.features.expansions import Expansion
from pinnkit.features.judge import Judge
from pinnkit.features.parts import Shares, of_first_number
from pinnkit.features.settings import FeatureSettings
from pinnkit.features.slab import Slab
from pinnkit.features.start import Start, start_of
from pinnkit.networks.fields import FieldNetworks
from pinnkit.problem.problem import Problem

log = logging.getLogger(__name__)

FELL = 10.0
"""The factor by which features in one window must lower the residual of a trained network on fresh points."""
SLABS = 10
"""Slabs of time, where `features.windows` gives no number."""
IN_SPACE, IN_TIME, IN_STATES = 4.0, 2.0, 8.0
"""Ranges of the weights on coordinates, on time, and on outputs with which trials begin."""
FACTORS = (2.0, 0.5)
"""Factors on ranges that are tried."""
PAYS = 0.8
"""The share of the residual that other ranges must leave at most."""
TRIALS = 0.2
"""The share of the time that trials may take."""
RESERVE = 0.7
"""The share of the time left that slabs are planned for."""
WORK = 1.5
"""The work of all slabs at most, as a share of that of one solve with `features.max_unknowns`."""
POWER = 2.5
"""The power of the number of features by which the seconds of a solve grow."""
STEPS = 3
"""Newton steps for each slab."""
Solved: TypeAlias = list[tuple[Slab, Choice, float]]
"""Slabs with the features of each and the residual that they leave."""


class Part(Protocol):
    """The least-squares problems of a slab."""

    attached: Attached

    def try_choice(self, choice: Choice, warm: bool = True, steps: int | None = None) -> float: ...


class CorrectingSolver(Protocol):
    """What corrections are found with."""

    network: FieldNetworks
    problem: Problem
    settings: FeatureSettings
    like: torch.Tensor
    seed: int
    trial_unknowns: int
    ranks: Shares | None
    judge: Judge
    attached: Attached
    slabs: Solved
    choice: Choice

    def part(self, slab: Slab, start: Start | None, guesses: Sequence[Kept]) -> Part: ...


def corrected(solver: CorrectingSolver, seconds_left: Callable[[], float]) -> bool:
    """Correct slab by slab what the features that are attached do not resolve; else all stays as it was.

    Returns:
        whether that leaves less on fresh points.
    """
    kept = solver.attached.kept()
    after = solver.judge.norm()
    solver.attached.put([])
    before = solver.judge.norm()
    if after > before / FELL:
        log.info("features: the network is corrected slab by slab, with its outputs as coordinates")
        solved = Correction(solver, seconds_left).solve()
        if solved and solver.judge.norm() < min(after, before):
            solver.slabs, solver.choice = solved, max(solved, key=lambda one: one[1].count)[1]
            return True
    solver.attached.put(kept)
    return False


class Correction:
    """Corrects a trained network slab by slab; the features of all slabs are attached to it at the end."""

    def __init__(self, solver: CorrectingSolver, seconds_left: Callable[[], float]) -> None:
        self._solver, self._seconds_left = solver, seconds_left
        problem = solver.problem
        assert problem.time is not None
        self.axis = problem.coordinates.index(problem.time)
        begin, end = float(problem.domain.lower[self.axis]), float(problem.domain.upper[self.axis])
        number = solver.settings.windows or SLABS
        edges = [begin + (end - begin) * index / number for index in range(number)] + [end]
        self._slabs = [
            Slab(self.axis, edges[index], edges[index + 1], index == 0, index == number - 1) for index in range(number)
        ]

    def solve(self) -> Solved:
        """The slabs with the features of each and the residual that they leave; []: there is no time for them."""
        solver, all_seconds = self._solver, self._seconds_left()
        solver.judge.steepen(self._rows(solver.trial_unknowns))
        few, least, seconds = self._choice(TRIALS * all_seconds)
        most = self._sized(few, seconds, len(self._slabs) + 1)
        if most is None:
            return []
        solver.judge.steepen(self._rows(most.unknowns(solver.network.members)))
        sizes = self._sizes()
        hardest = self._part(self._hardest(), [])
        enough = hardest.try_choice(most, False, STEPS)
        hardest.attached.put([])
        enough = enough if enough < least else 0.0
        log.debug("correction: slabs may leave %.2e, as %s do", enough, most)
        solved: Solved = []
        previous: list[Expansion] = []
        for index, slab in enumerate(self._slabs):
            part = self._part(slab, previous)
            choice, began = few, time.perf_counter()
            residual = part.try_choice(few, False, STEPS)
            if residual > enough:
                seconds = time.perf_counter() - began
                choice = self._sized(few, seconds, len(self._slabs) - index) or few
                if choice.count > few.count:
                    kept, former = part.attached.kept(), residual
                    residual = part.try_choice(choice, True, STEPS)
                    if not residual < former:
                        part.attached.put(kept)
                        choice, residual = few, former
            log.debug("correction: slab %d: %s: residual %.2e of %.2e", index + 1, choice, residual, sizes[index])
            if not residual < sizes[index]:
                return []
            solved.append((slab, choice, residual))
            previous = part.attached.expansions
        return solved

    def _part(self, slab: Slab, previous: Sequence[Expansion]) -> Part:
        """The least-squares problems of a slab."""
        solver, start = self._solver, None
        if not slab.first:
            weight = solver.settings.conditions_weight
            start = start_of(solver.problem, slab, solver.network, previous, weight, solver.like, solver.seed)
        return solver.part(slab, start, ())

    def _rows(self, unknowns: int) -> int:
        """Points where fields are steep of all slabs: half of those of a solve, and as many fresh ones."""
        return math.ceil(len(self._slabs) * self._solver.settings.rows * unknowns)

    def _sized(self, choice: Choice, seconds: float, slabs: int) -> Choice | None:
        """As many features as the time allows for the slabs to come, with seconds for one by the choice's number."""
        fields = sum(map(len, self._solver.network.members))
        growth = (max(RESERVE * self._seconds_left(), 0.0) / (slabs * seconds)) ** (1 / POWER)
        growth = self._agreed(growth)
        if growth < 1.0:
            return None
        most = self._solver.settings.max_unknowns * min(1.0, WORK / len(self._slabs)) ** (1 / 3)
        growth = max(min(growth, most / (choice.count * fields)), 1.0)
        if self._solver.settings.count is not None:
            return replace(choice, count=self._solver.settings.count)
        return choice.larger(growth)

    def _choice(self, seconds: float) -> tuple[Choice, float, float]:
        """Few features that trials find for the hardest slab, what they leave there, and seconds of a trial."""
        solver, began = self._solver, time.perf_counter()
        part = self._part(self._hardest(), [])
        settings, size = solver.settings, len(solver.problem.coordinates)
        ranges = tuple(settings.range or (IN_TIME if axis == self.axis else IN_SPACE) for axis in range(size))
        count = max(40, solver.trial_unknowns // sum(map(len, solver.network.members)))
        best = Choice("tanh" if settings.kind == "tanh" else "sin", ranges, count, states=IN_STATES)
        changes = [self._by_states, *([] if settings.range else [self._by_space, self._by_time])]

        def residual(choice: Choice) -> float:
            found = part.try_choice(choice, False, 1)
            part.attached.put([])
            log.debug("correction: trial: %s: residual %.2e", choice, found)
            return found

        least = residual(best)
        number = 1
        for change in changes:
            for factor in FACTORS:
                while self._agreed((time.perf_counter() - began) * (number + 1) / number - seconds) < 0:
                    other = change(best, factor)
                    found, number = residual(other), number + 1
                    if not found < PAYS * least:
                        break
                    best, least = other, found
        return best, least, (time.perf_counter() - began) / number

    def _agreed(self, value: float) -> float:
        """A number that depends on time, as the first process has it."""
        return of_first_number(value, self._solver.ranks, self._solver.like)

    def _by_states(self, choice: Choice, factor: float) -> Choice:
        return replace(choice, states=factor * choice.states)

    def _by_space(self, choice: Choice, factor: float) -> Choice:
        return replace(choice, ranges=self._scaled(choice, lambda axis: factor if axis != self.axis else 1.0))

    def _by_time(self, choice: Choice, factor: float) -> Choice:
        return replace(choice, ranges=self._scaled(choice, lambda axis: factor if axis == self.axis else 1.0))

    def _scaled(self, choice: Choice, factor: Callable[[int], float]) -> tuple[float, ...]:
        return tuple(factor(axis) * value for axis, value in enumerate(choice.ranges))

    def _hardest(self) -> Slab:
        """The slab with the largest residual of the equations."""
        sizes = self._sizes()
        return self._slabs[sizes.index(max(sizes))]

    def _sizes(self) -> list[float]:
        """The residual of the equations in each slab, without features there."""
        times, squares = self._solver.judge.by_time()
        inside = [one.holds(times[:, None].expand(-1, self.axis + 1)) for one in self._slabs]
        return [float(squares[mask].mean().sqrt()) if bool(mask.any()) else 0.0 for mask in inside]
