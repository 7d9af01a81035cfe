"""pinnkit's own classical solver: spectral in space, adaptive in time, from the same equations as the network."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import numpy as np

from pinnkit.problem.problem import Problem
from pinnkit.references.budget import DEFAULT_BYTES, DEFAULT_SECONDS, Budget, OverBudget
from pinnkit.references.evolution_system import EvolutionSystem, read_evolution_system
from pinnkit.references.refinement import Refinement, RefinementResult
from pinnkit.references.time_integration import StoppedError
from pinnkit.references.unsupported import UnsupportedProblem
from pinnkit.references.well_posedness import check_boundary_conditions, check_well_posed

__all__ = ["NotComputed", "Spectral", "UnsupportedProblem"]

log = logging.getLogger("pinnkit.references")

WARN_ERROR = 1e-6  # above this the log warns
MAX_ERROR = 0.1  # above this there is no reference
ROUNDING = 1e-13


class NotComputed(Exception):
    """No reference of use within the time and the memory that it may take."""


class Spectral:
    """The solution of a problem in t, or in t and one space coordinate x, by the method of lines.

    In x: Fourier collocation where the problem is periodic, Chebyshev collocation otherwise, the values at the ends
    from the boundary conditions at every moment. In t: DOP853, or Radau where the problem is stiff. Periodic problems
    with a stiff linear part of constant coefficients (diffusion, dispersion, higher orders) as Fourier coefficients, by
    ETDRK4 or by DOP853 with an integrating factor.

    The residuals are to be linear in each field's highest derivative in time, the conditions to give every lower
    derivative in time at the lower end of t and, at the ends of x, as many linear equations as the orders in x add
    up to. A learned parameter takes its value under `exact`. The condition u(x=0) = u(x=1) alone means that u is
    periodic, with all its derivatives.

    Attributes:
        fields: names of all fields.
        name: the method, as in "spectral: Chebyshev, 128 nodes, Radau, rtol 1e-10".
        claimed_error: relative L2 norm (the worst field's) of how far two refinements moved the answer, summed, from
            half the nodes to these and from larger tolerances to these, with what the grid leaves unresolved.
        grid: None, for the solution is known everywhere.

    Args:
        nodes: number of nodes in x, even; by default 64 (32 for high derivatives), doubled until that moves the answer
            by less than 1e-8 or no longer improves it, or up to 512 (Chebyshev) or 2048 (Fourier).
        rtol, atol: relative and absolute tolerance of a step in time, made larger where rounding defeats them.
        max_time, memory: seconds and bytes that it may take. Where they end, the finest solution that could be
            compared with another is taken.

    Raises:
        UnsupportedProblem: the problem is of another kind; the message says what and names the other references.
        NotComputed: no two solutions that agree to a tenth were found with the time and memory allowed, or the
            integration stopped on every grid.

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
        self.fields = self._system.fields
        log.info("reference: computing by the method of lines (at most %g s)", max_time)
        found = _refined(self._system, nodes, rtol, atol, budget)
        self._march, self.claimed_error = found.march, found.error + ROUNDING
        method = f"{self._march.method}, rtol {self._march.rtol:.0e}"
        place = f"{self._march.grid.name}, {self._march.nodes} nodes" if self._system.space else self._march.grid.name
        self.name = f"spectral: {place}, {method}"
        log.info("reference: %s; %.1f s, claimed error %.1e", self.name, budget.spent, self.claimed_error)
        if self.claimed_error > WARN_ERROR:
            log.warning(
                "the reference (%s) has a claimed error of %.1e (relative L2); smaller errors cannot be measured",
                *(self.name, self.claimed_error),
            )

    def __call__(self, coordinates: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Every field at arrays of points of any one shape.

        Raises:
            ValueError: a point lies outside the problem's domain.
        """
        system = self._system
        t = np.asarray(coordinates[system.time], dtype=float)
        x = np.asarray(coordinates[system.space], dtype=float) if system.space else np.zeros_like(t)
        for name, points, bounds in ((system.time, t, system.times), (system.space, x, system.interval)):
            slack = 1e-12 * (bounds[1] - bounds[0])
            if points.size and not (points.min() >= bounds[0] - slack and points.max() <= bounds[1] + slack):
                raise ValueError(
                    f"{name} reaches from {points.min():g} to {points.max():g}; the reference is known in "
                    f"[{bounds[0]:g}, {bounds[1]:g}]"
                )
        values = self._march(x.ravel(), t.ravel())
        return {name: row.reshape(t.shape) for name, row in zip(self.fields, values, strict=True)}


def _refined(system: EvolutionSystem, nodes: int | None, rtol: float, atol: float, budget: Budget) -> RefinementResult:
    """The finest solution, where it is of use."""
    # `check` and `train` have refused these before; a problem may also come straight from Python
    check_well_posed(system)
    check_boundary_conditions(system)
    try:
        found = Refinement(system, nodes, rtol, atol, budget)()
    except OverBudget as error:
        raise NotComputed(f"{error}, before two solutions could be compared") from None
    except StoppedError as error:
        nodes = f", or {error.nodes} nodes are too few" if system.space else ""
        raise NotComputed(f"{error}: the solution blows up there{nodes}") from None
    if not found.error < MAX_ERROR:
        raise NotComputed(
            f"the finest solutions still differ by {found.error:.1g} (relative L2; {found.march.nodes} nodes, "
            f"{budget.spent:.0f} s)"
        )
    return found
