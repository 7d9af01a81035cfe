"""The features of a network that a solver may change."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TypeAlias

from pinnkit.features.choice import Choice
from pinnkit.features.expansions import Expansion
from pinnkit.features.system import expansions_of
from pinnkit.networks.features import RandomFeatures
from pinnkit.networks.fields import FieldNetworks

Kept: TypeAlias = Sequence[tuple[RandomFeatures, int]]
"""Features, each with the network that it belongs to."""


class Attached:
    """The features of a network but for those that stay as they are.

    Args:
        present: those that the network has now stay.
    """

    def __init__(self, network: FieldNetworks, present: bool) -> None:
        self._network = network
        self._others = set(network.expansions) if present else set()

    @property
    def expansions(self) -> list[Expansion]:
        """What they are added to."""
        return [one for one in expansions_of(self._network) if one.module not in self._others]

    def kept(self) -> Kept:
        """Copies of them."""
        return [(copy.deepcopy(module), group) for module, group in self._network.added if module not in self._others]

    def put(self, kept: Kept) -> None:
        """Have copies of these in their place."""
        self._network.remove([one.module for one in self.expansions])
        for module, group in kept:
            self._network.add(copy.deepcopy(module), group)


def choice_of(kept: Kept, dimension: int) -> Choice:
    """The choice by which features were made, from those of one of the networks that has them.

    Args:
        dimension: coordinates; those that no features depend on have the range 1.
    """
    ranges, steep = [1.0] * dimension, [1.0] * dimension
    last, found = {group: module for module, group in kept}, False
    inverted: tuple[float, ...] = ()
    for module, group in kept:
        if module.features.inversion:
            inverted = module.features.ranges[-1:]
            continue
        first = module is not last[group]  # steep ones come before others
        found = found or first
        for index, value in zip(module.features.columns, module.features.ranges, strict=True):
            (steep if first else ranges)[index] = value
    group = kept[-1][1]
    count = sum(module.features.count for module, other in kept if other == group)
    return Choice(kept[-1][0].features.kind, tuple(ranges), count, tuple(steep) if found else (), inverted=inverted)
