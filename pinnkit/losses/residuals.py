"""The residuals of a problem at collocation points."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import sympy
from torch import Tensor

from pinnkit.language.calculus import Partial, normal_symbol, partials, symbol
from pinnkit.language.evaluate import Program
from pinnkit.language.integral import Integral, integrals
from pinnkit.losses.integrals import PointIntegral
from pinnkit.losses.places import Places, moved
from pinnkit.losses.view import PointView, ResidualError
from pinnkit.operators.derivatives import derivatives
from pinnkit.problem.groups import equation_groups
from pinnkit.problem.parts import Equation
from pinnkit.problem.problem import Problem
from pinnkit.sampling.point_set import PointSet

Network = Callable[[Tensor], Tensor]


class TermGroup:
    """Equations that share a set of collocation points, and so the derivatives of the network there.

    `group(network, batch, parameters)` gives the residual of each equation, (n, 1), by the term's name, times the root
    of its weight where that differs from point to point, with derivatives by nested autograd: the definition.
    """

    def __init__(self, name: str, problem: Problem, equations: Sequence[Equation]) -> None:
        self.name = name
        self.problem = problem
        self.symbolic = [equation for equation in equations if isinstance(equation.residual, sympy.Basic)]
        self.callables = [equation for equation in equations if not isinstance(equation.residual, sympy.Basic)]
        self.terms = tuple(equation.name for equation in equations)
        self.places = Places(problem)
        self.fields = self.places.fields
        roots = {one.name: sympy.sqrt(one.weight) for one in equations if not one.weight.is_number}
        self.weighted = tuple(roots)
        """The terms whose weight differs from point to point."""
        self._roots = Program(list(roots.values()))
        self.extra_partials: set[Partial] = set().union(*map(partials, roots.values()))
        """What is needed besides the equations' text: by weights, and by residuals in Python, which must have run once
        for it to be known."""
        self._program = Program([equation.residual for equation in self.symbolic])
        self._wanted = {one for equation in self.symbolic for one in partials(equation.residual)}
        self._symbols = [symbol(name) for name in problem.coordinates]
        self._normals = [normal_symbol(name) for name in problem.coordinates]
        held = dict.fromkeys(one for equation in self.symbolic for one in integrals(equation.residual))
        self.integrals = [PointIntegral(one, problem, self.places) for one in held]

    def __call__(
        self, network: Network, batch: PointSet, parameters: Mapping[str, Tensor], weigh: bool = True
    ) -> dict[str, Tensor]:
        return self.evaluated(network, batch, self.point_values(network, batch, parameters), weigh)

    def point_values(
        self, network: Network, batch: PointSet, parameters: Mapping[str, Tensor]
    ) -> dict[sympy.Basic, Any]:
        """Everything that the equations read at the points, by its symbol."""
        values = self.values(batch, parameters)
        values |= self.partials(network, batch, values, self.wanted)
        return values | {one.integral: self._integral(network, batch, values, one) for one in self.integrals}

    def evaluated(
        self, network: Network, batch: PointSet, values: dict[sympy.Basic, Any], weigh: bool = True
    ) -> dict[str, Tensor]:
        """The residual (n, 1) of each equation by its name, from what it reads."""
        computed = self._program(values)
        residuals = {equation.name: residual for equation, residual in zip(self.symbolic, computed, strict=True)}
        residuals |= {one.name: self.call(one, network, batch, values) for one in self.callables}
        if weigh:
            residuals |= {name: root * residuals[name] for name, root in self.roots(values).items()}
        return {name: cast(Tensor, residuals[name]) for name in self.terms}

    @property
    def wanted(self) -> set[Partial]:
        """The partial derivatives that the equations read, outside of integrals."""
        return self._wanted | self.extra_partials

    @property
    def cost(self) -> int:
        """Points at which the network is evaluated for each collocation point, those of integrals too."""
        return 1 + sum(one.cost for one in self.integrals)

    def roots(self, values: Mapping[sympy.Basic, Any]) -> dict[str, Any]:
        """The roots of the weights that differ from point to point, by their terms."""
        return dict(zip(self.weighted, self._roots(values), strict=True))

    def values(self, batch: PointSet, parameters: Mapping[str, Tensor]) -> dict[sympy.Basic, Any]:
        """Parameters, columns, normals and coordinates by their symbols."""
        values: dict[sympy.Basic, Any] = {symbol(name): value for name, value in parameters.items()}
        values |= {symbol(name): column for name, column in batch.columns.items()}
        if batch.normals is not None:
            values |= dict(zip(self._normals, batch.normals.split(1, dim=1), strict=True))
        return values | dict(zip(self._symbols, batch.coordinates.split(1, dim=1), strict=True))

    def call(self, equation: Equation, network: Network, batch: PointSet, values: dict[sympy.Basic, Any]) -> Tensor:
        """The residual of an equation that is a Python function; what it reads and is not known yet is computed."""

        def later(partial: Partial) -> Tensor:
            values.update(self.partials(network, batch, values, {partial}))
            return values[partial]

        view = PointView(equation, self.problem, values, later)
        residual = _checked(equation.name, equation.residual(view), len(batch))
        self.extra_partials |= view.read  # from the next step on they share the passes of the others
        return residual

    def partials(
        self, network: Network, batch: PointSet, values: Mapping[sympy.Basic, Any], wanted: set[Partial]
    ) -> dict[Partial, Tensor]:
        """The wanted partial derivatives, each (n, 1), by shared passes for each place of evaluation."""
        found: dict[Partial, Tensor] = {}
        for place in self.places(wanted):
            points = moved(batch.coordinates, place, values)
            for key, value in derivatives(network, points, list(place.derivatives)).items():
                found[place.derivatives[key]] = value
        return found

    def quadrature_changes(
        self, network: Network, batch: PointSet, parameters: Mapping[str, Tensor]
    ) -> dict[Integral, float]:
        """By how much twice the nodes along each coordinate change each integral at the points, relative to the largest
        integral of the body's size."""
        values, changes = self.values(batch, parameters), {}
        for one in self.integrals:
            fine = PointIntegral(one.integral, self.problem, self.places, refined=2)
            terms = [
                each.terms(
                    batch.coordinates,
                    values,
                    [derivatives(network, *request) for request in each.requests(batch.coordinates, values)],
                ).detach()
                for each in (one, fine)
            ]
            change = (terms[1].sum(dim=1) - terms[0].sum(dim=1)).abs().max()
            size = terms[1].abs().sum(dim=1).max()
            changes[one.integral] = float(change / size) if size > 0 else 0.0
        return changes

    @staticmethod
    def _integral(
        network: Network, batch: PointSet, values: Mapping[sympy.Basic, Any], integral: PointIntegral
    ) -> Tensor:
        """An integral at the points, (n, 1)."""
        asked = integral.requests(batch.coordinates, values)
        found = [derivatives(network, points, wanted) for points, wanted in asked]
        return integral.value(batch.coordinates, values, found)


