"""Rules for sums, products and quotients, of matrices too."""

from __future__ import annotations

from typing import Any

import torch

from pinnkit.operators.jet_algebra import Jet, JetAlgebra
from pinnkit.operators.pointwise_functions import FUNCTIONS
from pinnkit.operators.rules.common import MissingRuleError, Rule, aten


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


RULES: dict[Any, Rule] = {
    aten.add: _add,
    aten.sub: _sub,
    aten.rsub: _rsub,
    aten.mul: _mul,
    aten.div: _div,
    aten.mm: _matrix_product,
    aten.bmm: _matrix_product,
    aten.addmm: _addmm,
}
