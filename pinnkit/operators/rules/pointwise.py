"""Rules for pointwise functions, and for operations whose derivative is zero."""

from __future__ import annotations

import math
from typing import Any, cast

from torch import Tensor

from pinnkit.operators.jet_algebra import Jet, JetAlgebra
from pinnkit.operators.pointwise_functions import FUNCTIONS, Derivatives, power
from pinnkit.operators.rules.common import MissingRuleError, Rule, aten

ZERO_DERIVATIVE = {
    aten.gt, aten.ge, aten.lt, aten.le, aten.eq, aten.ne, aten.logical_and, aten.logical_or, aten.logical_not,
    aten.sign, aten.floor, aten.ceil, aten.round, aten.zeros_like, aten.ones_like, aten.full_like, aten.isnan,
    aten.bitwise_and, aten.bitwise_or, aten.bitwise_not,
}  # fmt: skip
"""Operations whose derivative is zero, or which give no real numbers."""


def _pow(algebra: JetAlgebra, target: Any, y: Any, exponent: Any) -> Any:
    if isinstance(exponent, Jet | Tensor):
        raise MissingRuleError(f"{target} with a varying exponent")
    return algebra.compose(y, power(exponent))


def _silu(algebra: JetAlgebra, target: Any, jet: Jet) -> Jet:
    return algebra.multiply(jet, cast(Jet, algebra.compose(jet, FUNCTIONS["sigmoid"])))


def _gelu(algebra: JetAlgebra, target: Any, jet: Jet, approximate: str = "none") -> Jet:
    """x (1 + erf(x / sqrt 2)) / 2, or its approximation by tanh."""
    if approximate == "none":
        inner = cast(Jet, algebra.compose(algebra.scale(jet, math.sqrt(0.5)), FUNCTIONS["erf"]))
    else:
        cube = cast(Jet, algebra.compose(jet, power(3.0)))
        inner = algebra.scale(algebra.add(jet, algebra.scale(cube, 0.044715)), math.sqrt(2 / math.pi))
        inner = cast(Jet, algebra.compose(inner, FUNCTIONS["tanh"]))
    return algebra.multiply(algebra.scale(jet, 0.5), algebra.add(inner, 1.0))


def _detach(algebra: JetAlgebra, target: Any, jet: Jet) -> Tensor:
    """What is detached has no derivative, as nested autograd has it."""
    return target(jet.value)


def _pointwise(function: Derivatives) -> Rule:
    return lambda algebra, target, jet: algebra.compose(jet, function)


RULES: dict[Any, Rule] = {
    aten.pow: _pow,
    aten.square: lambda algebra, target, jet: algebra.multiply(jet, jet),
    aten.silu: _silu,
    aten.gelu: _gelu,
    aten.detach: _detach,
    **{getattr(aten, name): _pointwise(function) for name, function in FUNCTIONS.items()},
}