def _checked(name: str, residual: Any, count: int) -> Tensor:
    if not isinstance(residual, Tensor):
        raise ResidualError(f"the residual '{name}' gave {type(residual).__name__}, not a tensor of shape ({count}, 1)")
    if residual.shape != (count, 1):
        raise ResidualError(
            f"the residual '{name}' has shape {tuple(residual.shape)}: one number a point, ({count}, 1), is needed"
        )
    return residual


def groups(problem: Problem) -> tuple[TermGroup, ...]:
    """The equations of each region as one group, and each condition that is not hard as a group of its own."""
    found = [TermGroup(name, problem, equations) for name, equations in equation_groups(problem).items()]
    found += [TermGroup(condition.name, problem, condition.equations) for condition in problem.soft_conditions]
    return tuple(found)


def weights(problem: Problem) -> dict[str, float]:
    """The weight of each term; 1 for one that differs from point to point, which its residual carries."""
    equations = [*problem.equations, *(one for condition in problem.soft_conditions for one in condition.equations)]
    return {one.name: float(one.weight) if one.weight.is_number else 1.0 for one in equations}


def reweighted(problem: Problem, given: Mapping[str, float]) -> Problem:
    """The problem with other weights, by the name of a term, or of a condition for all of its terms.

    A name in the problem file stands for all that was made of it, as one for each part of the domain.
    """

    def changed(equations: Sequence[Equation], default: float | None = None) -> tuple[Equation, ...]:
        found = [(one, given.get(one.name, given.get(one.origin, default))) for one in equations]
        return tuple(one if weight is None else replace(one, weight=sympy.Float(weight)) for one, weight in found)

    return problem.replace(
        equations=changed(problem.equations),
        conditions=tuple(
            replace(one, equations=changed(one.equations, given.get(one.name, given.get(one.origin))))
            for one in problem.conditions
        ),
    )


def mean_square(residual: Tensor, batch: PointSet | None = None) -> Tensor:
    """The loss of a term: the mean over its points of |residual|^2, each with its share and weight in `batch`."""
    if batch is None or (batch.shares is None and batch.weights is None):
        return residual.square().mean()
    return (batch.factors() * residual.square()).sum()
