"""Features that are added to a network, and what they and their derivatives are at points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from pinnkit.networks.features import RandomFeatures

Axes = tuple[int, ...]
Derivative = tuple[int, Any]
States = Mapping[Axes, Tensor]
"""The outputs of the network beneath, and their derivatives, (n, outputs) each."""


@dataclass(frozen=True)
class Expansion:
    """Features that are added to outputs of the network.

    Attributes:
        module: the features.
        fields: the index of the field of each of its outputs.
    """

    module: RandomFeatures
    fields: tuple[int, ...]

    @property
    def size(self) -> int:
        return self.module.features.count * len(self.fields)


@dataclass(frozen=True)
class Place:
    """Points, the derivatives there as leaves, and of each expansion phi and its derivatives.

    `factors`: derivatives of the fields' derivatives by the network's outputs.
    """

    points: Tensor
    leaves: dict[Derivative, Tensor]
    orders: dict[int, list[Tensor]]
    factors: dict[Derivative, Tensor] = field(default_factory=dict)
    states: dict[tuple[int, ...], States] = field(default_factory=dict)


@dataclass(frozen=True)
class IntegralLeaf:
    """The values of an integral as a leaf, and its terms as functions of the leaves of its places."""

    leaf: Tensor
    terms: Tensor
    inner: list[Place]


@dataclass(frozen=True)
class Other:
    """An expansion that is no unknown, the points where it is not zero, and phi and its derivatives there."""

    expansion: Expansion
    index: Tensor
    orders: list[Tensor]
    states: States | None = None


def evaluated(
    expansion: Expansion,
    field: int,
    orders: Sequence[Tensor],
    slopes: Mapping[Axes, Tensor],
    states: States | None = None,
) -> Tensor:
    """sum over b of slope_b d^b (sum over j of c_j phi_j), (n, 1)."""
    coefficients = expansion.module.coefficients.detach()[:, expansion.fields.index(field)]
    if expansion.module.features.states:
        return combined(expansion.module, orders, slopes, states) @ coefficients[:, None]
    total = torch.zeros_like(orders[0][:, :1])
    for inner, factor in slopes.items():
        values = orders[len(inner)] @ (coefficients * expansion.module.monomials([inner])[0])
        total = total + factor * values[:, None]
    return total


def combined(
    module: RandomFeatures, orders: Sequence[Tensor], slopes: Mapping[Axes, Tensor], states: States | None = None
) -> Tensor:
    """sum over b of slope_b d^b phi_j, (n, features)."""
    if module.features.states:
        assert states is not None
        return chained(module, orders, slopes, states)
    found = None
    for order, values in enumerate(orders):
        axes = [one for one in slopes if len(one) == order]
        if not axes:
            continue
        factors = torch.cat([slopes[one] for one in axes], dim=1) @ module.monomials(axes)
        found = factors.mul_(values) if found is None else found.addcmul_(factors, values)
    assert found is not None
    return found


def chained(module: RandomFeatures, orders: Sequence[Tensor], slopes: Mapping[Axes, Tensor], states: States) -> Tensor:
    """The same for features that depend on outputs of the network beneath, by Faà di Bruno's formula.

    With y_j = w_j . p + a_j . z(p) + b_j, d^b phi(y_j) is the sum over partitions of b into parts of phi^(parts) times
    the product over parts of d^part y_j.
    """
    size = len(module.features.columns)
    places = {index: place for place, index in enumerate(module.features.columns)}
    outer = module.weight[size:]
    inner: dict[Axes, Tensor] = {}

    def argument(axes: Axes) -> Tensor:
        if axes not in inner:
            value = states[axes][:, list(module.features.states)] @ outer
            inner[axes] = value + module.weight[places[axes[0]]] if len(axes) == 1 and axes[0] in places else value
        return inner[axes]

    factors: dict[int, Tensor] = {}
    for axes, slope in slopes.items():
        for parts, times in partitions(axes).items():
            part = times * slope
            for one in parts:
                part = part * argument(one)
            known = factors.get(len(parts))
            factors[len(parts)] = part if known is None else known + part
    total = sum(factor * orders[order] for order, factor in factors.items())
    assert isinstance(total, Tensor)
    return total


@lru_cache(maxsize=256)
def partitions(axes: Axes) -> dict[tuple[Axes, ...], int]:
    """The partitions of a tuple into parts, and how often each of them comes.

    >>> partitions((0, 0))
    {((0, 0),): 1, ((0,), (0,)): 1}
    """
    if not axes:
        return {(): 1}
    found: dict[tuple[Axes, ...], int] = {}
    first, rest = axes[0], axes[1:]
    for parts, times in partitions(rest).items():
        for place in range(len(parts)):
            joined = tuple(
                sorted(
                    (*parts[:place], tuple(sorted((first, *parts[place]))), *parts[place + 1 :]),
                    key=lambda one: (-len(one), one),
                )
            )
            found[joined] = found.get(joined, 0) + times
        alone = tuple(sorted((*parts, (first,)), key=lambda one: (-len(one), one)))
        found[alone] = found.get(alone, 0) + times
    return found
