"""Fourier-Galerkin form of an evolution that is periodic in both space coordinates, with a diagonal linear part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import sympy
from scipy import fft

from pinnkit.language.calculus import Partial, partials, symbol
from pinnkit.language.evaluate import Program
from pinnkit.references.budget import Budget
from pinnkit.references.etdrk4 import ETDRK4
from pinnkit.references.plane.system import PlaneSystem
from pinnkit.references.semilinear import SemilinearForm
from pinnkit.references.unsupported import UnsupportedProblem

WORST_EIGENVECTORS = 1e6
ARRAYS = 60
"""Arrays of coefficients alive at once in a step, contour integrals included."""
SAMPLED = 512
"""Least samples of the initial values along each coordinate, before their high frequencies are cut off."""
CHUNK = 2**22


class PlaneModes:
    """w' = eigenvalues * w + nonlinear(t, w): w = V^-1 u holds the Fourier coefficients of every state, mode by mode.

    The wave numbers are |k| < n/2 along the first coordinate and 0 <= k < n/2 along the second. Products are computed
    at 3/2 as many points (Orszag's rule).

    Attributes:
        eigenvalues: (states, modes).

    Raises:
        UnsupportedProblem: the linear part cannot be diagonalised.
        OverBudget: it would take too much memory.
    """

    def __init__(self, system: PlaneSystem, nodes: int, parts: SemilinearForm, budget: Budget) -> None:
        self._system, self.nodes = system, nodes
        self.states = [(name, k) for name, order in system.orders.items() for k in range(order)]
        self._rows = {state: row for row, state in enumerate(self.states)}
        half = nodes // 2
        self._first = np.concatenate([np.arange(half), np.arange(1 - half, 0)])
        self._shape = len(self._first), half
        budget.check_memory(16 * ARRAYS * len(self.states) * self._shape[0] * half)
        lengths = [upper - lower for lower, upper in system.bounds.values()]
        self._waves = (
            np.repeat(2j * np.pi / lengths[0] * self._first, half),
            np.tile(2j * np.pi / lengths[1] * np.arange(half), len(self._first)),
        )
        self._diagonalise(parts)
        self._program = Program(list(parts.nonlinear.values()))
        self._read = sorted(set().union(*(partials(rest) for rest in parts.nonlinear.values())), key=str)
        self._of = [self._row(one) for one in self._read]
        self._factors = np.array([self._wave(one) for one in self._read]).reshape(len(self._read), len(self._waves[0]))
        self._many = 3 * nodes // 2
        self._points = self._grid(self._many)
        self._is_linear = all(rest == 0 for rest in parts.nonlinear.values())
        self._tops = [self._rows[name, order - 1] for name, order in system.orders.items()]

    def _grid(self, many: int) -> dict[sympy.Symbol, np.ndarray]:
        axes = [lower + (upper - lower) * np.arange(many) / many for lower, upper in self._system.bounds.values()]
        mesh = np.meshgrid(*axes, indexing="ij")
        return {symbol(name): one for name, one in zip(self._system.space, mesh, strict=True)}

    def _row(self, one: Partial) -> int:
        return self._rows[one.field, one.derivative.count(self._system.time)]

    def _wave(self, one: Partial) -> np.ndarray:
        """(modes,): the factor of a derivative in space."""
        first, second = (one.derivative.count(name) for name in self._system.space)
        return self._waves[0] ** first * self._waves[1] ** second

    def _diagonalise(self, parts: SemilinearForm) -> None:
        blocks = np.zeros((len(self._waves[0]), len(self.states), len(self.states)), dtype=complex)
        for name, order in self._system.orders.items():
            for k in range(order - 1):
                blocks[:, self._rows[name, k], self._rows[name, k + 1]] = 1.0
            for one, number in parts.linear[name].items():
                blocks[:, self._rows[name, order - 1], self._row(one)] += number * self._wave(one)
        values, vectors = np.linalg.eig(blocks)
        bad = np.linalg.cond(vectors) > WORST_EIGENVECTORS
        if (bad & (np.abs(self._waves[0]) + np.abs(self._waves[1]) > 0)).any():
            raise UnsupportedProblem("the linear part of its equations has no basis of eigenvectors")
        values[bad], vectors[bad] = 0.0, np.eye(len(self.states))
        self._left = np.where(bad[:, None, None], blocks, 0.0) if bad.any() else None
        self.eigenvalues = values.T
        self._vectors, self._inverses = vectors, np.linalg.inv(vectors)

    def _spectrum(self, values: np.ndarray) -> np.ndarray:
        """(rows, modes): the coefficients that are kept of values (rows, many, many)."""
        found = fft.rfft2(values, norm="forward", axes=(1, 2))
        return found[:, self._first, : self._shape[1]].reshape(len(values), -1)

    def _values(self, rows: np.ndarray) -> np.ndarray:
        """(rows, many, many): from the coefficients (rows, modes)."""
        full = np.zeros((len(rows), self._many, self._many // 2 + 1), dtype=complex)
        full[:, self._first, : self._shape[1]] = rows.reshape(len(rows), *self._shape)
        return fft.irfft2(full, s=(self._many, self._many), norm="forward", axes=(1, 2))

    def start(self) -> tuple[np.ndarray, np.ndarray]:
        """w at the lower end of t as one vector, and the size of what is cut off of each state, in relative L2 norm."""
        many = max(4 * self.nodes, SAMPLED)
        samples = np.array([evaluated(self._system.start[state], self._grid(many)) for state in self.states])
        rows = self._spectrum(samples)
        twice = np.where(np.tile(np.arange(self._shape[1]), self._shape[0]) > 0, 2.0, 1.0)
        whole = np.mean(samples**2, axis=(1, 2))
        lost = np.maximum(whole - np.sum(twice * np.abs(rows) ** 2, axis=1), 0.0)
        return self._mixed(self._inverses, rows).ravel(), np.sqrt(lost / np.where(whole > 0, whole, 1.0))

    @staticmethod
    def _mixed(matrices: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return rows if len(rows) == 1 else np.einsum("kij,jk->ik", matrices, rows)

    def nonlinear(self, t: float, w: np.ndarray) -> np.ndarray:
        """(states, modes): w' without its linear part."""
        if self._is_linear and self._left is None:
            return np.zeros_like(w)
        rows = self._mixed(self._vectors, w)
        inputs: dict[sympy.Basic, np.ndarray | float] = {symbol(cast(str, self._system.time)): t, **self._points}
        if self._read:
            inputs |= dict(zip(self._read, self._values(rows[self._of] * self._factors), strict=True))
        found = np.zeros_like(rows)
        rates = [np.broadcast_to(one, (self._many, self._many)) for one in self._program(inputs)]
        found[self._tops] = self._spectrum(np.array(rates, dtype=float))
        if self._left is not None:
            found += self._mixed(self._left, rows)
        return self._mixed(self._inverses, found)

    def at(self, w: np.ndarray, points: Mapping[str, np.ndarray]) -> np.ndarray:
        """(fields, k): the fields at k points, from w: (states, modes)."""
        rows = self._mixed(self._vectors, w)
        kept = rows[[self._rows[name, 0] for name in self._system.fields]].reshape(-1, *self._shape)
        kept = kept * np.where(np.arange(self._shape[1]) > 0, 2.0, 1.0)
        places = [
            2j * np.pi * (points[name] - lower) / (upper - lower)
            for name, (lower, upper) in zip(self._system.space, self._system.bounds.values(), strict=True)
        ]
        size, found = len(places[0]), []
        for begin in range(0, size, part := max(CHUNK // self._shape[0] // self._shape[1], 64)):
            left = np.exp(np.outer(places[0][begin : begin + part], self._first))
            right = np.exp(np.outer(places[1][begin : begin + part], np.arange(self._shape[1])))
            found.append(np.array([np.sum((left @ one) * right, axis=1).real for one in kept]))
        return np.concatenate(found, axis=1) if found else np.zeros((len(kept), 0))


class PeriodicSolution:
    """The solution of a periodic evolution on one grid, by ETDRK4.

    Raises:
        StoppedEarlyError: it blows up.
        OverBudget, UnsupportedProblem: see `PlaneModes`.
    """

    def __init__(
        self, system: PlaneSystem, nodes: int, parts: SemilinearForm, tolerance: float, budget: Budget
    ) -> None:
        self.system, self.nodes = system, nodes
        self._modes = PlaneModes(system, nodes, parts, budget)
        start, self.lost = self._modes.start()
        with np.errstate(all="ignore"):
            if not np.isfinite(start).all():
                raise UnsupportedProblem("its fields are not finite at the start")
            self._solution = ETDRK4(cast(Any, self._modes), system.times, start, tolerance, budget)
        self.time_error = self._solution.error

    def __call__(self, points: Mapping[str, np.ndarray]) -> np.ndarray:
        """(fields, k) at k points, with their times."""
        times = points[cast(str, self.system.time)]
        found = np.empty((len(self.system.fields), len(times)))
        moments, of = np.unique(times, return_inverse=True)
        for number, t in enumerate(moments):
            rows = np.flatnonzero(of == number)
            w = self._solution(np.array([t])).reshape(self._modes.eigenvalues.shape)
            found[:, rows] = self._modes.at(w, {name: points[name][rows] for name in self.system.space})
        return found


def evaluated(expression: sympy.Expr, points: Mapping[sympy.Symbol, np.ndarray]) -> np.ndarray:
    """An expression in the space coordinates at arrays of points."""
    first = next(iter(points.values()))
    return np.array(np.broadcast_to(Program([expression])(points)[0], first.shape), dtype=float)
