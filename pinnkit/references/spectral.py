"""pinnkit's own classical solver: spectral in space, adaptive in time, from the same equations as the network."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np

from pinnkit.language.calculus import TIME
from pinnkit.problem.problem import Problem
from pinnkit.references.march import FEWEST_STEPS, March, StoppedError, TooManyStepsError
from pinnkit.references.system import read_system
from pinnkit.references.unsupported import UnsupportedProblem

__all__ = ["InaccurateReference", "Spectral", "UnsupportedProblem"]

FIRST_NODES = 64
MOST_NODES = {"Chebyshev": 512, "Fourier": 2048}
GOOD = 1e-8  # refined until a refinement moves the answer by less than this
POOR = 1e-6  # above this the reference warns
TIME_FACTOR = 10.0
LARGEST_TOLERANCE = 1e-7  # an integration that fails with this one is given up


class InaccurateReference(UserWarning):
    """The reference is not as accurate as a reference should be."""


class Spectral:
    """The solution of a problem in t, or in t and one space coordinate x, by the method of lines.

    In x: Fourier collocation where the problem is periodic, Chebyshev collocation otherwise, the values at the ends
    from the boundary conditions at every moment. In t: DOP853, or Radau where the problem is stiff.

    The residuals are to be linear in each field's highest derivative in time, the conditions to give every lower
    derivative in time at the lower end of t and, at the ends of x, as many linear equations as the orders in x add
    up to. A learned parameter takes its value under `exact`.

    Attributes:
        fields: names of all fields.
        name: the method, as in "spectral: Chebyshev, 128 nodes, Radau, rtol 1e-10".
        claimed_error: relative L2 norm (the worst field's) of how far two refinements moved the answer, summed: from
            half the nodes to these, and from ten times the tolerances to these (with half the nodes).
        grid: None, for the solution is known everywhere.

    Args:
        nodes: number of nodes in x, even; by default 64 (32 for high derivatives), doubled until that moves the answer
            by less than 1e-8 or no longer improves it, or up to 512 (Chebyshev) or 2048 (Fourier).
        rtol, atol: relative and absolute tolerance of a step in time, made larger where rounding defeats them.

    Raises:
        UnsupportedProblem: the problem is of another kind; the message says what and names the other references.

    Warns:
        InaccurateReference: the claimed error is above 1e-6.

    >>> problem = Problem(coordinates={"t": [0, 1]}, fields=["u"], equations="u_t = -u",
    ...                   conditions={"start": {"at": "t = 0", "equations": "u = 1"}})
    >>> reference = Spectral(problem)
    >>> round(float(reference({"t": np.array([1.0])})["u"][0]), 9)
    0.367879441
    """

    grid: Mapping[str, np.ndarray] | None = None

    def __init__(self, problem: Problem, *, nodes: int | None = None, rtol: float = 1e-10, atol: float = 1e-12) -> None:
        if nodes is not None and (nodes < 16 or nodes % 2):
            raise ValueError(f"nodes = {nodes}: an even number of at least 16 is needed")
        if not (1e-13 <= rtol <= 1e-3 and atol > 0):
            raise ValueError(f"rtol = {rtol:g}, atol = {atol:g}: rtol must lie in [1e-13, 1e-3] and atol above zero")
        self._system = read_system(problem)
        self.fields = self._system.fields
        self._march, self.claimed_error = self._solve(nodes, rtol, atol)
        method = f"{self._march.method}, rtol {self._march.rtol:.0e}"
        place = f"{self._march.grid_name}, {self._march.nodes} nodes" if self._system.space else self._march.grid_name
        self.name = f"spectral: {place}, {method}"
        if not self.claimed_error <= POOR:
            warnings.warn(
                f"the reference of '{problem.name}' ({self.name}) moved by {self.claimed_error:.1e} (relative L2) "
                "when it was refined: errors below that cannot be measured with it",
                InaccurateReference,
                stacklevel=2,
            )

    def _solve(self, nodes: int | None, rtol: float, atol: float) -> tuple[March, float]:
        """The finest march, and its claimed error; with larger tolerances where rounding defeats these."""
        count, most = nodes or self._first_nodes(), nodes or MOST_NODES[self._kind()]
        while True:
            try:
                march, finer, in_time = self._pair(count, rtol, atol)
                break
            except TooManyStepsError:
                if rtol > LARGEST_TOLERANCE:
                    raise UnsupportedProblem(f"it takes too many steps in time, even with rtol {rtol:.0e}") from None
                rtol, atol = TIME_FACTOR * rtol, TIME_FACTOR * atol
            except StoppedError as error:
                if count >= most or self._system.space is None:
                    raise UnsupportedProblem(str(error)) from None
                count *= 2
        if self._system.space is None:
            return march, in_time
        error = self._distance(march, finer)
        while error > GOOD and finer.nodes < most:
            try:
                finest = March(self._system, 2 * finer.nodes, rtol, atol)
            except (TooManyStepsError, StoppedError):
                break
            refined = self._distance(finer, finest)
            if not refined < error:  # rounding, which grows with the nodes
                break
            finer, error = finest, refined
        return finer, error + in_time

    def _pair(self, nodes: int, rtol: float, atol: float) -> tuple[March, March, float]:
        """The marches with half the nodes and with all, and how far a coarser time moves the first."""
        march = March(self._system, nodes // 2, rtol, atol)
        loose = March(self._system, nodes // 2, TIME_FACTOR * rtol, TIME_FACTOR * atol, FEWEST_STEPS // 2)
        finer = March(self._system, nodes, rtol, atol) if self._system.space else march
        return march, finer, self._distance(loose, march)

    def _first_nodes(self) -> int:
        """Fewer for Chebyshev derivatives of high order k, whose rounding errors grow as n^(2 k)."""
        high = self._kind() == "Chebyshev" and max(self._system.space_orders.values()) > 3
        return FIRST_NODES // 2 if high else FIRST_NODES

    def _kind(self) -> str:
        return "Fourier" if self._system.boundary.periodic else "Chebyshev"

    def _distance(self, coarse: March, fine: March) -> float:
        """Relative L2 distance on a grid of 101 moments and 401 places that are no nodes, of the worst field."""
        begin, end = self._system.times
        lower, upper = self._system.interval
        t, x = np.meshgrid(np.linspace(begin, end, 101), np.linspace(lower, upper, 401), indexing="ij")
        first, second = coarse(x.ravel(), t.ravel()), fine(x.ravel(), t.ravel())
        norms = np.linalg.norm(second, axis=1)
        differences = np.linalg.norm(first - second, axis=1)
        return float(np.max(differences / np.where(norms > 0, norms, 1.0)))

    def __call__(self, coordinates: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Every field at arrays of points of any one shape.

        Raises:
            ValueError: a point lies outside the problem's domain.
        """
        t = np.asarray(coordinates[TIME], dtype=float)
        x = np.asarray(coordinates[self._system.space], dtype=float) if self._system.space else np.zeros_like(t)
        for name, points, bounds in ((TIME, t, self._system.times), (self._system.space, x, self._system.interval)):
            slack = 1e-12 * (bounds[1] - bounds[0])
            if points.size and not (points.min() >= bounds[0] - slack and points.max() <= bounds[1] + slack):
                raise ValueError(
                    f"{name} reaches from {points.min():g} to {points.max():g}; the reference is known in "
                    f"[{bounds[0]:g}, {bounds[1]:g}]"
                )
        values = self._march(x.ravel(), t.ravel())
        return {name: row.reshape(t.shape) for name, row in zip(self.fields, values, strict=True)}
