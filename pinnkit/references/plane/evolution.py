"""Evolutions on a rectangle with ends: collocation on a tensor grid, and integration in time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
import sympy
from scipy import linalg
from scipy.integrate import solve_ivp

from pinnkit.language.calculus import Partial, partials, symbol
from pinnkit.language.evaluate import Program
from pinnkit.language.linear import slopes
from pinnkit.references.budget import Budget
from pinnkit.references.plane.modes import evaluated
from pinnkit.references.plane.steady import EdgeRows, Rectangle
from pinnkit.references.plane.system import PlaneSystem
from pinnkit.references.unsupported import UnsupportedProblem

MATRICES = 8
"""Dense matrices of all states alive at once."""
EXPLICIT = 500.0, 10.0
"""Size of the Jacobian times the duration up to which the explicit method is used: a number, and one for each state,
since a step of the implicit method costs the cube of the states."""
SINGULAR = 1e-12


class StoppedError(Exception):
    """The integration stopped; the argument is the time."""


class EvolutionSolution:
    """The solution of an evolution on one grid: DOP853, or Radau where the Jacobian is large.

    The states are the values inside; those on the faces follow from the conditions, which are linear, at each time.

    Args:
        rtol: tolerance of a step, relative to the largest start.
        method: DOP853 or Radau; None: by the Jacobian.

    Raises:
        OverBudget: it would take more time or memory than allowed.
        StoppedError: it blows up.
        UnsupportedProblem: the conditions do not determine the values on the faces.
    """

    def __init__(self, system: PlaneSystem, nodes: int, rtol: float, budget: Budget, method: str | None = None) -> None:
        self.system, self.nodes, self.rectangle, self._budget = system, nodes, Rectangle(system, nodes), budget
        self._time = symbol(cast(str, system.time))
        count = self.rectangle.count
        self._inside = np.setdiff1d(np.arange(count), self.rectangle.edge)
        self._slots: dict[tuple[str, int], slice] = {}
        size = 0
        for name, order in system.orders.items():
            for k in range(order):
                self._slots[name, k] = slice(size, size + len(self._inside))
                size += len(self._inside)
        budget.check_memory(8 * MATRICES * size**2)
        self._prepare_faces()
        self._rates = {name: Program([rate]) for name, rate in system.rates.items()}
        self._read = {name: sorted(partials(rate), key=str) for name, rate in system.rates.items()}
        self._slopes = {name: Program(slopes(rate, self._read[name])) for name, rate in system.rates.items()}
        self._at = {name: one[self._inside] for name, one in self.rectangle.points.items()}
        start = np.empty(size)
        for state, slot in self._slots.items():
            start[slot] = evaluated(system.start[state], self._at)
        self._solution = self._integrated(start, rtol, method)

    def _prepare_faces(self) -> None:
        fields, count, edge = self.system.fields, self.rectangle.count, self.rectangle.edge
        for conditions in self.system.faces.values():
            for one in conditions:
                if any(self._time in factor.free_symbols for factor in one.factors):
                    raise UnsupportedProblem(f"the condition '{one.name}' has factors that vary in time")
        self._edge = EdgeRows(self.rectangle, {})
        rows = self._edge.rows.reshape(-1, len(fields) * count)
        offsets = count * np.arange(len(fields))[:, None]
        on, inner = (offsets + edge).ravel(), (offsets + self._inside).ravel()
        if np.linalg.cond(rows[:, on]) > 1 / SINGULAR:
            raise UnsupportedProblem("its conditions do not determine the fields on the sides")
        self._factors = linalg.lu_factor(rows[:, on])
        self._lift = np.zeros((len(fields) * count, len(inner)))
        self._lift[inner, np.arange(len(inner))] = 1.0
        self._lift[on] = -linalg.lu_solve(self._factors, rows[:, inner])
        self._on, self._inner = on, inner

    def full(self, t: float, y: np.ndarray) -> np.ndarray:
        """(fields, count): the values at all nodes."""
        values = np.concatenate([y[self._slots[name, 0]] for name in self.system.fields])
        found = np.empty(len(self._lift))
        found[self._inner] = values
        rest = self._edge.rest({self._time: t})
        found[self._on] = self._lift[self._on] @ values - linalg.lu_solve(self._factors, rest.ravel())
        return found.reshape(len(self.system.fields), -1)

    def _inputs(self, name: str, t: float, y: np.ndarray, full: np.ndarray) -> dict[sympy.Basic, np.ndarray | float]:
        found: dict[sympy.Basic, np.ndarray | float] = {self._time: t, **self._at}
        for one in self._read[name]:
            k = one.derivative.count(self.system.time)
            if k:
                found[one] = y[self._slots[one.field, k]]
            else:
                row = full[self.system.fields.index(one.field)]
                found[one] = self.rectangle.derivative(one, row)[self._inside]
        return found

    def rate(self, t: float, y: np.ndarray) -> np.ndarray:
        """dy/dt."""
        self._budget.check_time()
        full, change = self.full(t, y), np.empty_like(y)
        for name, order in self.system.orders.items():
            for k in range(order - 1):
                change[self._slots[name, k]] = y[self._slots[name, k + 1]]
            change[self._slots[name, order - 1]] = self._rates[name](self._inputs(name, t, y, full))[0]
        return change

    def jacobian(self, t: float, y: np.ndarray) -> np.ndarray:
        """d(rate)/dy, from the symbolic derivatives of the rates."""
        fields, count, inside = self.system.fields, self.rectangle.count, len(self._inside)
        full, found = self.full(t, y), np.zeros((len(y), len(y)))
        values = np.concatenate([np.arange(len(y))[self._slots[name, 0]] for name in fields])
        for name, order in self.system.orders.items():
            for k in range(order - 1):
                found[self._slots[name, k], self._slots[name, k + 1]] = np.eye(inside)
            rows, by_nodes = found[self._slots[name, order - 1]], np.zeros((inside, len(fields) * count))
            for one, slope in zip(self._read[name], self._slopes[name](self._inputs(name, t, y, full)), strict=True):
                factor = np.broadcast_to(slope, inside)
                k = one.derivative.count(self.system.time)
                if k:
                    rows[:, self._slots[one.field, k]] += np.diag(factor)
                else:
                    block = fields.index(one.field) * count
                    by_nodes[:, block : block + count] += factor[:, None] * self._matrix(one)
            rows[:, values] += by_nodes @ self._lift
        return found

    def _matrix(self, one: Partial) -> np.ndarray:
        return self.rectangle.matrix(one, self._inside)

    def _integrated(self, start: np.ndarray, rtol: float, method: str | None) -> Callable[[float], np.ndarray]:
        begin, end = self.system.times
        with np.errstate(all="ignore"):
            if not (np.isfinite(start).all() and np.isfinite(self.rate(begin, start)).all()):
                raise UnsupportedProblem(f"its fields or their rates are not finite at the start, t = {begin:g}")
            self.method = method or self._suitable(begin, end, start)
            found = solve_ivp(
                self.rate,
                (begin, end),
                start,
                method=cast(Any, self.method),
                rtol=rtol,
                atol=rtol * max(float(np.abs(start).max()), 1e-3),
                max_step=(end - begin) / 50,
                dense_output=True,
                **cast(dict[str, Any], {"jac": self.jacobian} if self.method == "Radau" else {}),
            )
        if not found.success:
            raise StoppedError(float(found.t[-1]))
        return cast(Any, found.sol)

    def _suitable(self, begin: float, end: float, start: np.ndarray) -> str:
        sizes = np.abs(self.jacobian(begin, start))
        largest = float(np.sqrt(sizes.sum(axis=0).max() * sizes.sum(axis=1).max())) * (end - begin)
        return "DOP853" if largest <= EXPLICIT[0] + EXPLICIT[1] * len(start) else "Radau"

    def __call__(self, points: Mapping[str, np.ndarray]) -> np.ndarray:
        """(fields, k) at k points, with their times."""
        times = points[cast(str, self.system.time)]
        found = np.empty((len(self.system.fields), len(times)))
        moments, of = np.unique(times, return_inverse=True)
        for number, t in enumerate(moments):
            rows = np.flatnonzero(of == number)
            full = self.full(float(t), self._solution(t))
            places = [points[name][rows] for name in self.system.space]
            found[:, rows] = [self.rectangle.interpolated(one, *places) for one in full]
        return found
