"""The start of a slab of time: features continue what the slab before ends with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnkit.features.expansions import Expansion
from pinnkit.features.slab import Slab, on_side, start_points, time_orders
from pinnkit.problem.problem import Problem


@dataclass(frozen=True)
class Match:
    """A derivative by time that is known at the points of a start.

    Attributes:
        field: its index.
        order: of the derivative.
        values: (n,), of the output of the field's network.
        points: indices (n,) of the points of the start.
        scale: the factor on each difference.
    """

    field: int
    order: int
    values: Tensor
    points: Tensor
    scale: float


@dataclass(frozen=True)
class Start:
    """Points (n, d) at the start of a slab, and what the outputs of the networks are there.

    Features count whose interval begins there. The differences are linear in the
    coefficients: the sum over j of c_j d^m phi_j / dt^m, less the value.
    """

    points: Tensor
    axis: int
    lower: float
    matches: tuple[Match, ...]

    def rows(self, expansions: Sequence[Expansion]) -> tuple[Tensor, Tensor]:
        """Derivatives (rows, unknowns) by the coefficients, field by field, and the differences (rows,)."""
        highest = max(one.order for one in self.matches)
        size = sum(one.size for one in expansions)
        matrices, differences = [], []
        orders = {
            number: one.module.orders(self.points, highest)
            for number, one in enumerate(expansions)
            if one.module.features.interval is not None and one.module.features.interval[1] == self.lower
        }
        for match in self.matches:
            factor = match.scale / len(match.points) ** 0.5
            matrix = self.points.new_zeros(len(match.points), size)
            begin, found = 0, -match.values
            for number, one in enumerate(expansions):
                for place, field in enumerate(one.fields):
                    count = one.module.features.count
                    if field == match.field and number in orders:
                        part = orders[number][match.order][match.points]
                        part = part * one.module.monomials([(self.axis,) * match.order])
                        found = found + part @ one.module.coefficients.detach()[:, place]
                        matrix[:, begin : begin + count] = factor * part
                    begin += count
            matrices.append(matrix)
            differences.append(factor * found)
        return torch.cat(matrices), torch.cat(differences)


def outputs_by_time(expansions: Sequence[Expansion], points: Tensor, axis: int, field: int, order: int) -> Tensor:
    """A derivative by time of what expansions add to the output of a field's network, from their own side, (n,)."""
    total = points.new_zeros(len(points))
    for one in expansions:
        if field in one.fields:
            phi = one.module.orders(points, order)[order] * one.module.monomials([(axis,) * order])
            total = total + phi @ one.module.coefficients.detach()[:, one.fields.index(field)]
    return total


def start_of(
    problem: Problem, slab: Slab, previous: Sequence[Expansion], weight: float, like: Tensor, seed: int
) -> Start:
    """What the features of a slab continue.

    Args:
        previous: the features of the slab before.
        weight: factor on the differences, beside the residuals of the equations.
    """
    count = on_side(problem, max(one.module.features.count for one in previous))
    points = torch.as_tensor(start_points(problem, slab, count, seed)).to(like)
    matches = []
    for field, order in enumerate(time_orders(problem)):
        part = problem.fields[field].part
        inside = torch.ones(len(points), dtype=torch.bool)
        if part:
            inside = torch.as_tensor(problem.solid(part).contains(points.cpu().numpy()))
        index = inside.nonzero()[:, 0].to(points.device)
        for one in range(order if len(index) else 0):
            values = outputs_by_time(previous, points[index], slab.axis, field, one)
            matches.append(Match(field, one, values, index, weight * (slab.width / 2) ** one))
    return Start(points, slab.axis, slab.lower, tuple(matches))
