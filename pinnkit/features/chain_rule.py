"""Derivatives of features that depend on outputs of the network beneath them, or on inverted coordinates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import combinations_with_replacement
from typing import TypeAlias

import torch
from torch import Tensor

from pinnkit.networks.features import RandomFeatures
from pinnkit.networks.fields import FieldNetworks
from pinnkit.operators.derivatives import derivatives

Axes: TypeAlias = tuple[int, ...]
States: TypeAlias = Mapping[Axes, Tensor]
"""The outputs of the network beneath, or inverted coordinates, and their derivatives, (n, outputs) each."""


def states(
    network: FieldNetworks, module: RandomFeatures, points: Tensor, fields: Sequence[int], axes: Sequence[Axes]
) -> dict[Axes, Tensor]:
    """What features depend on beside the coordinates, and derivatives of it, (n, outputs) each.

    Args:
        fields: those of the network to whose outputs the features are added.
    """
    beneath, columns = network.networks[network.members.index(list(fields))], list(network.outputs[fields[0]].columns)

    def outputs(points: Tensor) -> Tensor:
        return module.inverse(points) if module.features.inversion else beneath(points[:, columns])

    numbers = range(len(module.features.inverted) or len(fields))
    found = derivatives(outputs, points, [(index, one) for one in axes for index in numbers])
    return {one: torch.cat([found[index, one].detach() for index in numbers], dim=1) for one in axes}


def all_states(
    network: FieldNetworks, module: RandomFeatures, points: Tensor, fields: Sequence[int], highest: int
) -> dict[Axes, Tensor]:
    """The same with all derivatives up to an order."""
    columns = network.outputs[fields[0]].columns
    axes = [one for order in range(highest + 1) for one in combinations_with_replacement(columns, order)]
    return states(network, module, points, fields, axes)


def chained(module: RandomFeatures, orders: Sequence[Tensor], slopes: Mapping[Axes, Tensor], states: States) -> Tensor:
    """sum over b of slope_b d^b phi_j, (n, features), by Faà di Bruno's formula.

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
