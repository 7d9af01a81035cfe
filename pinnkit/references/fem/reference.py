"""Reference solutions by finite elements, with an error by refinement."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import numpy as np

from pinnkit.problem.at import random_points
from pinnkit.problem.problem import Problem
from pinnkit.problem.unknowns import combined
from pinnkit.references.budget import DEFAULT_BYTES, DEFAULT_SECONDS, Budget, OverBudget
from pinnkit.references.claimed_error import MAX_ERROR, NotComputed, log_computed
from pinnkit.references.fem.boundary_data import Conditions, read_conditions
from pinnkit.references.fem.cad import MeshingError, spatial
from pinnkit.references.fem.corners import switch_points
from pinnkit.references.fem.discretization import Discretization
from pinnkit.references.fem.ellipticity import check_elliptic
from pinnkit.references.fem.mesh import Geometry, make_mesh
from pinnkit.references.fem.newton import NotConverged
from pinnkit.references.fem.packages import check_packages
from pinnkit.references.fem.refinement import Refined, Refinement
from pinnkit.references.fem.second_order import SecondOrderSystem, read_second_order_system
from pinnkit.references.fem.unsupported import unsupported
from pinnkit.references.outputs import without_outputs

log = logging.getLogger("pinnkit.references")

POINTS = 32
"""Points at which the principal part is checked."""


class Fem:
    """The solution of an elliptic or parabolic problem in two or three space coordinates, by quadratic elements.

    Scalar equations and systems of second order, linear in their second derivatives; nonlinear lower orders by
    Newton's method; incompressible flow with linear elements for the pressure (Taylor and Hood). In time: an implicit
    Runge-Kutta method of order three (Alexander). The conditions must give, for each equation of second order, the
    value of its field or its conormal derivative on all of the boundary.

    Attributes:
        fields: names of the problem's unknowns.
        name: the method, as in "fem: quadratic elements, 5653 unknowns".
        claimed_error: estimate of the relative L2 error of the worst field, from successive meshes (`Refinement`).
        grid: None, as the solution can be evaluated anywhere.

    Args:
        levels: number of meshes; by default as many as bring the claimed error below 1e-6, or the budget allows.
        size: edge length of the coarsest mesh; by default an eighth (in space a fourth) of the domain's size.
        max_time, memory: budget in seconds and bytes.

    Raises:
        MissingPackage: gmsh or scikit-fem is not installed.
        UnsupportedProblem: the problem is of another kind; the message names the equation and the reason.
        NotComputed: no two solutions agree to a tenth within the budget, or Newton's method fails.
    """

    grid: Mapping[str, np.ndarray] | None = None

    def __init__(
        self,
        problem: Problem,
        *,
        levels: int | None = None,
        size: float | None = None,
        max_time: float = DEFAULT_SECONDS,
        memory: int = DEFAULT_BYTES,
    ) -> None:
        if levels is not None and levels < 2:
            raise ValueError(f"levels = {levels}: two at least are needed for an error")
        budget = Budget(max_time, memory)
        problem = without_outputs(problem)
        system, conditions, geometry = read(problem, size)
        log.info("reference: computing by finite elements (at most %g s)", max_time)
        found = _refined(Refinement(problem, system, conditions, geometry, budget, levels), budget)
        self._unbounded = dict.fromkeys(system.pressures, found.graded)
        self._problem, self._solution, self.claimed_error = problem, found.solution, found.error
        self.fields = tuple(unknown.name for unknown in problem.unknowns)
        steps = f", {found.solution.steps} time steps" if system.time else ""
        self.name = f"fem: quadratic elements, {found.solution.unknowns} unknowns{steps}"
        log_computed(self.name, self.claimed_error, budget)

    def __call__(self, coordinates: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Every unknown at arrays of points of any one shape; NaN outside the domain.

        Pressures are NaN at corners too: where the velocities beside one do not fit together, p grows as log(r).
        """
        problem = self._problem
        arrays = [np.asarray(coordinates[name], dtype=float) for name in problem.coordinates]
        points = np.stack([one.ravel() for one in arrays], axis=1)
        slack = 1e-9 * (problem.domain.upper - problem.domain.lower)
        inside = problem.domain.contains(points, slack)
        values = {}
        for name, found in self._solution(points[inside]).items():
            full = np.full(len(points), np.nan)
            full[inside] = found
            for corner in self._unbounded.get(name, ()):
                place = [problem.coordinates.index(axis) for axis in problem.space]
                full[(np.abs(points[:, place] - corner) <= slack[place]).all(axis=1)] = np.nan
            values[name] = full.reshape(arrays[0].shape)
        return combined(problem, values, coordinates)


def read(problem: Problem, size: float | None = None) -> tuple[SecondOrderSystem, Conditions, Geometry]:
    """All that is read from a problem before a mesh is made.

    Raises:
        MissingPackage, UnsupportedProblem: see Fem.
    """
    check_packages()
    system = read_second_order_system(problem)
    check_elliptic(system, problem, random_points(problem.domain, POINTS))
    conditions = read_conditions(problem, system)
    switches = switch_points(problem, conditions.boundary)
    given = np.array([one.point for one in conditions.constants if one.point is not None]).reshape(
        -1, len(problem.space)
    )
    geometry = Geometry(
        shape=spatial(problem.domain, problem.space),
        space=problem.space,
        regions=tuple(spatial(problem.regions[name], problem.space) for name in system.regions),
        points=np.concatenate([given, switches]),
        graded=switches,
        size=size,
    )
    return system, conditions, geometry


def check_problem(problem: Problem) -> None:
    """Check that a problem can be treated, on the coarsest mesh, without solving it.

    Raises:
        MissingPackage, UnsupportedProblem: see Fem.
    """
    problem = without_outputs(problem)
    system, conditions, geometry = read(problem)
    try:
        Discretization(problem, system, conditions, make_mesh(geometry, 0), Budget())
    except MeshingError as error:
        raise unsupported(str(error)) from None


def _refined(refinement: Refinement, budget: Budget) -> Refined:
    try:
        found = refinement()
    except OverBudget as error:
        raise NotComputed(f"{error}, before two solutions could be compared") from None
    except NotConverged:
        raise NotComputed("Newton's method finds no solution of the nonlinear equations") from None
    except MeshingError as error:
        raise unsupported(str(error)) from None
    if not found.error < MAX_ERROR:
        raise NotComputed(
            f"the finest solutions still differ by {found.error:.1g} (relative L2; {found.solution.unknowns} unknowns, "
            f"{budget.elapsed:.0f} s)"
        )
    return found
