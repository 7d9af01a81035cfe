"""The residuals of a problem at collocation points."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sympy
import torch
from torch import Tensor

from pinnkit.language.calculus import Partial, partials, symbol
from pinnkit.language.evaluate import Program
from pinnkit.losses.view import PointView, ResidualError
from pinnkit.operators.derivatives import ENGINES, Derivative
from pinnkit.problem.problem import Equation, Problem
from pinnkit.sampling.points import EQUATIONS

Network = Callable[[Tensor], Tensor]
Elsewhere = tuple[tuple[str, sympy.Expr], ...]


@dataclass(frozen=True)
class Batch:
    """Points as tensors: coordinates (n, d), and further columns (n, 1) by name."""

    coordinates: Tensor
    columns: Mapping[str, Tensor]

    def __len__(self) -> int:
        return len(self.coordinates)


class Place(NamedTuple):
    """Where derivatives are evaluated: the coordinates that are replaced, by which values, and what is wanted there."""

    axes: tuple[int, ...]
    program: Program
    derivatives: dict[Derivative, Partial]


class TermGroup:
    """Equations that share a set of collocation points, and so the derivatives of the network there.

    `group(network, batch, parameters)` gives the residual of each equation, (n, 1), by the term's name.
    """

    def __init__(self, name: str, problem: Problem, equations: Sequence[Equation], engine: str = "autograd") -> None:
        self.name = name
        self.problem = problem
        self.symbolic = [equation for equation in equations if isinstance(equation.residual, sympy.Basic)]
        self.callables = [equation for equation in equations if not isinstance(equation.residual, sympy.Basic)]
        self.terms = tuple(equation.name for equation in equations)
        self.program = Program([equation.residual for equation in self.symbolic])
        self.wanted: set[Partial] = set()
        for equation in self.symbolic:
            self.wanted |= partials(equation.residual)
        self._derivatives = ENGINES[engine]
        self._fields = {field.name: index for index, field in enumerate(problem.fields)}
        self._axes = {name: index for index, name in enumerate(problem.coordinates)}
        self._symbols = [symbol(name) for name in problem.coordinates]
        self._grouped: dict[frozenset[Partial], list[Place]] = {}

    def __call__(self, network: Network, batch: Batch, parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
        values: dict[sympy.Basic, Any] = {symbol(name): value for name, value in parameters.items()}
        values |= {symbol(name): column for name, column in batch.columns.items()}
        values |= dict(zip(self._symbols, batch.coordinates.split(1, dim=1), strict=True))
        values |= self.partials(network, batch, values, self.wanted)
        computed = self.program(values)
        residuals = {equation.name: residual for equation, residual in zip(self.symbolic, computed, strict=True)}
        for equation in self.callables:
            view = PointView(equation.name, self.problem, values, lambda one: self._later(network, batch, values, one))
            residuals[equation.name] = _checked(equation.name, equation.residual(view), len(batch))
            self.wanted |= view.read  # from the next step on they share the passes of the others
        return {name: residuals[name] for name in self.terms}

    def partials(
        self, network: Network, batch: Batch, values: Mapping[sympy.Basic, Any], wanted: set[Partial]
    ) -> dict[Partial, Tensor]:
        """The wanted partial derivatives, each (n, 1), by shared passes for each place of evaluation."""
        found: dict[Partial, Tensor] = {}
        for place in self._places(frozenset(wanted)):
            points = self._moved(batch.coordinates, place, values)
            for key, value in self._derivatives(network, points, list(place.derivatives)).items():
                found[place.derivatives[key]] = value
        return found

    def _places(self, wanted: frozenset[Partial]) -> list[Place]:
        """The wanted partial derivatives by their place of evaluation; worked out once for each set."""
        if wanted not in self._grouped:
            places: dict[Elsewhere, dict[Derivative, Partial]] = {}
            for partial in sorted(wanted, key=str):
                axes = tuple(sorted(self._axes[name] for name in partial.derivative))
                places.setdefault(partial.at, {})[(self._fields[partial.field], axes)] = partial
            self._grouped[wanted] = [
                Place(tuple(self._axes[name] for name, _ in at), Program([value for _, value in at]), derivatives)
                for at, derivatives in places.items()
            ]
        return self._grouped[wanted]

    def _moved(self, points: Tensor, place: Place, values: Mapping[sympy.Basic, Any]) -> Tensor:
        if not place.axes:
            return points
        columns = list(points.split(1, dim=1))
        for axis, value in zip(place.axes, place.program(values), strict=True):
            columns[axis] = torch.as_tensor(value, dtype=points.dtype).expand(len(points), 1)
        return torch.cat(columns, dim=1)

    def _later(self, network: Network, batch: Batch, values: dict[sympy.Basic, Any], partial: Partial) -> Tensor:
        values |= self.partials(network, batch, values, {partial})
        return values[partial]


def _checked(name: str, residual: Any, count: int) -> Tensor:
    if not isinstance(residual, Tensor):
        raise ResidualError(f"the residual '{name}' gave {type(residual).__name__}, not a tensor of shape ({count}, 1)")
    if residual.shape != (count, 1):
        raise ResidualError(
            f"the residual '{name}' has shape {tuple(residual.shape)}: one number a point, ({count}, 1), is needed"
        )
    return residual


def groups(problem: Problem, engine: str = "autograd") -> tuple[TermGroup, ...]:
    """The equations as one group, and each condition as a group of its own."""
    found = [TermGroup(EQUATIONS, problem, problem.equations, engine)] if problem.equations else []
    found += [TermGroup(condition.name, problem, condition.equations, engine) for condition in problem.conditions]
    return tuple(found)


def weights(problem: Problem, given: Mapping[str, float]) -> dict[str, float]:
    """The weight of each term: the given one, else the condition's, else 1.

    A condition's name stands for all of its terms.
    """
    found = {equation.name: given.get(equation.name, 1.0) for equation in problem.equations}
    for condition in problem.conditions:
        default = given.get(condition.name, condition.weight)
        found |= {equation.name: given.get(equation.name, default) for equation in condition.equations}
    return found


def mean_square(residual: Tensor) -> Tensor:
    """The loss of a term: the mean over its points of |residual|^2."""
    return residual.square().mean()
