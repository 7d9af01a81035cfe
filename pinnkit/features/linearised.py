"""Linearised equations as a least-squares problem for the coefficients of features and learned numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from pinnkit.features.expansions import Expansion
from pinnkit.features.least_squares import LeastSquares
from pinnkit.features.linearise import Linearisation
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
        self._problem = LeastSquares(int(self._solved.sum()), before)
        self._rows: list[Tensor] | None = []
        for matrix, residual in self._parts(jacobian=True):
            assert matrix is not None
            own = matrix[:, self._solved]
            self._problem.add(own, matrix @ self._origin - residual)
            if self._rows is not None:
                self._rows.append(own)
                if sum(one.numel() for one in self._rows) * before.element_size() > KEPT_BYTES:
                    self._rows = None

    def _parts(self, jacobian: bool) -> Iterator[tuple[Tensor | None, Tensor]]:
        """Matrix and residuals at the present state, of each term and chunk of this process's points."""
        system, state = self._system, self._state
        linear = Linearisation(system.network, system.groups, [*state.unknown, *state.replaced], state.learned)
        parameters = system.parameters()
        size = max(int(CHUNK_BYTES // (self._origin.element_size() * linear.size)), 64)
        for name, batch in system.batches.items():
            own = system.own(batch)
            for start in range(0, len(own), size):
                rows = linear.rows(name, own.take(slice(start, start + size)), parameters, jacobian)
                for term, residual in rows.residuals.items():
                    if system.shift is not None:
                        residual = residual - system.own_values(system.shift[term])[start : start + size]
                    factor = system.scales[term] / math.sqrt(len(batch))
                    yield factor * rows.jacobians[term] if jacobian else None, factor * residual
        if system.start is not None and (system.ranks is None or system.ranks.rank == 0):
            matrix, residual = system.start.rows(linear.expansions)
            yield torch.cat([matrix, matrix.new_zeros(len(matrix), len(state.learned))], dim=1), residual

    def solve(self) -> tuple[Tensor, float]:
        """The change of the state, and the residual of the linearised equations after it."""
        found, left = self._problem.solve(self._system.ranks)
        change = -self._origin
        change[self._solved] += found
        return change, left

    def rows(self) -> Tensor:
        """Rows (n, unknowns) whose products with a change have the norm of that of the residuals."""
        return self._problem.joined(self._system.ranks)[:, :-1]

    def chord(self) -> Tensor | None:
        """The change that the residual at the present state asks for with the same matrix; None: it is not kept."""
        ranks = self._system.ranks
        if self._rows is None:
            return None
        gradient = self._origin.new_zeros(self._problem.size)
        for rows, (_, residual) in zip(self._rows, self._parts(jacobian=False), strict=True):
            gradient += rows.T @ residual
        if ranks is not None and ranks.count > 1:
            gradient = torch.stack(ranks.gathered(gradient)).sum(dim=0)
        change = torch.zeros_like(self._origin)
        change[self._solved] = -self._problem.step(gradient)
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
