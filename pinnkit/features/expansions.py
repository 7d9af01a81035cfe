"""Features that are added to a network, and what they and their derivatives are at points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from pinnkit.features.chain_rule import Axes, States, chained
from pinnkit.networks.features import RandomFeatures

Derivative = tuple[int, Any]
BeneathKey = tuple[tuple[int, ...], tuple[float, ...]]


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

    @property
    def beneath(self) -> BeneathKey:
        """What its features depend on beside the coordinates: outputs of these fields' network, or an inversion."""
        return self.fields, self.module.features.inversion


@dataclass(frozen=True)
class Place:
    """Points, the derivatives there as leaves, and of each expansion phi and its derivatives.

    `factors`: derivatives of the fields' derivatives by the network's outputs.
    """

    points: Tensor
    leaves: dict[Derivative, Tensor]
    orders: dict[int, list[Tensor]]
    factors: dict[Derivative, Tensor] = field(default_factory=dict)
    states: dict[BeneathKey, States] = field(default_factory=dict)


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
