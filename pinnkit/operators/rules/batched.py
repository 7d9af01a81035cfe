"""Rules for batched matrix products, in which the points are the second dimension for a while."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from pinnkit.operators.jet_algebra import Jet, JetAlgebra
from pinnkit.operators.rules.common import MissingRuleError, Rule, aten


@dataclass
class BatchFirst:
    """A jet with its first two dimensions exchanged: (k, n, ...) with the points second, every part in full shape."""

    jet: Jet


def exchanges(packet: Any, args: Sequence[Any]) -> bool:
    """Whether an operation exchanges the first two dimensions of a jet of three."""
    if packet not in (aten.transpose, aten.permute) or not isinstance(args[0], Jet | BatchFirst):
        return False
    value = args[0].value if isinstance(args[0], Jet) else args[0].jet.value
    if value.ndim != 3:
        return False
    if packet is aten.permute:
        return [dim % 3 for dim in args[1]] == [1, 0, 2]
    return sorted(dim % 3 for dim in args[1:]) == [0, 1]


def exchanged(algebra: JetAlgebra, jet: Jet | BatchFirst) -> Jet | BatchFirst:
    """The jet with its first two dimensions exchanged."""
    if isinstance(jet, BatchFirst):
        return algebra.linear(jet.jet, _swap)
    return BatchFirst(algebra.linear(algebra.filled(jet), _swap))


def _swap(part: Tensor) -> Tensor:
    return part.transpose(0, 1)


def _product(algebra: JetAlgebra, target: Any, y: Any, z: Any) -> BatchFirst:
    if not isinstance(y, BatchFirst) or not isinstance(z, Tensor):
        raise MissingRuleError(f"{target} over the points")
    return BatchFirst(algebra.linear(y.jet, lambda part: target(part, z)))


RULES: dict[Any, Rule] = {aten.bmm: _product}
