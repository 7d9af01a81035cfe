"""Rules for linear operations: reshaping, indexing, sums, concatenation, and choices by a mask."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from pinnkit.operators.jet_algebra import Jet, JetAlgebra, spread
from pinnkit.operators.rules.common import MissingRuleError, Rule, aten, leaves, value_of

RESHAPING = {aten.view, aten._unsafe_view, aten.reshape, aten.expand, aten.repeat, aten.sum, aten.mean, aten.squeeze}
"""Operations that name the number of points, or that would take the 1 in its place for a dimension to drop."""
LINEAR = {
    aten.t,
    aten.neg,
    aten.transpose,
    aten.permute,
    aten.slice,
    aten.select,
    aten.index,
    aten.index_select,
    aten.unsqueeze,
    aten.unbind,
    aten.split,
    aten.split_with_sizes,
    aten.flip,
    aten.clone,
    aten.alias,
    aten._to_copy,
    *RESHAPING,
}
"""Operations that are linear in their first argument."""


def apply_linear(algebra: JetAlgebra, target: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    """An operation that is linear in its first argument and in no other; it may give several results."""
    jet, *rest = args
    if not isinstance(jet, Jet) or any(isinstance(leaf, Jet) for leaf in leaves((rest, kwargs))):
        raise MissingRuleError(f"{target} with a varying second argument")
    if _touches_points(target, jet, rest, kwargs):
        raise MissingRuleError(f"{target} over the points")
    if target.overloadpacket in RESHAPING:
        jet = algebra.filled(jet)
    value = target(jet.value, *rest, **kwargs)
    action = aten.reshape.default if target.overloadpacket in (aten.view, aten._unsafe_view) else target
    results = algebra.parts(jet, lambda part: action(part, *rest, **kwargs))
    if isinstance(value, Tensor):
        return Jet(value, results)
    return [Jet(one, {key: parts[place] for key, parts in results.items()}) for place, one in enumerate(value)]


def _touches_points(target: Any, jet: Jet, rest: list, kwargs: dict[str, Any]) -> bool:
    """Whether an operation adds up, or picks among, the rows of different points."""
    packet = target.overloadpacket
    ndim = jet.value.ndim
    if packet in (aten.t, aten.transpose):
        return ndim > 1 and 0 in ({dim % ndim for dim in rest} if packet is aten.transpose else {0, 1})
    if packet is aten.permute:
        return rest[0][0] % ndim != 0
    if packet is aten.unsqueeze:
        return rest[0] % (ndim + 1) == 0
    if packet is aten.slice:
        usual: list[Any] = [0, None, None, 1]
        dim, start, end, step = [*rest, *usual[len(rest) :]]
        return dim % ndim == 0 and not (start in (None, 0) and (end is None or end >= len(jet.value)) and step == 1)
    if packet is aten.index:
        return rest[0][0] is not None
    if packet in (aten.index_select, aten.select, aten.flip, aten.sum, aten.mean):
        dims = rest[0] if rest else kwargs.get("dim")
    elif packet in (aten.unbind, aten.split, aten.split_with_sizes):
        place = 0 if packet is aten.unbind else 1
        dims = rest[place] if len(rest) > place else kwargs.get("dim", 0)
    else:
        return False
    dims = [dims] if isinstance(dims, int) else dims
    return not dims or any(dim % jet.value.ndim == 0 for dim in dims)


def _joined(algebra: JetAlgebra, target: Any, tensors: list[Any], dim: int = 0) -> Jet:
    """cat and stack: linear in all of their tensors together."""
    ndim = value_of(tensors[0]).ndim
    if dim % (ndim + (target.overloadpacket is aten.stack)) == 0:
        raise MissingRuleError(f"{target} of points")
    jets = [algebra.filled(one) if isinstance(one, Jet) else Jet(one, {}) for one in tensors]
    value = target([jet.value for jet in jets], dim)
    parts = {}
    for key in algebra.structure.keys:
        given = [jet.parts.get(key) for jet in jets]
        if all(part is None for part in given):
            continue
        like = next(part for part in given if part is not None)
        lead = like.shape[: like.ndim - ndim]
        whole = [
            torch.zeros((), dtype=jet.value.dtype, device=jet.value.device).expand(*lead, *jet.value.shape)
            if part is None
            else part
            for jet, part in zip(jets, given, strict=True)
        ]
        shift = len(lead) + dim if dim >= 0 else dim
        parts[key] = target(whole, shift)
    return Jet(value, parts)


def _where(algebra: JetAlgebra, target: Any, condition: Any, y: Any, z: Any) -> Jet:
    """Linear in both branches together."""
    condition = value_of(condition)
    jets = [algebra.filled(one) if isinstance(one, Jet) else Jet(one, {}) for one in (y, z)]
    value = torch.where(condition, jets[0].value, jets[1].value)
    parts = {}
    for key in algebra.structure.keys:
        one, two = (jet.parts.get(key) for jet in jets)
        if one is None and two is None:
            continue
        zero = torch.zeros((), dtype=value.dtype, device=value.device)
        part = torch.where(condition, zero if one is None else one, zero if two is None else two)
        parts[key] = spread(part, key, value)
    return Jet(value, parts)


def _larger(algebra: JetAlgebra, target: Any, y: Any, z: Any) -> Jet:
    return _where(algebra, target, value_of(y) > value_of(z), y, z)


def _smaller(algebra: JetAlgebra, target: Any, y: Any, z: Any) -> Jet:
    return _where(algebra, target, value_of(y) < value_of(z), y, z)


RULES: dict[Any, Rule] = {
    aten.cat: _joined,
    aten.stack: _joined,
    aten.where: _where,
    aten.maximum: _larger,
    aten.minimum: _smaller,
}
"""Operations that are linear in several arguments together."""
