"""Rules for layer norm and softmax."""

from __future__ import annotations

from typing import Any, cast

from pinnkit.operators.jet_algebra import Jet, JetAlgebra
from pinnkit.operators.pointwise_functions import FUNCTIONS
from pinnkit.operators.rules.common import MissingRuleError, Rule, aten


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
    found = algebra.multiply(centred, cast(Jet, algebra.compose(spread, FUNCTIONS["rsqrt"])))
    found = found if weight is None else algebra.scale(found, weight)
    return [found if bias is None else algebra.add(found, bias), None, None]


def _softmax(algebra: JetAlgebra, target: Any, jet: Jet, dim: int, half_to_float: bool) -> Jet:
    if half_to_float or dim % jet.value.ndim == 0:
        raise MissingRuleError(f"{target} over the points")
    jet = algebra.filled(jet)
    largest = jet.value.detach().amax(dim, keepdim=True)
    powers = cast(Jet, algebra.compose(algebra.add(jet, largest, sign=-1.0), FUNCTIONS["exp"]))
    dim -= jet.value.ndim if dim >= 0 else 0
    total = algebra.linear(powers, lambda part: part.sum(dim, keepdim=True))
    return algebra.multiply(powers, cast(Jet, algebra.compose(total, FUNCTIONS["reciprocal"])))


RULES: dict[Any, Rule] = {
    aten.native_layer_norm: _layer_norm,
    aten._softmax: _softmax,
}
