"""The parameters that the stages of a level train."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from torch import nn

from pinnkit.engines.model import Model
from pinnkit.training.feature_state import network_of


class Module(Protocol):
    """What has a model among its modules."""

    model: Model

    def parameters(self) -> Iterator[nn.Parameter]: ...


def trained(module: Module, level: int) -> list[nn.Parameter]:
    """The parameters that are trained in the stages of a level, from 0, the problem's learned ones among them."""
    all_levels = network_of(module.model).levels
    others = {id(one) for levels in all_levels for one in levels.parameters()}
    own = {id(one) for levels in all_levels for one in levels.parameters_of(level)}
    return [one for one in module.parameters() if id(one) in own or (one.requires_grad and id(one) not in others)]
