"""Steady systems on a rectangle: collocation on a tensor grid, and Newton's method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import cast

import numpy as np
import sympy
from scipy import linalg

from pinnkit.language.calculus import Partial, partials, symbol
from pinnkit.language.evaluate import Program
from pinnkit.language.linear import slopes
from pinnkit.references.budget import Budget
from pinnkit.references.differentiation import Chebyshev, Fourier
from pinnkit.references.plane.system import FaceCondition, PlaneSystem
from pinnkit.references.unsupported import UnsupportedProblem

ITERATIONS, HALVINGS = 40, 12
CONVERGED = 1e-12
"""Size of a step, relative to the solution, at which Newton's method ends."""
MATRICES = 4
"""Dense matrices alive at once."""
SINGULAR = 1e-14
"""Reciprocal condition number, of a matrix with rows of size 1, below which the conditions fix no solution."""


class NotConvergedError(Exception):
    """Newton's method finds no solution."""


class Rectangle:
    """A tensor grid: Chebyshev nodes where there are ends, equispaced ones where the fields are periodic."""

    def __init__(self, system: PlaneSystem, nodes: int) -> None:
        self.system, self.nodes = system, nodes
        self.grids = [
            (Fourier if name in system.periodic else Chebyshev)(*system.bounds[name], nodes) for name in system.space
        ]
        self.count = nodes * nodes
        mesh = np.meshgrid(*(grid.nodes for grid in self.grids), indexing="ij")
        self.points = {symbol(name): one.ravel() for name, one in zip(system.space, mesh, strict=True)}

    @cached_property
    def sides(self) -> dict[tuple[str, int], np.ndarray]:
        """Face -> the numbers of its nodes."""
        numbers = np.arange(self.count).reshape(self.nodes, self.nodes)
        found = {}
        for axis, name in enumerate(self.system.space):
            for end in (0, 1):
                if name not in self.system.periodic:
                    found[name, end] = cast(np.ndarray, numbers.take(-end, axis=axis))
        return found

    @cached_property
    def edge(self) -> np.ndarray:
        """The numbers of the nodes on faces, in order."""
        return np.unique(np.concatenate([*self.sides.values(), np.empty(0, int)])).astype(int)

    def along(self, axis: int, order: int) -> np.ndarray:
        """(nodes, nodes): the derivative along one coordinate."""
        grid = self.grids[axis]
        return grid.collocation(order) if isinstance(grid, Fourier) else grid.matrix(order)

    def orders(self, one: Partial) -> tuple[int, int]:
        first, second = self.system.space
        return one.derivative.count(first), one.derivative.count(second)

    def derivative(self, one: Partial, values: np.ndarray) -> np.ndarray:
        """A derivative at all nodes, (count,)."""
        a, b = self.orders(one)
        found = values.reshape(self.nodes, self.nodes)
        found = self.along(0, a) @ found if a else found
        return (found @ self.along(1, b).T if b else found).ravel()

    def matrix(self, one: Partial, rows: np.ndarray) -> np.ndarray:
        """(rows, count): a derivative at some nodes, from the values at all."""
        a, b = self.orders(one)
        first, second = self.along(0, a)[rows // self.nodes], self.along(1, b)[rows % self.nodes]
        return (first[:, :, None] * second[:, None, :]).reshape(len(rows), -1)

    def interpolated(self, values: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """(k,): values at all nodes to those at k points."""
        left = self.grids[0].interpolation(first) @ values.reshape(self.nodes, self.nodes)
        return np.einsum("kj,kj->k", left, self.grids[1].interpolation(second))


class EdgeRows:
    """The conditions at the nodes on faces: sum over fields of rows * values + rest = 0, one for each field.

    At a corner a condition for a value goes before one with derivatives; of two with derivatives the sum is taken.
    """

    def __init__(self, rectangle: Rectangle, known: Mapping[sympy.Basic, float]) -> None:
        system, count = rectangle.system, rectangle.count
        self.rectangle, self.fields = rectangle, system.fields
        places = {number: place for place, number in enumerate(rectangle.edge)}
        edges = len(places)
        self.rows = np.zeros((len(self.fields), edges, len(self.fields) * count))
        self._parts: list[tuple[int, np.ndarray, np.ndarray, Program, np.ndarray]] = []
        taken: dict[tuple[int, int], bool] = {}
        for face, conditions in system.faces.items():
            numbers = rectangle.sides[face]
            for field, condition in enumerate(conditions):
                kept = self._kept(field, condition, numbers, taken)
                self._add(field, condition, numbers[kept], places, known)

    def _kept(
        self, field: int, condition: FaceCondition, numbers: np.ndarray, taken: dict[tuple[int, int], bool]
    ) -> np.ndarray:
        """Which nodes of a face the condition is written for; an earlier one may give way at a corner."""
        kept = []
        for number in numbers.tolist():
            former = taken.get((field, number))
            if former is None or (condition.gives_values and not former):
                if former is False:
                    self._drop(field, number)
                taken[field, number] = condition.gives_values
                kept.append(True)
            else:
                kept.append(not former and not condition.gives_values)
        return np.array(kept, dtype=bool)

    def _drop(self, field: int, number: int) -> None:
        place = int(np.searchsorted(self.rectangle.edge, number))
        self.rows[field, place] = 0.0
        self._parts = [
            (one, rows, numbers, program, counted & (rows != place) if one == field else counted)
            for one, rows, numbers, program, counted in self._parts
        ]

    def _add(
        self,
        field: int,
        condition: FaceCondition,
        numbers: np.ndarray,
        places: Mapping[int, int],
        known: Mapping[sympy.Basic, float],
    ) -> None:
        count = self.rectangle.count
        rows = np.array([places[number] for number in numbers.tolist()], dtype=int)
        at = {name: one[numbers] for name, one in self.rectangle.points.items()}
        factors = Program(list(condition.factors))({**at, **known})
        for one, factor in zip(condition.unknowns, factors, strict=True):
            block = self.fields.index(one.field) * count
            part = np.broadcast_to(factor, len(rows))[:, None] * self.rectangle.matrix(one, numbers)
            self.rows[field, rows, block : block + count] += part
        self._parts.append((field, rows, numbers, Program([condition.rest]), np.ones(len(rows), dtype=bool)))

    def rest(self, known: Mapping[sympy.Basic, float]) -> np.ndarray:
        """(fields, edges): the terms without a field."""
        found = np.zeros(self.rows.shape[:2])
        for field, rows, numbers, program, counted in self._parts:
            at = {name: one[numbers] for name, one in self.rectangle.points.items()}
            values = np.broadcast_to(program({**at, **known})[0], len(rows))
            found[field, rows[counted]] += values[counted]
        return found


class SteadySolution:
    """The solution of a steady system on one grid.

    Raises:
        OverBudget: it would take more time or memory than allowed.
        NotConvergedError: Newton's method finds no solution.
        UnsupportedProblem: the linearised equations have no unique solution.
    """

    def __init__(self, system: PlaneSystem, nodes: int, budget: Budget, start: SteadySolution | None = None) -> None:
        self.system, self.nodes, self.rectangle = system, nodes, Rectangle(system, nodes)
        self._size = len(system.fields) * self.rectangle.count
        budget.check_memory(8 * MATRICES * self._size**2)
        self._budget = budget
        self._edge = EdgeRows(self.rectangle, {})
        self._rest = self._edge.rest({})
        texts = list(system.residuals.values())
        self._program = Program(texts)
        self._read = [sorted(partials(one), key=str) for one in texts]
        self._slopes = [Program(slopes(one, read)) for one, read in zip(texts, self._read, strict=True)]
        self.values = self._newton(self._first(start))

    def __call__(self, points: Mapping[str, np.ndarray]) -> np.ndarray:
        """(fields, k) at k points."""
        first, second = (points[name] for name in self.system.space)
        return np.array([self.rectangle.interpolated(row, first, second) for row in self.values])

    def _first(self, start: SteadySolution | None) -> np.ndarray:
        if start is None:
            return np.zeros((len(self.system.fields), self.rectangle.count))
        return start({str(name): one for name, one in self.rectangle.points.items()})

    def _newton(self, values: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            residual = self._residual(values)
            for _ in range(ITERATIONS):
                self._budget.check_time()
                step = self._step(values, residual)
                shrunk = 1.0
                for _ in range(HALVINGS):
                    found = values + shrunk * step
                    moved = self._residual(found)
                    if np.isfinite(moved).all() and (
                        np.linalg.norm(moved) <= (1 - shrunk / 4) * np.linalg.norm(residual) or _small(step, found)
                    ):
                        break
                    shrunk /= 2
                else:
                    raise NotConvergedError
                values, residual = found, moved
                if shrunk == 1.0 and _small(step, values):
                    return values
        raise NotConvergedError

    def _inputs(self, values: np.ndarray, read: Sequence[Partial]) -> dict[sympy.Basic, np.ndarray]:
        fields = self.system.fields
        found = {one: self.rectangle.derivative(one, values[fields.index(one.field)]) for one in read}
        return {**self.rectangle.points, **found}

    def _residual(self, values: np.ndarray) -> np.ndarray:
        """(fields, count): equations inside, scaled conditions on the faces."""
        read = sorted({one for ones in self._read for one in ones}, key=str)
        found = np.array(
            [np.broadcast_to(one, self.rectangle.count) for one in self._program(self._inputs(values, read))],
            dtype=float,
        )
        if len(self.rectangle.edge):
            found[:, self.rectangle.edge] = self._edge.rows @ values.ravel() + self._rest
        return found

    def _step(self, values: np.ndarray, residual: np.ndarray) -> np.ndarray:
        count, every = self.rectangle.count, np.arange(self.rectangle.count)
        matrix = np.zeros((self._size, self._size))
        for number, (read, program) in enumerate(zip(self._read, self._slopes, strict=True)):
            rows = slice(number * count, (number + 1) * count)
            for one, slope in zip(read, program(self._inputs(values, read)), strict=True):
                block = self.system.fields.index(one.field) * count
                part = np.broadcast_to(slope, count)[:, None] * self.rectangle.matrix(one, every)
                matrix[rows, block : block + count] += part
            if len(self.rectangle.edge):
                matrix[number * count + self.rectangle.edge] = self._edge.rows[number]
        sizes = np.abs(matrix).max(axis=1)
        if not (np.isfinite(sizes).all() and (sizes > 0).all()):
            raise UnsupportedProblem("its equations are singular at a node of the grid, or say nothing there")
        matrix /= sizes[:, None]
        norm = np.abs(matrix).sum(axis=0).max()
        factors, pivots = linalg.lu_factor(matrix, overwrite_a=True, check_finite=False)
        (reciprocal, _) = linalg.lapack.dgecon(factors, norm)
        if reciprocal < SINGULAR:
            raise UnsupportedProblem("its equations and conditions do not determine one solution")
        found = linalg.lu_solve((factors, pivots), -residual.ravel() / sizes, check_finite=False)
        return found.reshape(values.shape)


def _small(step: np.ndarray, values: np.ndarray) -> bool:
    return bool(np.abs(step).max() <= CONVERGED * max(np.abs(values).max(), 1e-300)) or not step.any()
