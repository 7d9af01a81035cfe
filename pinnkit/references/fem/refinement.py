"""Refinement of finite element solutions until their estimated error is small."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from pinnkit.domains.box import Box
from pinnkit.domains.product import Product
from pinnkit.domains.shape import Shape
from pinnkit.domains.shapes.ball import Ball
from pinnkit.domains.shapes.disk import Disk
from pinnkit.domains.shapes.ellipse import Ellipse
from pinnkit.problem.at import random_points
from pinnkit.problem.problem import Problem
from pinnkit.references.budget import Budget, OverBudget
from pinnkit.references.fem.boundary_data import Conditions
from pinnkit.references.fem.corners import boundary_corners, interface_corners
from pinnkit.references.fem.discretization import Discretization
from pinnkit.references.fem.mesh import Geometry, make_mesh
from pinnkit.references.fem.newton import NotConverged
from pinnkit.references.fem.second_order import SecondOrderSystem
from pinnkit.references.fem.solution import Solution

TARGET_ERROR = 1e-6  # refinement ends below this estimate
MOST_LEVELS = 9
SAMPLES = 3000
"""Points at which solutions are compared."""
FIRST_STEPS, MOST_STEPS = 16, 4096
FIRST_SHARE = 0.2
"""Share of the budget after which no more steps are tried on the coarsest mesh."""
TIME_SHARE = 0.5
"""The largest change by halving the time step, relative to that by halving the edges, on the coarsest meshes."""
LEAST_RATE, LARGEST_RATE, SINGULAR_RATE = 1.5, 4.0, 2.0
"""Bounds on the ratio of two successive changes. Quadratic elements reach 8; at the end of a slit it falls to 2, and
that shows late."""
UNKNOWN_RATE = 3.0  # of two meshes alone
SAFETY = 2.0
LEAST_SHARE = 1e-6
"""A field that is smaller than the largest one by this factor counts as zero: its error is taken relative to more."""
GROWTH = {2: 6.0, 3: 16.0}
"""How many times longer the next mesh takes, at least."""


@dataclass(frozen=True)
class Refined:
    """The finest solution, the estimate of its relative error in L2, of the worst field, and where meshes are finer."""

    solution: Solution
    error: float
    graded: np.ndarray


class Refinement:
    """Solutions of one problem on meshes whose edges are halved, in time with steps that are halved too.

    The change from one to the next, D, is compared with the former one, D_0: the error of the finest is about
    D / (r - 1) with r = D_0 / D (Richardson).

    Args:
        levels: the number of meshes; None: as many as are needed.
    """

    def __init__(
        self,
        problem: Problem,
        system: SecondOrderSystem,
        conditions: Conditions,
        geometry: Geometry,
        budget: Budget,
        levels: int | None,
    ) -> None:
        self._problem, self._system, self._conditions = problem, system, conditions
        self._geometry, self._budget, self._levels = geometry, budget, levels
        self._rate = LARGEST_RATE
        self._points = random_points(problem.domain, SAMPLES)

    def __call__(self) -> Refined:
        """The finest solution within the budget.

        Raises:
            OverBudget: it ended before there were two.
            NotConverged: Newton's method fails on every mesh.
        """
        self._grade()
        steps, coarsest = self._first_steps() if self._system.time else (0, None)
        found: list[Solution] = []
        changes: list[np.ndarray] = []
        failed: NotConverged | None = None
        for level in range(self._levels or MOST_LEVELS):
            if len(found) > 1 and self._too_long(found[-1]):
                break
            try:
                known = coarsest if level == 0 else None
                found.append(known or self._solve(level, steps * 2**level, found[-1] if found else None))
            except NotConverged as error:
                failed = error
                continue
            except OverBudget:
                if len(found) < 2:
                    raise
                break
            if len(found) > 1:
                changes.append(self._change(found[-2], found[-1]))
                estimated = estimate(changes, self._rate)
                if self._levels is None and len(changes) > 1 and estimated < TARGET_ERROR:
                    break
        if len(found) < 2:
            raise failed or OverBudget("the time is over")
        return Refined(found[-1], estimate(changes, self._rate), self._geometry.graded)

    def _grade(self) -> None:
        """Ask for smaller edges at re-entrant corners, where conditions change, and where values jump."""
        if len(self._system.space) != 2:
            smooth = is_convex(self._geometry.shape) and not self._system.regions
            self._rate = LARGEST_RATE if smooth else SINGULAR_RATE
            return
        mesh = make_mesh(self._geometry, 0)
        first = Discretization(self._problem, self._system, self._conditions, mesh, self._budget)
        # pressures are singular at any corner where the velocities beside it do not fit together
        corners = boundary_corners(mesh, inward_only=not self._system.pressures)
        corners = np.concatenate([corners, interface_corners(mesh, first.patterns)])
        graded = np.concatenate([corners, first.jumps, self._geometry.graded.reshape(-1, 2)])
        if len(graded):
            self._rate = SINGULAR_RATE
            points = np.concatenate([self._geometry.points.reshape(-1, 2), first.jumps])
            self._geometry = dataclasses.replace(self._geometry, points=points, graded=graded)

    def _first_steps(self) -> tuple[int, Solution]:
        """Time steps on the coarsest mesh with which the error in time is below that in space; and the solution."""
        steps = FIRST_STEPS
        coarse = self._solve(0, steps)
        in_space = self._change(coarse, self._solve(1, steps)).max()
        while steps < MOST_STEPS and self._budget.elapsed < FIRST_SHARE * self._budget.seconds:
            finer = self._solve(0, 2 * steps)
            if self._change(coarse, finer).max() < max(TIME_SHARE * in_space, TARGET_ERROR):
                break
            coarse, steps = finer, 2 * steps
        return steps, coarse

    def _solve(self, level: int, steps: int, guess: Solution | None = None) -> Solution:
        return Solution(
            self._problem,
            self._system,
            self._conditions,
            self._geometry,
            level,
            steps,
            self._points,
            self._budget,
            guess,
        )

    def _too_long(self, last: Solution) -> bool:
        growth = GROWTH[len(self._system.space)] * (2 if self._system.time else 1)
        return self._budget.elapsed + growth * last.seconds > self._budget.seconds

    def _change(self, coarse: Solution, fine: Solution) -> np.ndarray:
        """(fields,) relative L2 distances at the sample points."""
        norms = np.array([np.sqrt(np.nanmean(values**2)) for values in fine.samples.values()])
        scales = np.maximum(norms, LEAST_SHARE * norms.max())
        changes = [np.sqrt(np.nanmean((coarse.samples[name] - one) ** 2)) for name, one in fine.samples.items()]
        return np.array(changes) / np.where(scales > 0, scales, 1.0)


def is_convex(shape: Shape) -> bool:
    """Whether a shape is known to be convex."""
    if isinstance(shape, Product):
        return all(map(is_convex, shape.factors))
    return isinstance(shape, Box | Disk | Ellipse | Ball)


def estimate(changes: list[np.ndarray], largest: float = LARGEST_RATE) -> float:
    """The error of the worst field from its changes, see Refinement; `largest` bounds their ratio.

    >>> f"{estimate([np.array([0.08]), np.array([0.01])]):.3f}, {estimate([np.array([0.01])]):.3f}"
    '0.007, 0.010'
    """
    last = changes[-1]
    ratio = np.full(last.shape, min(UNKNOWN_RATE, largest))
    if len(changes) > 1:
        with np.errstate(all="ignore"):
            ratio = np.where(last > 0, changes[-2] / last, largest)
    return float(np.max(SAFETY * last / (np.clip(ratio, LEAST_RATE, largest) - 1)))
