"""The start of a slab of time: features continue what the slab before ends with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from pinnkit.features.linearise import Expansion
from pinnkit.networks.features import RandomFeatures

Kept: TypeAlias = "Sequence[tuple[RandomFeatures, int]]"
"""Features, each with the network that it belongs to."""


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

    Features count whose interval begins there. The differences are linear in the coefficients: sum over j
    of c_j d^m phi_j / dt^m - value.
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
