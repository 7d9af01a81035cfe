"""Names shared by the rules of Taylor mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._pytree import tree_leaves

from pinnkit.operators.jet_algebra import Jet

aten = torch.ops.aten
Rule = Callable[..., Any]
"""rule(algebra, operation, *arguments) -> the result, a jet or several."""


class MissingRuleError(LookupError):
    """An operation of the network that Taylor mode has no rule for."""

    def __init__(self, operation: str) -> None:
        super().__init__(f"Taylor mode has no rule for {operation}")
        self.operation = operation


def leaves(tree: Any) -> list[Any]:
    """The leaves of nested arguments, a jet counting as one."""
    return tree_leaves(tree, is_leaf=lambda one: isinstance(one, Jet))


def value_of(one: Any) -> Any:
    """The value of a jet; anything else as it is."""
    return one.value if isinstance(one, Jet) else one
