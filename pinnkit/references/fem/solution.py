"""The solution of a problem on one mesh, with one number of time steps."""

from __future__ import annotations

import time
from functools import cached_property
from typing import cast

import numpy as np

from pinnkit.problem.problem import Problem
from pinnkit.references.budget import Budget
from pinnkit.references.fem.boundary_data import Conditions
from pinnkit.references.fem.discretization import Discretization
from pinnkit.references.fem.evolution import POINTS, Trajectory, integrate, steady
from pinnkit.references.fem.interpolation import Interpolation, Locators
from pinnkit.references.fem.mesh import Geometry, make_mesh
from pinnkit.references.fem.second_order import SecondOrderSystem

CHUNK = 20_000


class Solution:
    """All fields at any points.

    Args:
        level: how often the coarsest mesh is refined.
        steps: the number of time steps; 0 for a steady problem.
        points: (n, d) of the problem's coordinates, at which it is sampled.
        guess: a solution on a coarser mesh, from which a nonlinear steady one is sought.

    Attributes:
        samples: field -> (n,) at these points.
        seconds: the time that it took.
        unknowns: their number at one time.
    """

    def __init__(
        self,
        problem: Problem,
        system: SecondOrderSystem,
        conditions: Conditions,
        geometry: Geometry,
        level: int,
        steps: int,
        points: np.ndarray,
        budget: Budget,
        guess: Solution | None = None,
    ) -> None:
        began = time.monotonic()
        self._problem, self.level, self.steps = problem, level, steps
        self.discretization = Discretization(problem, system, conditions, make_mesh(geometry, level), budget)
        budget.check_time()
        if steps:
            begin, end = problem.domain.bounds[cast(str, system.time)]
            self._trajectory = integrate(self.discretization, begin, end, steps, budget)
        else:
            start = guess.on(self.discretization) if guess is not None and not self.discretization.linear else None
            self._trajectory = Trajectory(np.zeros(1), steady(self.discretization, start, budget)[None])
        self.samples = self(points)
        self.seconds = time.monotonic() - began
        self.unknowns = self.discretization.size

    @cached_property
    def _locators(self) -> Locators:
        return Locators(self.discretization.spaces, self.discretization.patterns)

    def on(self, other: Discretization) -> np.ndarray:
        """The unknowns of the steady solution at the nodes of another mesh."""
        y = np.zeros(other.size)
        for name, basis in other.spaces.bases.items():
            values = Interpolation(self.discretization.spaces, basis.doflocs.T, self._locators)
            y[other.spaces.slots[name]] = np.nan_to_num(values(self._trajectory.states)[name])
        return y

    def __call__(self, points: np.ndarray) -> dict[str, np.ndarray]:
        """Field -> (n,), at points (n, d) in the problem's coordinates; NaN where the mesh has no element near."""
        names = self._problem.coordinates
        space = [names.index(name) for name in self._problem.space]
        found: dict[str, list[np.ndarray]] = {name: [] for name in self.discretization.system.fields}
        for begin in range(0, len(points), CHUNK):
            part = points[begin : begin + CHUNK]
            interpolation = Interpolation(self.discretization.spaces, part[:, space], self._locators)
            if self.steps:
                first, weights = self._trajectory.weights(part[:, names.index(self._problem.time)])
                values = interpolation(self._trajectory.states, first[:, None] + np.arange(POINTS), weights)
            else:
                values = interpolation(self._trajectory.states)
            for name, one in values.items():
                found[name].append(one)
        return {name: np.concatenate(parts) if parts else np.empty(0) for name, parts in found.items()}
