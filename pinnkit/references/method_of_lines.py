"""Method of lines on Chebyshev, Fourier or single points."""

from __future__ import annotations

from functools import partial
from typing import cast

import numpy as np
import sympy

from pinnkit.language import linear
from pinnkit.language.calculus import partials, symbol
from pinnkit.language.evaluate import Program
from pinnkit.references.budget import Budget
from pinnkit.references.differentiation import Chebyshev, Fourier, Grid, Point
from pinnkit.references.evolution_system import EvolutionSystem
from pinnkit.references.nodal_reconstruction import NodalReconstruction

MATRICES = 12
"""Dense matrices of all fields at all nodes alive at once: derivatives, reconstruction, Jacobian, its factors."""


class MethodOfLines:
    """y' = rate(t, y), where y stacks, field by field, d^k f/dt^k (k = 0 .. m - 1) at the field's collocation points.

    Args:
        nodes: number of nodes in x (a problem in t alone has one).

    Attributes:
        grid: the nodes in x.
        size: length of y.

    Raises:
        OverBudget: its matrices would take too much memory.
    """

    def __init__(self, system: EvolutionSystem, nodes: int, budget: Budget) -> None:
        self._system = system
        if system.space is not None and not system.boundary.periodic:
            budget.check_memory(8 * MATRICES * (len(system.fields) * nodes) ** 2)
        self.grid = _make_grid(system, nodes)
        self._expansion = NodalReconstruction(system, self.grid) if isinstance(self.grid, Chebyshev) else None
        self._missing = self._expansion.missing if self._expansion else dict.fromkeys(system.fields, 0)
        self._slots: dict[tuple[str, int], slice] = {}
        self.size = 0
        for field, order in system.orders.items():
            count = len(self.grid.points(self._missing[field]))
            for k in range(order):
                self._slots[field, k] = slice(self.size, self.size + count)
                self.size += count
        indices = np.arange(self.size)
        self._values = np.concatenate([indices[self._slots[field, 0]] for field in system.fields])
        self._rates = {field: Program([rate]) for field, rate in system.rates.items()}
        self._read = {field: sorted(partials(rate), key=str) for field, rate in system.rates.items()}
        self._slopes = {field: Program(linear.slopes(rate, self._read[field])) for field, rate in system.rates.items()}

    def start(self) -> np.ndarray:
        """y at the lower end of t."""
        y = np.empty(self.size)
        for (field, k), slot in self._slots.items():
            sampled = partial(evaluate_at, self._system.start[field, k])
            y[slot] = self.grid.sample(sampled, self._missing[field])
        return y

    def rate(self, t: float, y: np.ndarray) -> np.ndarray:
        """dy/dt."""
        full = self.fields(t, y)
        change = np.empty_like(y)
        for field, order in self._system.orders.items():
            for k in range(order - 1):
                change[self._slots[field, k]] = y[self._slots[field, k + 1]]
            change[self._highest_slot(field)] = self._rates[field](self._inputs(field, t, y, full))[0]
        return change

    def jacobian(self, t: float, y: np.ndarray) -> np.ndarray:
        """d(rate)/dy: (size, size), from the symbolic derivatives of the rates."""
        full = self.fields(t, y)
        n = full.shape[1]
        jacobian = np.zeros((self.size, self.size))
        for field, order in self._system.orders.items():
            for k in range(order - 1):
                rows = jacobian[self._slots[field, k]]
                rows[:, self._slots[field, k + 1]] = np.eye(len(rows))
            missing = self._missing[field]
            rows = jacobian[self._highest_slot(field)]
            by_nodes = np.zeros((len(rows), full.size))
            slopes = self._slopes[field](self._inputs(field, t, y, full))
            for one, slope in zip(self._read[field], slopes, strict=True):
                factor = np.broadcast_to(slope, len(rows))[:, None]
                order_in_time = one.derivative.count(self._system.time)
                if order_in_time:
                    rows[:, self._slots[one.field, order_in_time]] += factor * self._transfer(one.field, field)
                else:
                    block = self._system.fields.index(one.field) * n
                    matrix = self.grid.collocation(len(one.derivative), missing)
                    by_nodes[:, block : block + n] += factor * matrix
            rows[:, self._values] += by_nodes if self._expansion is None else by_nodes @ self._expansion.gain(t)
        return jacobian

    def fields(self, t: float, y: np.ndarray) -> np.ndarray:
        """(fields, n): the fields at the nodes."""
        values = y[self._values]
        return values.reshape(len(self._system.fields), -1) if self._expansion is None else self._expansion(t, values)

    def _highest_slot(self, field: str) -> slice:
        return self._slots[field, self._system.orders[field] - 1]

    def _transfer(self, source: str, target: str) -> np.ndarray:
        """(points of target, points of source): interpolation between the collocation points of two fields."""
        of_source, of_target = self._missing[source], self._missing[target]
        if of_source == of_target:
            return np.eye(len(self.grid.points(of_source)))
        return self.grid.collocation(0, of_target) @ cast(Chebyshev, self.grid).lift(of_source)

    def _inputs(self, field: str, t: float, y: np.ndarray, full: np.ndarray) -> dict[sympy.Basic, np.ndarray | float]:
        """The inputs of a field's rate at its collocation points: t, x, and partial derivatives."""
        missing = self._missing[field]
        inputs: dict[sympy.Basic, np.ndarray | float] = {symbol(cast(str, self._system.time)): t}
        if self._system.space is not None:
            inputs[symbol(cast(str, self._system.space))] = self.grid.points(missing)
        for one in self._read[field]:
            order_in_time = one.derivative.count(self._system.time)
            if order_in_time:
                velocity = y[self._slots[one.field, order_in_time]]
                same = self._missing[one.field] == missing
                inputs[one] = velocity if same else self._transfer(one.field, field) @ velocity
            else:
                row = full[self._system.fields.index(one.field)]
                inputs[one] = self.grid.derivative(row, len(one.derivative), missing)
        return inputs


def _make_grid(system: EvolutionSystem, nodes: int) -> Grid:
    if system.space is None:
        return Point()
    kind = Fourier if system.boundary.periodic else Chebyshev
    return kind(*system.interval, nodes)


def evaluate_at(expression: sympy.Expr, x: np.ndarray) -> np.ndarray:
    """(n,): an expression in x alone, at x: (n,)."""
    program = Program([expression])
    values = program(dict.fromkeys(program.atoms, x))[0]
    return np.array(np.broadcast_to(values, x.shape), dtype=float)
