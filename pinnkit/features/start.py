"""The start of a slab of time: features continue what the slab before ends with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pinnkit.features.chain_rule import States, states
from pinnkit.features.expansions import Expansion, combined
from pinnkit.features.slab import Slab, on_side, start_points, time_orders
from pinnkit.networks.fields import FieldNetworks
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
    network: FieldNetworks

    def rows(self, expansions: Sequence[Expansion], jacobian: bool = True) -> tuple[Tensor, Tensor]:
        """Derivatives (rows, unknowns) by the coefficients, field by field, and the differences (rows,)."""
        highest = max(one.order for one in self.matches)
        begins = [0]
        for one in expansions:
            begins.append(begins[-1] + one.size)
        matrices = [self.points.new_zeros(len(one.points), begins[-1] if jacobian else 0) for one in self.matches]
        differences = [-one.values for one in self.matches]
        for one, begin in zip(expansions, begins, strict=False):
            if one.module.features.interval is None or one.module.features.interval[1] != self.lower:
                continue
            beneath = states_of(self.network, one, self.points, self.axis, highest)
            orders, count = one.module.orders(self.points, highest, beneath.get(())), one.module.features.count
            for number, match in enumerate(self.matches):
                if match.field not in one.fields:
                    continue
                place = one.fields.index(match.field)
                part = by_time(one, orders, beneath, self.axis, match.order)[match.points]
                coefficients = one.module.coefficients.detach()[:, place]
                differences[number] = differences[number] + part @ coefficients
                if jacobian:
                    matrices[number][:, begin + place * count : begin + (place + 1) * count] = part
        factors = [one.scale / len(one.points) ** 0.5 for one in self.matches]
        scaled = [factor * one for factor, one in zip(factors, matrices, strict=True)]
        return torch.cat(scaled), torch.cat([factor * one for factor, one in zip(factors, differences, strict=True)])


def by_time(one: Expansion, orders: Sequence[Tensor], beneath: States, axis: int, order: int) -> Tensor:
    """A derivative of features by time, (n, features)."""
    return combined(one.module, orders, {(axis,) * order: torch.ones_like(orders[0][:, :1])}, beneath)


def states_of(network: FieldNetworks, one: Expansion, points: Tensor, axis: int, highest: int) -> States:
    """The outputs that features depend on, and their derivatives by time."""
    if not one.module.features.states:
        return {}
    return states(network, one.module, points, one.fields, [(axis,) * order for order in range(highest + 1)])


def outputs_by_time(
    network: FieldNetworks, expansions: Sequence[Expansion], points: Tensor, axis: int, field: int, order: int
) -> Tensor:
    """A derivative by time of what expansions add to the output of a field's network, from their own side, (n,)."""
    total = points.new_zeros(len(points))
    for one in expansions:
        if field in one.fields:
            beneath = states_of(network, one, points, axis, order)
            phi = by_time(one, one.module.orders(points, order, beneath.get(())), beneath, axis, order)
            total = total + phi @ one.module.coefficients.detach()[:, one.fields.index(field)]
    return total


def start_of(
    problem: Problem,
    slab: Slab,
    network: FieldNetworks,
    previous: Sequence[Expansion],
    weight: float,
    like: Tensor,
    seed: int,
) -> Start:
    """What the features of a slab continue.

    Args:
        previous: the features of the slab before; []: the outputs start from what they are without features.
        weight: factor on the differences, beside the residuals of the equations.
    """
    each = max((one.module.features.count for one in previous), default=0)
    count = max(on_side(problem, each), each)  # in a narrow slab most features are there for the change in space
    points = torch.as_tensor(start_points(problem, slab, count, seed)).to(like)
    matches = []
    for field, order in enumerate(time_orders(problem)):
        part = problem.fields[field].part
        inside = torch.ones(len(points), dtype=torch.bool)
        if part:
            inside = torch.as_tensor(problem.solid(part).contains(points.cpu().numpy()))
        index = inside.nonzero()[:, 0].to(points.device)
        for one in range(order if len(index) else 0):
            values = outputs_by_time(network, previous, points[index], slab.axis, field, one)
            matches.append(Match(field, one, values, index, weight * (slab.width / 2) ** one))
    return Start(points, slab.axis, slab.lower, tuple(matches), network)
