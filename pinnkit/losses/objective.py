"""The losses of all terms of a problem as one function of tensors, whatever engine gives the derivatives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import sympy
import torch
from torch import Tensor

from pinnkit.language.calculus import Partial
from pinnkit.language.evaluate import Program
from pinnkit.losses.derivative_sums import Collapsed, collapse, sampled
from pinnkit.losses.places import Place, moved
from pinnkit.losses.residuals import Network, TermGroup
from pinnkit.operators.linear_operators import Derivative, LinearCombination, OperatorData
from pinnkit.sampling.point_set import PointSet

Engine = Callable[..., dict[Derivative, Tensor]]
"""engine(network, points, wanted, given) -> derivatives; `operators.derivatives.derivatives` is the definition."""


class GroupResiduals:
    """The residuals of one group in the form that an engine is best at.

    Args:
        together: carry sums of derivatives as one, where the equations allow it.
        directions: estimate Laplacians in more coordinates than this from so many directions; None: exactly.
    """

    def __init__(self, group: TermGroup, together: bool, directions: int | None) -> None:
        self.group = group
        expressions = [equation.residual for equation in group.symbolic]
        found = Collapsed(expressions)
        extra_partials = group.extra_partials
        if together:
            found = collapse(expressions, group.problem.coordinates, extra_partials)
        self.estimated = 0
        if directions is not None:
            one = collapse(expressions, group.problem.coordinates, extra_partials)
            space = [group.problem.coordinates.index(name) for name in group.problem.space]
            doubled, self.estimated = sampled(one, directions, space)
            found = doubled if self.estimated else found
        self.program = Program(found.residuals)
        self.coefficients = Program(found.coefficients)
        self.sums = {stand_in: (group.fields[name], operator) for stand_in, (name, operator) in found.sums.items()}
        wanted = {one for expr in found.residuals for one in expr.atoms(Partial)} | extra_partials
        self.places = group.places(wanted)
        if self.sums and not any(not place.axes for place in self.places):
            self.places = [Place((), Program([]), {}), *self.places]

    def values(self, batch: PointSet, parameters: Mapping[str, Tensor]) -> dict[sympy.Basic, Any]:
        """Parameters, columns, normals and coordinates by their symbols."""
        return self.group.values(batch, parameters)

    def requests(
        self, batch: PointSet, values: Mapping[sympy.Basic, Any]
    ) -> list[tuple[Tensor, list[Derivative], OperatorData]]:
        """Where which derivatives are needed, place by place."""
        found = []
        for place in self.places:
            wanted: list[Derivative] = list(place.derivatives)
            given = OperatorData()
            if not place.axes and self.sums:
                wanted += list(self.sums.values())
                given = OperatorData(self.coefficients(values))
            found.append((moved(batch.coordinates, place, values), wanted, given))
        for integral in self.group.integrals:
            asked = integral.requests(batch.coordinates, values)
            found += [(points, wanted, OperatorData()) for points, wanted in asked]
        return found

    def residuals(
        self,
        network: Network,
        batch: PointSet,
        values: dict[sympy.Basic, Any],
        found: Sequence[Mapping[Derivative, Tensor]],
    ) -> dict[str, tuple[Tensor, Tensor]]:
        """The residual of each term times the root of its weight, (n, 1), twice: with sampled directions by two
        independent samples."""
        rest = list(found[len(self.places) :])
        for integral in self.group.integrals:
            own, rest = rest[: len(integral.places)], rest[len(integral.places) :]
            values[integral.integral] = integral.value(batch.coordinates, values, own)
        for place, derivatives in zip(self.places, found, strict=False):
            values |= {partial: derivatives[key] for key, partial in place.derivatives.items()}
            if not place.axes:
                values |= {stand_in: derivatives[key] for stand_in, key in self.sums.items()}
        computed = self.program(values)
        count = len(self.group.symbolic)
        pairs = {}
        for number, equation in enumerate(self.group.symbolic):
            pairs[equation.name] = (computed[number], computed[number + (count if self.estimated else 0)])
        for equation in self.group.callables:
            residual = self.group.call(equation, network, batch, values)
            pairs[equation.name] = (residual, residual)
        for term, root in self.group.roots(values).items():
            pairs[term] = (root * pairs[term][0], root * pairs[term][1])
        return {term: cast(tuple[Tensor, Tensor], pairs[term]) for term in self.group.terms}


class Objective:
    """The loss of every term, L = sum over points of share * weight * |residual|^2, with the engine's derivatives.

    Terms that need the same derivatives at different points share one pass over all of these points.
    """

    def __init__(
        self, groups: Sequence[TermGroup], engine: Engine, together: bool = False, directions: int | None = None
    ) -> None:
        self.engine = engine
        self.parts = {group.name: GroupResiduals(group, together, directions) for group in groups}
        self.terms = tuple(term for group in groups for term in group.terms)
        self.estimated = max((part.estimated for part in self.parts.values()), default=0)

    def __call__(
        self,
        network: Network,
        batches: Mapping[str, PointSet],
        parameters: Mapping[str, Tensor],
        directions: Sequence[Tensor] = (),
    ) -> Tensor:
        """Losses (terms,).

        Args:
            directions: the two samples of directions, (k, d) each, where Laplacians are estimated.
        """
        losses = []
        for name, pairs in self.residuals(network, batches, parameters, directions).items():
            factors = batches[name].factors()
            losses += [(factors * (one * other)).sum() for one, other in pairs.values()]
        return torch.stack(losses)

    def residuals(
        self,
        network: Network,
        batches: Mapping[str, PointSet],
        parameters: Mapping[str, Tensor],
        directions: Sequence[Tensor] = (),
    ) -> dict[str, dict[str, tuple[Tensor, Tensor]]]:
        """For each group the residual of each of its terms, twice: with estimated Laplacians independent estimates.

        The mean of the product is then the mean of |residual|^2 without bias.
        """
        values = {name: part.values(batches[name], parameters) for name, part in self.parts.items()}
        asked = {name: part.requests(batches[name], values[name]) for name, part in self.parts.items()}
        answers = iter(self._answered(network, [one for ones in asked.values() for one in ones], directions))
        return {
            name: part.residuals(network, batches[name], values[name], [next(answers) for _ in asked[name]])
            for name, part in self.parts.items()
        }

    def _answered(
        self,
        network: Network,
        requests: Sequence[tuple[Tensor, list[Derivative], OperatorData]],
        directions: Sequence[Tensor],
    ) -> list[dict[Derivative, Tensor]]:
        """The derivatives that each request asks for, by one pass for all that ask for the same."""
        merged: dict[Any, list[int]] = {}
        for number, (_, wanted, given) in enumerate(requests):
            alone = any(isinstance(operator, LinearCombination) for _, operator in wanted) and given.coefficients
            merged.setdefault(number if alone else frozenset(wanted), []).append(number)
        answers: list[dict[Derivative, Tensor]] = [{} for _ in requests]
        for numbers in merged.values():
            points = [requests[number][0] for number in numbers]
            _, wanted, given = requests[numbers[0]]
            if not wanted:
                continue
            whole = points[0] if len(points) == 1 else torch.cat(points)
            found = self.engine(network, whole, wanted, OperatorData(given.coefficients, directions))
            parts = {key: value.split([len(one) for one in points]) for key, value in found.items()}
            for place, number in enumerate(numbers):
                answers[number] = {key: pieces[place] for key, pieces in parts.items()}
        return answers
