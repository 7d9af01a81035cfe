"""Independent answers slab by slab, by which the error of one that was solved so is found."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import torch

from pinnkit.features.attached import Kept
from pinnkit.features.choice import Choice
from pinnkit.features.expansions import Expansion
from pinnkit.features.newton import newton
from pinnkit.features.settings import FeatureSettings
from pinnkit.features.slab import Slab
from pinnkit.features.start import Start, start_of
from pinnkit.features.system import System, expansions_of
from pinnkit.networks.features import RandomFeatures
from pinnkit.networks.fields import FieldNetworks
from pinnkit.problem.problem import Problem

AGAIN = 1.5
"""Factor on the number of features of a slab whose independent ones leave more than the answer's."""


class Part(Protocol):
    """The least-squares problems of a slab."""

    linear: bool

    def add(self, choice: Choice, stream: int = 0) -> list[RandomFeatures]: ...

    def relocate(self) -> bool: ...

    def system(self, unknowns: int, drawn: int, share: float = 1.0) -> System: ...

    def fresh_residual(self, unknowns: int) -> float: ...


class SlabsSolver(Protocol):
    """What has solved slab by slab."""

    network: FieldNetworks
    problem: Problem
    settings: FeatureSettings
    like: torch.Tensor
    seed: int
    slabs: list[tuple[Slab, Choice, float]]

    def part(self, slab: Slab, start: Start | None, guesses: Sequence[Kept]) -> Part: ...


def march(solver: SlabsSolver, stream: int, more: float, steps: int, again: bool = True) -> None:
    """Replace the features of all slabs by independent ones, each slab continuing the replaced one before.

    So errors of the slabs go on from one to the next as those of the answer have.

    Args:
        stream: of the features and points.
        more: features as a multiple of those there are.
        steps: of Newton's method in each slab, from the state that there is.
        again: whether a slab gets more features where these leave more than the answer's.
    """
    network = solver.network
    previous: list[Expansion] = []
    for slab, choice, residual in solver.slabs:
        start = None
        if previous:
            weight = solver.settings.conditions_weight
            start = start_of(solver.problem, slab, network, previous, weight, solver.like, solver.seed + stream)
        part = solver.part(slab, start, ())
        if choice.steep:
            part.relocate()
        former = [one for one in expansions_of(network) if one.module.features.interval == slab.interval]
        for factor in (more, AGAIN * more):
            added = set(part.add(replace(choice, count=math.ceil(factor * choice.count)), stream))
            unknown = [one for one in expansions_of(network) if one.module in added]
            unknowns = sum(one.size for one in unknown)
            linear = part.linear or steps == 1  # the state is so near that its linearisation is as good
            newton(part.system(unknowns, stream), unknown, 1 if linear else steps, linear, former)
            network.remove([one.module for one in former])
            former = unknown
            if not again or part.fresh_residual(unknowns) <= residual:
                break
        previous = former
