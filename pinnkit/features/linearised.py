"""Linearised equations as a least-squares problem for the coefficients of features and learned numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from pinnkit.features.expansions import Expansion
from pinnkit.features.least_squares import LeastSquares
from pinnkit.features.linearise import Linearisation
from pinnkit.features.parts import Parts
from pinnkit.features.system import System
from pinnkit.networks.bounded import unbounded

CHUNK_BYTES = 2**27
"""Size of the rows of a chunk of points."""
KEPT_BYTES = 2**30
"""Size of the rows that are kept for such steps."""


class Linearised:
    """The linearised equations at a state: their matrix by rows, and its factor."""

    def __init__(self, system: System, state: State, before: Tensor) -> None:
        self._system, self._state = system, state
        self._origin = before.clone()
        if state.learned:
            self._origin[-len(state.learned) :] = 0.0  # their change is bounded, not their size
        self._solved = state.solved(before)
        size = int(self._solved.sum())
        numbers = size * system.rows
        self._parts = Parts.of(numbers, system.ranks)
        self._problem = LeastSquares(size, before, self._parts)
        self._kept: dict[int, list[Tensor]] | None = None
        if numbers * before.element_size() <= KEPT_BYTES:
            self._kept = {part: [] for part in self._parts.own}
        everything = bool(self._solved.all())
        for part in self._parts.own:
            for matrix, residual in self._rows_of(part, jacobian=True):
                assert matrix is not None
                own = matrix if everything else matrix[:, self._solved]
                self._problem.add(own, matrix @ self._origin - residual, part)
                if self._kept is not None:
                    self._kept[part].append(own)

    def _rows_of(self, part: int, jacobian: bool) -> Iterator[tuple[Tensor | None, Tensor]]:
        """Matrix and residuals at the present state, of each term and chunk of the points of a part."""
        system, state = self._system, self._state
        linear = Linearisation(system.network, system.groups, [*state.unknown, *state.replaced], state.learned)
        parameters = system.parameters()
        size = max(int(CHUNK_BYTES // (self._origin.element_size() * linear.size)), 64)
        every = slice(part, None, self._parts.count)
        for name, batch in system.batches.items():
            own = batch if self._parts.count == 1 else batch.take(every)
            for start in range(0, len(own), size):
                rows = linear.rows(name, own.take(slice(start, start + size)), parameters, jacobian)
                for term, residual in rows.residuals.items():
                    if system.shift is not None:
                        residual = residual - system.shift[term][every][start : start + size]
                    factor = system.scales[term] / math.sqrt(len(batch))
                    yield factor * rows.jacobians[term] if jacobian else None, factor * residual
        if system.start is not None and part == 0:
            matrix, residual = system.start.rows(linear.expansions)
            yield torch.cat([matrix, matrix.new_zeros(len(matrix), len(state.learned))], dim=1), residual

    def solve(self) -> tuple[Tensor, float]:
        """The change of the state, and the residual of the linearised equations after it."""
        found, left = self._problem.solve()
        change = -self._origin
        change[self._solved] += found
        return change, left

    def rows(self) -> Tensor:
        """Rows (n, unknowns) whose products with a change have the norm of that of the residuals."""
        return self._problem.kept()[:, :-1]

    def chord(self) -> Tensor | None:
        """The change that the residual at the present state asks for with the same matrix; None: it is not kept."""
        if self._kept is None:
            return None
        gradients = []
        for part, matrices in self._kept.items():
            gradient = self._origin.new_zeros(self._problem.size)
            for matrix, (_, residual) in zip(matrices, self._rows_of(part, jacobian=False), strict=True):
                gradient += matrix.T @ residual
            gradients.append(gradient)
        change = torch.zeros_like(self._origin)
        change[self._solved] = -self._problem.step(gradients)
        return change


class State:
    """Coefficients and learned numbers, by their values, as one vector."""

    def __init__(self, system: System, unknown: Sequence[Expansion], replaced: Sequence[Expansion]) -> None:
        self._system, self.unknown, self.replaced = system, unknown, replaced
        self.learned = list(system.model.learned)
        self._bounds = {one.name: one.bounds for one in system.model.problem.learned}

    def read(self) -> Tensor:
        parts = [one.module.coefficients.detach().T.flatten() for one in (*self.unknown, *self.replaced)]
        values = self._system.parameters()
        return torch.cat([*parts, *(values[name].detach().reshape(1) for name in self.learned)])

    def solved(self, like: Tensor) -> Tensor:
        """Mask of what is solved for."""
        mask = torch.ones_like(like, dtype=torch.bool)
        begin = sum(one.size for one in self.unknown)
        mask[begin : begin + sum(one.size for one in self.replaced)] = False
        return mask

    def write(self, values: Tensor) -> None:
        """Set them; a number that would leave its bounds goes nine tenths of the way there."""
        begin = 0
        present = self._system.parameters()
        with torch.no_grad():
            for one in (*self.unknown, *self.replaced):
                part = values[begin : begin + one.size]
                one.module.coefficients.copy_(part.view(len(one.fields), -1).T)
                begin += one.size
            for name, value in zip(self.learned, values[begin:].tolist(), strict=True):
                lower, upper = self._bounds[name].lower, self._bounds[name].upper
                now = float(present[name])
                if not lower < value < upper:
                    value = now + 0.9 * ((upper if value >= upper else lower) - now)
                self._system.model.learned[name].fill_(unbounded(value, lower, upper))
