"""Reference solutions by spectral methods in space and adaptive integration in time."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import cast

import numpy as np

from pinnkit.problem.problem import Problem
from pinnkit.problem.unknowns import combined
from pinnkit.references.budget import DEFAULT_BYTES, DEFAULT_SECONDS, Budget, OverBudget
from pinnkit.references.claimed_error import MAX_ERROR, NotComputed, log_computed
from pinnkit.references.evolution_system import EvolutionSystem, read_evolution_system
from pinnkit.references.extent import check_extent
from pinnkit.references.refinement import Refinement, RefinementResult
from pinnkit.references.time_integration import StoppedError
from pinnkit.references.well_posedness import check_boundary_conditions, check_well_posed

log = logging.getLogger("pinnkit.references")

ROUNDING = 1e-13


class Spectral:
    """The solution of a problem in t, or in t and one space coordinate x, by the method of lines.

    In x: Fourier collocation for periodic problems, Chebyshev collocation otherwise, with the values at the ends from
    the boundary conditions at each time. In t: DOP853, or Radau where the problem is stiff. Periodic problems with a
    stiff linear part of constant coefficients (diffusion, dispersion, higher orders): Fourier coefficients, by ETDRK4
    or by DOP853 with an integrating factor.

    The residuals must be linear in each field's highest derivative in time. The conditions must give each lower
    derivative in time at the lower end of t and, at the ends of x, as many linear equations as the orders in x add up
    to. A learned parameter takes its value under `exact`. The condition u(x=0) = u(x=1) alone means that u is periodic,
    with all its derivatives.

    Attributes:
        fields: names of all unknowns; a complex one is computed as two real fields.
        name: the method, as in "spectral: Chebyshev, 128 nodes, Radau, rtol 1e-10".
        claimed_error: estimate of the relative L2 error of the worst field: the change from half the nodes, the change
            from larger tolerances, and the interpolation error of the problem's functions, summed.
        grid: None, as the solution can be evaluated anywhere.

    Args:
        nodes: number of nodes in x, even; by default 64 (32 for high derivatives), doubled until the solution changes
            by less than 1e-8 or no longer improves, up to 512 (Chebyshev) or 2048 (Fourier).
        rtol, atol: relative and absolute tolerance of a step in time, increased where rounding prevents them.
        max_time, memory: budget in seconds and bytes; at its end the finest solution with an error estimate is taken.

    Raises:
        UnsupportedProblem: the problem is of another kind; the message gives the reason.
        NotComputed: no two solutions agree to a tenth within the budget, or the integration stopped on every grid.

    >>> problem = Problem(coordinates={"t": [0, 1]}, fields=["u"], equations="u_t = -u",
    ...                   conditions={"start": {"at": "t = 0", "equations": "u = 1"}})
    >>> reference = Spectral(problem)
    >>> round(float(reference({"t": np.array([1.0])})["u"][0]), 9)
    0.367879441
    """

    grid: Mapping[str, np.ndarray] | None = None

    def __init__(
        self,
        problem: Problem,
        *,
        nodes: int | None = None,
        rtol: float = 1e-10,
        atol: float = 1e-12,
        max_time: float = DEFAULT_SECONDS,
        memory: int = DEFAULT_BYTES,
    ) -> None:
        if nodes is not None and (nodes < 16 or nodes % 2):
            raise ValueError(f"nodes = {nodes}: an even number of at least 16 is needed")
        if not (1e-13 <= rtol <= 1e-3 and atol > 0):
            raise ValueError(f"rtol = {rtol:g}, atol = {atol:g}: rtol must lie in [1e-13, 1e-3] and atol above zero")
        budget = Budget(max_time, memory)
        self._system = read_evolution_system(problem)
        self._problem = problem
        self.fields = tuple(unknown.name for unknown in problem.unknowns)
        log.info("reference: computing by the method of lines (at most %g s)", max_time)
        found = _refined(self._system, nodes, rtol, atol, budget)
        self._solution, self.claimed_error = found.solution, found.error + ROUNDING
        used = self._solution
        nodes_text = f", {used.nodes} nodes" if self._system.space else ""
        self.name = f"spectral: {used.grid.name}{nodes_text}, {used.method}, rtol {used.rtol:.0e}"
        log_computed(self.name, self.claimed_error, budget)

    def __call__(self, coordinates: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Every field at arrays of points of any one shape.

        Raises:
            ValueError: a point lies outside the problem's domain.
        """
        system = self._system
        t = np.asarray(coordinates[system.time], dtype=float)
        x = np.asarray(coordinates[system.space], dtype=float) if system.space else np.zeros_like(t)
        for name, points, bounds in ((system.time, t, system.times), (system.space, x, system.interval)):
            check_extent(cast(str, name), points, bounds)
        values = self._solution(x.ravel(), t.ravel())
        found = {name: row.reshape(t.shape) for name, row in zip(system.fields, values, strict=True)}
        return combined(self._problem, found, coordinates)


def _refined(system: EvolutionSystem, nodes: int | None, rtol: float, atol: float, budget: Budget) -> RefinementResult:
    """The finest solution; NotComputed where its error is above MAX_ERROR."""
    # `check` and `train` have checked this before; a problem may also come straight from Python
    check_well_posed(system)
    check_boundary_conditions(system)
    try:
        found = Refinement(system, nodes, rtol, atol, budget)()
    except OverBudget as error:
        raise NotComputed(f"{error}, before two solutions could be compared") from None
    except StoppedError as error:
        few = f", or {error.nodes} nodes are too few" if system.space else ""
        raise NotComputed(f"{error}: the solution blows up there{few}") from None
    if not found.error < MAX_ERROR:
        raise NotComputed(
            f"the finest solutions still differ by {found.error:.1g} (relative L2; {found.solution.nodes} nodes, "
            f"{budget.elapsed:.0f} s)"
        )
    return found
