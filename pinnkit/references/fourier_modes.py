"""Fourier-Galerkin form of a periodic evolution, with a diagonal linear part."""

from __future__ import annotations

from typing import cast

import numpy as np
from scipy import fft

from pinnkit.language.calculus import Partial, partials, symbol
from pinnkit.language.evaluate import Program
from pinnkit.references.budget import Budget
from pinnkit.references.differentiation import Fourier
from pinnkit.references.evolution_system import EvolutionSystem
from pinnkit.references.method_of_lines import evaluate_at
from pinnkit.references.semilinear import SemilinearForm

START_POINTS = 2**16
"""Least number of samples of the initial values, before their high frequencies are cut off."""
WORST_EIGENVECTORS = 1e6
LARGE = 1e3
"""Largest norm times duration of a block without good eigenvectors that may stay in the nonlinear part."""
ARRAYS = 60
"""Arrays of coefficients alive at once in a step of the exponential methods, contour integrals included."""


class NotDiagonalError(Exception):
    """The linear part has (nearly) dependent eigenvectors at some wave number, and is large there."""


class FourierModes:
    """w' = eigenvalues * w + nonlinear(t, w): w = V^-1 u holds the Fourier coefficients of every state, mode by mode.

    u_k: (states,) are the coefficients of d^j f/dt^j at the wave number k, V_k the eigenvectors of the block L_k
    (states x states) of the linear part with constant coefficients. The nonlinear part is evaluated at 3/2 as many
    points as the nodes (Orszag's rule, exact for quadratic terms), the highest cosine left out.

    Args:
        nodes: number of nodes n in x, even; wave numbers 0 .. n/2 - 1 are kept.

    Attributes:
        size: length of y, which is w as one complex vector.
        eigenvalues: (states, n/2).

    Raises:
        NotDiagonalError: the linear part cannot be diagonalised.
        OverBudget: it would take too much memory.
    """

    def __init__(self, system: EvolutionSystem, nodes: int, parts: SemilinearForm, budget: Budget) -> None:
        self._system, self._parts, self.grid = system, parts, Fourier(*system.interval, nodes)
        self.states = [(field, k) for field, order in system.orders.items() for k in range(order)]
        self._count = nodes // 2
        self.size = len(self.states) * self._count
        budget.check_memory(16 * ARRAYS * self.size)
        self._wave = 2j * np.pi / (system.interval[1] - system.interval[0]) * np.arange(self._count)
        self._rows = {state: row for row, state in enumerate(self.states)}
        self._diagonalise()
        self._program = Program(list(parts.nonlinear.values()))
        read = sorted(set().union(*(partials(rest) for rest in parts.nonlinear.values())), key=str)
        self._read, self._of = read, [self._row(one) for one in read]
        self._factors = np.array([self._wave ** self._order(one) for one in read]).reshape(-1, self._count)
        self._many = 3 * nodes // 2
        self._points = (
            system.interval[0] + (system.interval[1] - system.interval[0]) * np.arange(self._many) / self._many
        )
        self._is_linear = all(rest == 0 for rest in parts.nonlinear.values()) and self._undiagonalised is None
        self._tops = [self._rows[field, order - 1] for field, order in system.orders.items()]

    def _row(self, one: Partial) -> int:
        return self._rows[one.field, one.derivative.count(self._system.time)]

    def _order(self, one: Partial) -> int:
        return len(one.derivative) - one.derivative.count(self._system.time)

    def _diagonalise(self) -> None:
        """Diagonalise the blocks; small blocks without good eigenvectors stay in the nonlinear part."""
        blocks = np.zeros((self._count, len(self.states), len(self.states)), dtype=complex)
        for field, order in self._system.orders.items():
            for k in range(order - 1):
                blocks[:, self._rows[field, k], self._rows[field, k + 1]] = 1.0
            for one, number in self._parts.linear[field].items():
                blocks[:, self._rows[field, order - 1], self._row(one)] += number * self._wave ** self._order(one)
        values, vectors = np.linalg.eig(blocks)
        bad = np.linalg.cond(vectors) > WORST_EIGENVECTORS
        duration = self._system.times[1] - self._system.times[0]
        if bad.any() and np.abs(blocks[bad]).max() * duration > LARGE:
            raise NotDiagonalError
        values[bad], vectors[bad] = 0.0, np.eye(len(self.states))
        self._undiagonalised = np.where(bad[:, None, None], blocks, 0.0) if bad.any() else None
        self.eigenvalues = values.T
        self._is_scalar = len(self.states) == 1
        self._vectors, self._inverses = vectors, np.linalg.inv(vectors)

    def _multiply_modes(self, matrices: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return rows if self._is_scalar else np.einsum("kij,jk->ik", matrices, rows)

    def start(self) -> np.ndarray:
        """y at the lower end of t."""
        many = max(16 * len(self.grid.nodes), START_POINTS)
        lower, upper = self._system.interval
        points = lower + (upper - lower) * np.arange(many) / many
        samples = [evaluate_at(self._system.start[state], points) for state in self.states]
        rows = np.array([fft.rfft(values, norm="forward")[: self._count] for values in samples])
        return self._multiply_modes(self._inverses, rows).ravel()

    def nonlinear(self, t: float, w: np.ndarray) -> np.ndarray:
        """(states, n/2): w' without its linear part, at w: (states, n/2)."""
        if self._is_linear:
            return np.zeros_like(w)
        rows = self._multiply_modes(self._vectors, w)
        inputs = {symbol(cast(str, self._system.time)): t, symbol(cast(str, self._system.space)): self._points}
        if self._read:
            values = fft.irfft(rows[self._of] * self._factors, n=self._many, norm="forward", axis=1)
            inputs |= dict(zip(self._read, values, strict=True))
        rates = np.array([np.broadcast_to(one, self._many) for one in self._program(inputs)], dtype=float)
        found = np.zeros_like(rows)
        found[self._tops] = fft.rfft(rates, norm="forward", axis=1)[:, : self._count]
        if self._undiagonalised is not None:
            found += self._multiply_modes(self._undiagonalised, rows)
        return self._multiply_modes(self._inverses, found)

    def fields(self, t: float, y: np.ndarray) -> np.ndarray:
        """(fields, n): the fields at the nodes."""
        rows = self._multiply_modes(self._vectors, y.reshape(len(self.states), -1))
        kept = [self._rows[field, 0] for field in self._system.fields]
        return fft.irfft(rows[kept], n=len(self.grid.nodes), norm="forward", axis=1)
