"""Newton's method on the coefficients of features: a least-squares problem for each step."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pinnkit.engines.model import Model
from pinnkit.features.least_squares import LeastSquares, Shares
from pinnkit.features.linearise import Expansion, Linearisation
from pinnkit.features.start import Start
from pinnkit.losses.residuals import TermGroup
from pinnkit.networks.bounded import unbounded
from pinnkit.networks.fields import FieldNetworks
from pinnkit.sampling.point_set import PointSet

CHUNK_BYTES = 2**27
"""Size of the rows of a chunk of points."""
HALVINGS = 10
"""Halvings of a step in a line search."""
CHORDS = 8
"""Steps with the same factor at most."""
CHORD_PAYS = 2.0
"""The factor by which such a step must lower the residual for another one."""
KEPT_BYTES = 2**30
"""Size of the rows that are kept for such steps."""
REACHED = 1.2
"""The multiple of the linearised residual from which a step is the last: what is left, features do not resolve."""
STALLED = 0.9
"""A step that leaves more than this share of the residual is the last where the step before it did too."""


@dataclass(frozen=True)
class System:
    """The terms of a problem at points, each with the factor of its residuals.

    Attributes:
        model: with the network that features are added to.
        batches: group -> points.
        scales: term -> the factor on each of its residuals; the mean over its points is taken besides.
        ranks: processes that share the rows; None: one.
        start: what the features meet besides, at the start of a slab of time.
    """

    model: Model
    groups: Mapping[str, TermGroup]
    batches: Mapping[str, PointSet]
    scales: Mapping[str, float]
    ranks: Shares | None = None
    start: Start | None = None

    @property
    def network(self) -> FieldNetworks:
        network = self.model.network
        assert isinstance(network, FieldNetworks)
        return network

    def parameters(self) -> dict[str, Tensor]:
        """Every parameter of the problem as a scalar tensor."""
        like = next(iter(self.batches.values())).coordinates
        learned = {name: one.detach().to(like) for name, one in self.model.learned.items()}
        return self.model.parameters(learned, self.model.constants(like))

    def own(self, batch: PointSet) -> PointSet:
        """This process's share of the points."""
        if self.ranks is None or self.ranks.count == 1:
            return batch
        return batch.take(slice(self.ranks.rank, None, self.ranks.count))

    def sizes(self) -> dict[str, np.ndarray]:
        """The root of the sum over a group's terms of (scale * residual)^2 at each of its points, (n,)."""
        linear = Linearisation(self.network, self.groups, expansions_of(self.network))
        found = {}
        for name, batch in self.batches.items():
            rows = linear.rows(name, batch, self.parameters(), jacobian=False).residuals
            total = sum((self.scales[term] * one).square() for term, one in rows.items())
            found[name] = torch.as_tensor(total).sqrt().double().cpu().numpy()
        return found

    def norm(self) -> float:
        """The root of the sum over terms of scale^2 times the mean of the squared residual, on all processes."""
        linear = Linearisation(self.network, self.groups, [])
        total = 0.0
        parameters = self.parameters()
        for name, batch in self.batches.items():
            for term, residual in linear.rows(name, batch, parameters, jacobian=False).residuals.items():
                total += float((self.scales[term] * residual).square().mean())
        if self.start is not None:
            total += float(self.start.rows(expansions_of(self.network))[1].square().sum())
        return math.sqrt(total) if math.isfinite(total) else math.inf


def expansions_of(network: FieldNetworks) -> list[Expansion]:
    """The features of a network, with the fields that they are added to."""
    return [
        Expansion(module, tuple(network.members[group]))
        for module, group in zip(network.expansions, network.expanded, strict=True)
    ]


@dataclass(frozen=True)
class Solved:
    """How a solve ended.

    Attributes:
        residual: its norm afterwards.
        steps: Newton steps.
        converged: whether the last step changed the residual no more.
        drops: the factor by which the linearised residual fell in the first step.
    """

    residual: float
    steps: int
    converged: bool
    drop: float


def newton(
    system: System,
    unknown: Sequence[Expansion],
    steps: int,
    linear: bool,
    replaced: Sequence[Expansion] = (),
    hopeless: float = math.inf,
    enough: float = 0.0,
) -> Solved:
    """Solve for the coefficients of some expansions (and the learned numbers), the others staying as they are.

    With A the Jacobian at the present state, c the unknown coefficients there and r the residuals, a step solves
    A c' = A c - r for the coefficients themselves, so that their size is bounded in every step; a line search halves
    c' - c until the residual is smaller.

    Args:
        steps: at most.
        linear: one step is exact.
        replaced: expansions whose place the unknown ones take in the first step, which is not searched.
        hopeless: a linearised residual above this ends it.
        enough: a residual below this ends it too.
    """
    state = _State(system, unknown, replaced)
    present = first = system.norm()
    drop, slow = 1.0, 0
    for step in range(1, steps + 1):
        before = state.read()
        equations = _Linearised(system, state, before)
        change, predicted = equations.solve()
        if step == 1:
            drop = first / predicted if predicted > 0 else math.inf
        found: float | None
        if replaced and step == 1:
            state.write(before + change)
            found = system.norm()
            if not math.isfinite(found):
                found = None
        else:
            found = _search(system, state, before, change, present, linear)
        if found is None:
            state.write(before)
            return Solved(present, step - 1, step > 1, drop)
        slow = slow + 1 if found > STALLED * present else 0
        present = found
        reached = present <= REACHED * predicted
        if not linear and not reached:  # what the former linearisation left is no bound on what a new one will
            present = _chords(system, state, equations, present, max(predicted, enough))
        if linear or slow >= 2 or reached or present <= enough:
            return Solved(present, step, True, drop)
        if predicted > hopeless:
            break
    return Solved(present, step, False, drop)


def _search(
    system: System, state: _State, before: Tensor, change: Tensor, present: float, linear: bool
) -> float | None:
    """The residual after the longest of the halved steps that makes it smaller; None: none does."""
    length = 1.0
    for _ in range(1 if linear else HALVINGS):
        state.write(before + length * change)
        found = system.norm()
        if found < present:
            return found
        length /= 2
    return None


def _chords(system: System, state: _State, equations: _Linearised, present: float, predicted: float) -> float:
    """Go on with the factor of the last step, which costs little, as long as that pays; the residual then.

    These are steps of the chord method, d = -(A'A)^-1 A'r with the A of the last linearisation.
    """
    for _ in range(CHORDS):
        before = state.read()
        change = equations.chord()
        if change is None:
            break
        state.write(before + change)
        found = system.norm()
        if not found < present:
            state.write(before)
            break
        fell, present = present / found, found
        if fell < CHORD_PAYS or present <= REACHED * predicted:
            break
    return present


class _Linearised:
    """The linearised equations at a state: their matrix by rows, and its factor."""

    def __init__(self, system: System, state: _State, before: Tensor) -> None:
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


class _State:
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
