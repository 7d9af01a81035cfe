"""One rule of Taylor mode for each operation of a network."""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import getitem
from typing import Any

import torch
from torch import Tensor
from torch.fx import GraphModule, Interpreter
from torch.utils._pytree import tree_leaves, tree_map

from pinnkit.operators.jet_algebra import Jet, JetAlgebra, spread
from pinnkit.operators.pointwise_functions import FUNCTIONS, Derivatives, power

aten = torch.ops.aten
Rule = Callable[..., Any]


class MissingRuleError(LookupError):
    """An operation of the network that Taylor mode has no rule for."""

    def __init__(self, operation: str) -> None:
        super().__init__(f"Taylor mode has no rule for {operation}")
        self.operation = operation


class Walk(Interpreter):
    """Runs a graph of ATen operations on jets; what does not depend on the points stays a plain tensor."""

    def __init__(self, graph: GraphModule, algebra: JetAlgebra) -> None:
        super().__init__(graph)
        self.algebra = algebra
        self.extra_traceback = False  # an operation without a rule is told in our words alone

    def call_function(self, target: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
        if not any(isinstance(leaf, Jet) for leaf in _leaves((args, kwargs))):
            return super().call_function(target, args, kwargs)
        packet = getattr(target, "overloadpacket", target)
        if packet in LINEAR:
            return _shape(self.algebra, target, args, kwargs)
        if packet in WITHOUT_SLOPE:
            return target(*_values(args), **_values(kwargs))
        rule = RULES.get(packet)
        if rule is None:
            raise MissingRuleError(str(target))
        return rule(self.algebra, target, *args, **kwargs)


def _leaves(tree: Any) -> list[Any]:
    return tree_leaves(tree, is_leaf=lambda one: isinstance(one, Jet))


def _values(tree: Any) -> Any:
    return tree_map(lambda one: one.value if isinstance(one, Jet) else one, tree, is_leaf=lambda o: isinstance(o, Jet))


def _shape(algebra: JetAlgebra, target: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    """An operation that is linear in its first argument and in no other; it may give several results."""
    jet, *rest = args
    if not isinstance(jet, Jet) or any(isinstance(leaf, Jet) for leaf in _leaves((rest, kwargs))):
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
        dim, start, end, step = [*rest, *[0, None, None, 1][len(rest) :]]
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


def _add(algebra: JetAlgebra, target: Any, y: Any, z: Any, alpha: float = 1) -> Jet:
    if alpha != 1:
        z = algebra.scale(z, alpha) if isinstance(z, Jet) else z * alpha
    return algebra.add(y, z)


def _sub(algebra: JetAlgebra, target: Any, y: Any, z: Any, alpha: float = 1) -> Jet:
    if alpha != 1:
        z = algebra.scale(z, alpha) if isinstance(z, Jet) else z * alpha
    return algebra.add(y, z, sign=-1.0)


def _rsub(algebra: JetAlgebra, target: Any, y: Any, z: Any, alpha: float = 1) -> Jet:
    return _sub(algebra, target, z, y, alpha)


def _mul(algebra: JetAlgebra, target: Any, y: Any, z: Any) -> Jet:
    if isinstance(y, Jet) and isinstance(z, Jet):
        if y.value.ndim != z.value.ndim:
            raise MissingRuleError(f"{target} of tensors with different numbers of dimensions")
        return algebra.multiply(y, z)
    return algebra.scale(y, z) if isinstance(y, Jet) else algebra.scale(z, y)


def _div(algebra: JetAlgebra, target: Any, y: Any, z: Any, rounding_mode: str | None = None) -> Jet:
    if rounding_mode is not None:
        raise MissingRuleError(f"{target} with rounding")
    if isinstance(z, Jet):
        return _mul(algebra, target, y, algebra.compose(z, FUNCTIONS["reciprocal"]))
    return algebra.linear(y, lambda part: part / z)


def _matrix_product(algebra: JetAlgebra, target: Any, y: Any, z: Any) -> Jet:
    if isinstance(y, Jet) and isinstance(z, Jet):
        return algebra.multiply(algebra.filled(y), algebra.filled(z), target)
    if isinstance(y, Jet):
        y = algebra.filled(y) if y.value.ndim > 2 else y
        return algebra.linear(y, lambda part: target(part, z))
    if z.value.ndim == 2:
        raise MissingRuleError(f"{target} over the points")
    return algebra.linear(algebra.filled(z), lambda part: target(y, part))


def _addmm(algebra: JetAlgebra, target: Any, bias: Any, y: Any, z: Any, beta: float = 1, alpha: float = 1) -> Jet:
    if alpha != 1 or beta != 1:
        raise MissingRuleError(f"{target} with factors")
    if isinstance(bias, Jet) or isinstance(z, Jet):
        return algebra.add(_matrix_product(algebra, aten.mm.default, y, z), bias)
    return algebra.linear(y, lambda part: torch.mm(part, z), lambda value: torch.addmm(bias, value, z))


def _joined(algebra: JetAlgebra, target: Any, tensors: list[Any], dim: int = 0) -> Jet:
    """cat and stack: linear in all of their tensors together."""
    ndim = _value(tensors[0]).ndim
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


def _pow(algebra: JetAlgebra, target: Any, y: Any, exponent: Any) -> Any:
    if isinstance(exponent, Jet | Tensor):
        raise MissingRuleError(f"{target} with a varying exponent")
    return algebra.compose(y, power(exponent))


def _silu(algebra: JetAlgebra, target: Any, jet: Jet) -> Jet:
    return algebra.multiply(jet, algebra.compose(jet, FUNCTIONS["sigmoid"]))


def _gelu(algebra: JetAlgebra, target: Any, jet: Jet, approximate: str = "none") -> Jet:
    """x (1 + erf(x / sqrt 2)) / 2, or its approximation by tanh."""
    if approximate == "none":
        inner = algebra.compose(algebra.scale(jet, math.sqrt(0.5)), FUNCTIONS["erf"])
    else:
        cube = algebra.compose(jet, power(3.0))
        inner = algebra.scale(algebra.add(jet, algebra.scale(cube, 0.044715)), math.sqrt(2 / math.pi))
        inner = algebra.compose(inner, FUNCTIONS["tanh"])
    return algebra.multiply(algebra.scale(jet, 0.5), algebra.add(inner, 1.0))


def _layer_norm(
    algebra: JetAlgebra, target: Any, jet: Jet, shape: list[int], weight: Any, bias: Any, eps: float
) -> list[Any]:
    """(z - mean z) / sqrt(var z + eps) * weight + bias over the last dimensions; the rest serves autograd alone."""
    dims = list(range(-len(shape), 0))
    if len(shape) >= jet.value.ndim:
        raise MissingRuleError(f"{target} over the points")

    def mean(of: Jet) -> Jet:
        return algebra.linear(of, lambda part: part.mean(dims, keepdim=True))

    jet = algebra.filled(jet)
    centred = algebra.add(jet, mean(jet), sign=-1.0)
    spread = algebra.add(mean(algebra.multiply(centred, centred)), eps)
    found = algebra.multiply(centred, algebra.compose(spread, FUNCTIONS["rsqrt"]))
    found = found if weight is None else algebra.scale(found, weight)
    return [found if bias is None else algebra.add(found, bias), None, None]


def _softmax(algebra: JetAlgebra, target: Any, jet: Jet, dim: int, half_to_float: bool) -> Jet:
    if half_to_float or dim % jet.value.ndim == 0:
        raise MissingRuleError(f"{target} over the points")
    jet = algebra.filled(jet)
    largest = jet.value.detach().amax(dim, keepdim=True)
    powers = algebra.compose(algebra.add(jet, largest, sign=-1.0), FUNCTIONS["exp"])
    dim -= jet.value.ndim if dim >= 0 else 0
    total = algebra.linear(powers, lambda part: part.sum(dim, keepdim=True))
    return algebra.multiply(powers, algebra.compose(total, FUNCTIONS["reciprocal"]))


def _where(algebra: JetAlgebra, target: Any, condition: Any, y: Any, z: Any) -> Jet:
    """Linear in both branches together."""
    condition = _value(condition)
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
    return _where(algebra, target, _value(y) > _value(z), y, z)


def _smaller(algebra: JetAlgebra, target: Any, y: Any, z: Any) -> Jet:
    return _where(algebra, target, _value(y) < _value(z), y, z)


def _detach(algebra: JetAlgebra, target: Any, jet: Jet) -> Tensor:
    """What is detached has no derivative, as nested autograd has it."""
    return target(jet.value)


def _item(algebra: JetAlgebra, target: Any, results: list[Any], place: int) -> Any:
    return results[place]


def _value(one: Any) -> Any:
    return one.value if isinstance(one, Jet) else one


def _pointwise(function: Derivatives) -> Rule:
    return lambda algebra, target, jet: algebra.compose(jet, function)


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
WITHOUT_SLOPE = {
    aten.gt, aten.ge, aten.lt, aten.le, aten.eq, aten.ne, aten.logical_and, aten.logical_or, aten.logical_not,
    aten.sign, aten.floor, aten.ceil, aten.round, aten.zeros_like, aten.ones_like, aten.full_like, aten.isnan,
    aten.bitwise_and, aten.bitwise_or, aten.bitwise_not,
}  # fmt: skip
"""Operations whose derivative is zero, or which give no real numbers."""
RULES: dict[Any, Rule] = {
    aten.add: _add,
    aten.sub: _sub,
    aten.rsub: _rsub,
    aten.mul: _mul,
    aten.div: _div,
    aten.mm: _matrix_product,
    aten.bmm: _matrix_product,
    aten.addmm: _addmm,
    aten.cat: _joined,
    aten.stack: _joined,
    aten.pow: _pow,
    aten.square: lambda algebra, target, jet: algebra.multiply(jet, jet),
    aten.silu: _silu,
    aten.gelu: _gelu,
    aten.native_layer_norm: _layer_norm,
    aten._softmax: _softmax,
    aten.where: _where,
    aten.maximum: _larger,
    aten.minimum: _smaller,
    aten.detach: _detach,
    getitem: _item,
    **{getattr(aten, name): _pointwise(function) for name, function in FUNCTIONS.items()},
}
