"""Newton's method on the coefficients of features: a least-squares problem for each step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
    """
    state = _State(system, unknown, replaced)
    present = first = system.norm()
    drop, slow = 1.0, 0
    for step in range(1, steps + 1):
        before = state.read()
        change, predicted = _step(system, state, before)
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
        if linear or slow >= 2 or found <= REACHED * predicted:
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


def _step(system: System, state: _State, before: Tensor) -> tuple[Tensor, float]:
    """The change of the state, and the residual of the linearised equations after it."""
    linear = Linearisation(system.network, system.groups, [*state.unknown, *state.replaced], state.learned)
    parameters = system.parameters()
    origin = before.clone()
    if state.learned:
        origin[-len(state.learned) :] = 0.0  # their change is bounded, not their size
    solved = state.solved(before)
    problem = LeastSquares(int(solved.sum()), before)
    size = max(int(CHUNK_BYTES // (before.element_size() * linear.size)), 64)
    for name, batch in system.batches.items():
        own = system.own(batch)
        for start in range(0, len(own), size):
            part = own.take(slice(start, start + size))
            rows = linear.rows(name, part, parameters)
            for term, residual in rows.residuals.items():
                factor = system.scales[term] / math.sqrt(len(batch))
                matrix = factor * rows.jacobians[term]
                problem.add(matrix[:, solved], matrix @ origin - factor * residual)
    if system.start is not None and (system.ranks is None or system.ranks.rank == 0):
        matrix, residual = system.start.rows(linear.expansions)
        matrix = torch.cat([matrix, matrix.new_zeros(len(matrix), len(state.learned))], dim=1)
        problem.add(matrix[:, solved], matrix @ origin - residual)
    found, left = problem.solve(system.ranks)
    change = -origin
    change[solved] += found
    return change, left


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
