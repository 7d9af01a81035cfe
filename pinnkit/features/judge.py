"""Residuals by which answers are judged: on fresh points, half of which lie where trained fields are steep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor

from pinnkit.engines.model import Model
from pinnkit.features.places import steep_places
from pinnkit.features.points import FRESH, draw
from pinnkit.features.settings import FeatureSettings
from pinnkit.features.system import System
from pinnkit.losses.residuals import TermGroup
from pinnkit.networks.fields import FieldNetworks, Zero
from pinnkit.problem.groups import is_equations
from pinnkit.problem.problem import Problem
from pinnkit.sampling.point_set import PointSet


class JudgedSolver(Protocol):
    """What has the answers."""

    model: Model
    groups: Mapping[str, TermGroup]
    network: FieldNetworks
    problem: Problem
    settings: FeatureSettings
    like: Tensor
    seed: int
    trial_unknowns: int
    scales: Mapping[str, float]


class Judge:
    """Residuals of a solver's answers, in which conditions count once.

    The weight with which a least-squares problem has its conditions would let them stand for the whole residual where
    they are met better, and the equations not.

    Attributes:
        places: points of each group of equations where a trained field is steep; {}: none are known.
    """

    def __init__(self, solver: JudgedSolver) -> None:
        self._solver = solver
        self.places: dict[str, PointSet] = {}

    def steepen(self, rows: int) -> None:
        """Have so many points where the trained fields are steep."""
        one = self._solver
        self.places = steep_places(one.network, one.problem, rows, one.seed, one.like)

    def norm(self) -> float:
        """The residual on fresh points."""
        with torch.no_grad():
            return self.system().norm()

    def by_time(self) -> tuple[Tensor, Tensor]:
        """Times of fresh points, and the squared residuals of the equations there."""
        problem, system = self._solver.problem, self.system()
        assert problem.time is not None
        axis = problem.coordinates.index(problem.time)
        own = {name: size for name, size in system.sizes().items() if is_equations(name)}
        times = [system.batches[name].coordinates[:, axis].cpu() for name in own]
        return torch.cat(times), torch.cat([torch.as_tensor(one).square() for one in own.values()])

    def system(self) -> System:
        """All terms at fresh points."""
        one = self._solver
        if not self.places and not any(isinstance(each, Zero) for each in one.network.networks):
            self.steepen(2 * one.trial_unknowns)
        places = {name: each.take(slice(None, None, -1)) for name, each in self.places.items()}
        rows = one.settings.rows
        batches = draw(one.problem, one.trial_unknowns, rows, one.seed, FRESH + 3, one.like, places)
        data = {each.name for each in one.problem.soft_conditions if each.data}
        weighted = [name for name in batches if not is_equations(name) and name not in data]
        once = {term for name in weighted for term in one.groups[name].terms}
        factor = 1 / one.settings.conditions_weight
        scales = {term: factor * size if term in once else size for term, size in one.scales.items()}
        return System(one.model, one.groups, batches, scales)
