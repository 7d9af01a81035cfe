"""Reference solutions on rectangles by spectral methods, with an error by refinement."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from pinnkit.problem.problem import Problem
from pinnkit.problem.unknowns import combined
from pinnkit.references.budget import DEFAULT_BYTES, DEFAULT_SECONDS, Budget, OverBudget
from pinnkit.references.claimed_error import MAX_ERROR, NotComputed, log_computed
from pinnkit.references.etdrk4 import StoppedEarlyError
from pinnkit.references.extent import check_extent
from pinnkit.references.plane.evolution import EvolutionSolution, StoppedError
from pinnkit.references.plane.modes import PeriodicSolution
from pinnkit.references.plane.refinement import Found, Solution, comparison_points, difference, refine
from pinnkit.references.plane.steady import NotConvergedError, SteadySolution
from pinnkit.references.plane.system import PlaneSystem, read_plane_system
from pinnkit.references.semilinear import SemilinearForm, semilinear_form
from pinnkit.references.unsupported import UnsupportedProblem

log = logging.getLogger("pinnkit.references")

NODES = {
    "Newton": (12, 16, 20, 24, 32, 40, 48, 56, 64),
    "ETDRK4": (24, 32, 48, 64, 96, 128, 192, 256),
    "lines": (8, 10, 12, 16, 20, 24, 28, 32, 36, 40),
}
"""Nodes along each coordinate."""
TOLERANCE, LINES = 1e-9, 1e-9
"""Of the error in time of ETDRK4, and of a step of the method of lines."""
LOOSE, SHARE = 100.0, 6.0
"""Factor on the tolerance of a step by which the error in time is measured, on a coarse grid, and the least part of the
change that is left."""


class PlaneSpectral:
    """The solution of a problem in two space coordinates on a rectangle, steady or in time.

    Steady: collocation at Chebyshev nodes, or at equispaced ones where the fields are periodic, and Newton's method.
    The equations must hold a second derivative of each field across each side, and each side one condition for each
    field, linear in the fields and their first derivatives. In time the same by the method of lines, with DOP853 or
    Radau; fields that are periodic in both coordinates by their Fourier coefficients and ETDRK4: what the equations
    hold above first derivatives must then have constant coefficients.

    Attributes:
        fields: names of all unknowns; a complex one is computed as two real fields.
        name: the method, as in "spectral: collocation, 32 x 32 nodes".
        claimed_error: estimate of the relative L2 error of the worst field: in space from the changes on three grids
            (`refine`), and in time.
        grid: None, as the solution can be evaluated anywhere.

    Args:
        max_time, memory: budget in seconds and bytes; at its end the finest solution with an error estimate is taken.

    Raises:
        UnsupportedProblem: the problem is of another kind; the message names the equation or the condition.
        NotComputed: no two solutions agree to a tenth within the budget, or Newton's method fails.

    >>> problem = Problem(coordinates={"x": [0, 1], "y": [0, 1]}, fields=["u"], equations="laplacian(u) = 0",
    ...                   conditions={"walls": {"at": "boundary", "equations": "u = exp(x)*sin(y)"}})
    >>> reference = PlaneSpectral(problem)
    >>> round(float(reference({"x": np.array([0.5]), "y": np.array([0.5])})["u"][0]), 9)
    0.790439083
    """

    grid: Mapping[str, np.ndarray] | None = None

    def __init__(self, problem: Problem, *, max_time: float = DEFAULT_SECONDS, memory: int = DEFAULT_BYTES) -> None:
        budget = Budget(max_time, memory)
        self._problem, self._system = problem, read_plane_system(problem)
        parts = check_plane_system(self._system)
        self.fields = tuple(unknown.name for unknown in problem.unknowns)
        log.info("reference: computing by collocation in two coordinates (at most %g s)", max_time)
        found = _refined(self._system, parts, budget)
        self._solution, self.claimed_error = found.solution, found.error
        method = getattr(found.solution, "method", "Newton" if self._system.time is None else "ETDRK4")
        self.name = f"spectral: {found.solution.nodes} x {found.solution.nodes} nodes, {method}"
        log_computed(self.name, self.claimed_error, budget)

    def __call__(self, coordinates: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Every unknown at arrays of points of any one shape.

        Raises:
            ValueError: a point lies outside the problem's domain.
        """
        points = {name: np.asarray(coordinates[name], dtype=float) for name in self._problem.coordinates}
        for name, values in points.items():
            check_extent(name, values, self._problem.domain.bounds[name])
        shape = next(iter(points.values())).shape
        rows = self._solution({name: values.ravel() for name, values in points.items()})
        found = {name: row.reshape(shape) for name, row in zip(self._system.fields, rows, strict=True)}
        return combined(self._problem, found, coordinates)


def check_plane_system(system: PlaneSystem) -> SemilinearForm | None:
    """The semilinear form of an evolution that is periodic in both coordinates, None of any other system.

    Raises:
        UnsupportedProblem: no method here treats it.
    """
    if system.time is None:
        return None
    if len(system.periodic) < 2:
        return None
    parts = semilinear_form(cast(Any, system))
    if not parts.complete:
        raise UnsupportedProblem(
            "in two space coordinates, what its equations hold above first derivatives must have constant coefficients"
        )
    return parts


def _refined(system: PlaneSystem, parts: SemilinearForm | None, budget: Budget) -> Found:
    def solve(nodes: int, former: Solution | None) -> Solution:
        budget.check_time()
        if system.time is None:
            return SteadySolution(system, nodes, budget, cast(SteadySolution | None, former))
        if parts is None:
            return EvolutionSolution(system, nodes, LINES, budget)
        return PeriodicSolution(system, nodes, parts, TOLERANCE, budget)

    known: dict[str, float] = {}

    def also(solution: Solution) -> float:
        """The error in time."""
        if isinstance(solution, PeriodicSolution):
            return solution.time_error + float(np.max(solution.lost))
        if not isinstance(solution, EvolutionSolution):
            return 0.0
        if solution.method not in known:
            known[solution.method] = _error_in_time(system, solution.method, budget)
        return known[solution.method]

    way = "Newton" if system.time is None else "lines" if parts is None else "ETDRK4"
    try:
        found = refine(system, solve, NODES[way], also)
    except OverBudget as error:
        raise NotComputed(f"{error}, before three solutions could be compared") from None
    except NotConvergedError:
        raise NotComputed("Newton's method finds no solution of the nonlinear equations") from None
    except (StoppedEarlyError, StoppedError) as error:
        raise NotComputed(f"the solution blows up at t = {error.args[0]:.6g}") from None
    if not found.error < MAX_ERROR:
        raise NotComputed(
            f"the finest solutions still differ by {found.error:.1g} (relative L2; {found.solution.nodes} x "
            f"{found.solution.nodes} nodes, {budget.elapsed:.0f} s)"
        )
    return found


def _error_in_time(system: PlaneSystem, method: str, budget: Budget) -> float:
    """A sixth of the change by a hundred times the tolerance of a step, on a coarse grid."""
    points, nodes = comparison_points(system), NODES["lines"][2]
    loose, fine = (EvolutionSolution(system, nodes, one, budget, method)(points) for one in (LOOSE * LINES, LINES))
    return difference(loose, fine) / SHARE
