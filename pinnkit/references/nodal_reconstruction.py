"""The fields at all nodes, from their values at the collocation points and the conditions at the ends."""

from __future__ import annotations

import itertools

import numpy as np
from scipy.linalg import block_diag

from pinnkit.language.calculus import Partial, symbol
from pinnkit.language.evaluate import Program
from pinnkit.references.boundary_conditions import BoundaryCondition
from pinnkit.references.differentiation import Chebyshev
from pinnkit.references.evolution_system import EvolutionSystem
from pinnkit.references.unsupported import UnsupportedProblem

WORST_CONDITION = 1e10
"""Conditions at the ends whose matrix is worse than this do not determine the fields."""


class NodalReconstruction:
    """U = L y + N c with R(t) U + r(t) = 0, that is c = -(R N)^-1 (R L y + r).

    U: (fields * n,) stacks the fields at the nodes, y their values at the points, and R, r are the conditions at the
    ends: as many rows as there are c. L interpolates and N holds what vanishes at the points (see `Chebyshev`).

    Attributes:
        missing: field -> the number of its c.

    Raises:
        UnsupportedProblem: the conditions do not determine c.
    """

    def __init__(self, system: EvolutionSystem, grid: Chebyshev) -> None:
        self._fields, self._n = system.fields, len(grid.nodes)
        self._conditions = system.boundary.conditions
        self._time = symbol(system.time)
        self._rows = {
            (condition.end, unknown): self._row(grid, condition, unknown)
            for condition in self._conditions
            for unknown in condition.unknowns
        }
        self._factors = Program([factor for condition in self._conditions for factor in condition.factors])
        self._rests = Program([condition.rest for condition in self._conditions])
        self.missing = self._choose(system, grid)
        self._lift = block_diag(*(grid.lift(missing) for missing in self.missing.values()))
        self._vanishing = block_diag(*(grid.vanishing(missing) for missing in self.missing.values()))
        self._constant = None if self._factors.atoms else self._solve(system.times[0])

    def _row(self, grid: Chebyshev, condition: BoundaryCondition, unknown: Partial) -> np.ndarray:
        """(fields * n,): from the stacked values to one derivative of one field at one end."""
        row = np.zeros((len(self._fields), self._n))
        row[self._fields.index(unknown.field)] = grid.matrix(len(unknown.derivative))[-1 if condition.end else 0]
        return row.ravel()

    def _matrix(self, t: float) -> np.ndarray:
        """R(t): (conditions, fields * n)."""
        factors = iter(self._factors(self._at(self._factors, t)))
        rows = [
            sum(float(next(factors)) * self._rows[condition.end, unknown] for unknown in condition.unknowns)
            for condition in self._conditions
        ]
        return np.array(rows).reshape(-1, len(self._fields) * self._n)

    def _choose(self, system: EvolutionSystem, grid: Chebyshev) -> dict[str, int]:
        """How many of the conditions each field answers, all of them together and each by a field that it holds.

        As many as the order of the field's derivatives in x, or near it: in u_t = v_x, v_t = u_x with u = 0 at both
        ends u answers two conditions, and v none.
        """
        holds = [sorted({one.field for one in condition.unknowns}) for condition in self._conditions]
        orders = np.array(list(system.space_orders.values()))
        counts = {tuple(chosen.count(field) for field in self._fields) for chosen in itertools.product(*holds)}
        matrix = self._matrix(system.times[0])
        for missing in sorted(counts, key=lambda count: (np.abs(count - orders).sum(), count)):
            block = matrix @ block_diag(*(grid.vanishing(count) for count in missing))
            scale = np.abs(block).max(axis=1, keepdims=True, initial=1e-300)
            if not block.size or np.linalg.cond(block / scale) < WORST_CONDITION:
                return dict(zip(self._fields, missing, strict=True))
        names = ", ".join(dict.fromkeys(condition.name for condition in self._conditions))
        raise UnsupportedProblem(f"the conditions {names} do not determine the fields at the ends")

    def _solve(self, t: float) -> tuple[np.ndarray, np.ndarray]:
        """L - N (R N)^-1 R L and -N (R N)^-1: what y and r contribute to U."""
        matrix = self._matrix(t)
        from_rests = -self._vanishing @ np.linalg.inv(matrix @ self._vanishing)
        return self._lift + from_rests @ (matrix @ self._lift), from_rests

    def gain(self, t: float) -> np.ndarray:
        """dU/dy: (fields * n, points)."""
        return (self._constant or self._solve(t))[0]

    def __call__(self, t: float, y: np.ndarray) -> np.ndarray:
        """U as (fields, n)."""
        gain, from_rests = self._constant or self._solve(t)
        full = gain @ y
        if self._conditions:
            full += from_rests @ np.array(self._rests(self._at(self._rests, t)), dtype=float)
        return full.reshape(len(self._fields), self._n)

    def _at(self, program: Program, t: float) -> dict:
        return {self._time: t} if program.atoms else {}
