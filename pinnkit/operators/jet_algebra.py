"""Arithmetic of jets, for Taylor mode.

A jet holds the value of an operation's result at the points and the parts of a `JetStructure`: its partial derivatives
by the coordinates, and sums of them. Linear operations act on every part, products follow Leibniz, pointwise functions
Faa di Bruno (see `jet_structure`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from pinnkit.operators.jet_structure import ChainTerm, DirectionalPart, JetStructure, PartKey, ProductTerm
from pinnkit.operators.linear_operators import NO_DATA, LinearCombination, OperatorData
from pinnkit.operators.pointwise_functions import Derivatives


@dataclass
class Jet:
    """A value (n, ...) and its parts, each of the value's shape or with 1 in the place of n where it is the same at
    every point; a `DirectionalPart` has its directions in front, (k, n, ...). A missing part is zero.
    """

    value: Tensor
    parts: dict[PartKey, Tensor]


class JetAlgebra:
    """Arithmetic of jets of one scheme."""

    def __init__(self, structure: JetStructure, data: OperatorData = NO_DATA) -> None:
        self.structure = structure
        self.data = data

    def start(self, points: Tensor) -> Jet:
        """The jet of the points themselves, (n, d): d p/dp_a is a unit vector, all higher derivatives vanish."""
        unit = torch.eye(points.shape[1], dtype=points.dtype, device=points.device)
        parts: dict[PartKey, Tensor] = {}
        for key in self.structure.keys:
            if isinstance(key, tuple) and len(key) == 1:
                parts[key] = unit[key[0] : key[0] + 1]
            elif isinstance(key, DirectionalPart) and key.order == 1:
                directions = key.bundle.directions
                rows = self.data.directions[directions] if isinstance(directions, int) else unit[list(directions)]
                parts[key] = rows[:, None, :]
            elif isinstance(key, LinearCombination):
                first = [(axes[0], slot) for axes, slot in key.terms if len(axes) == 1]
                if first:
                    parts[key] = cast(Tensor, sum(self._scaled(slot, unit[axis : axis + 1]) for axis, slot in first))
        return Jet(points, parts)

    def linear(self, jet: Jet, function: Callable[[Tensor], Tensor], constant: Callable | None = None) -> Jet:
        """A linear function of a jet; `constant` gives the value where a constant is added to it."""
        return Jet((constant or function)(jet.value), self.parts(jet, function))

    def parts(self, jet: Jet, function: Callable[[Tensor], Any]) -> dict[PartKey, Any]:
        """A linear function of each part."""
        return {
            key: torch.vmap(function)(part) if isinstance(key, DirectionalPart) else function(part)
            for key, part in jet.parts.items()
        }

    def compose(self, jet: Jet, function: Derivatives) -> Jet | Tensor:
        """f(z), pointwise."""
        memory: dict[tuple, Tensor | None] = {}
        terms = {
            key: {order: self._total(jet, monomials, memory) for order, monomials in orders.items()}
            for key, orders in self.structure.chain.items()
        }
        order = max((k for orders in terms.values() for k, total in orders.items() if total is not None), default=0)
        slopes = function(jet.value, order)
        parts = {}
        for key, orders in terms.items():
            found = [slopes[k] * total for k, total in orders.items() if total is not None]
            if found:
                parts[key] = _added(found)
        return Jet(slopes[0], parts)

    def multiply(self, y: Jet, z: Jet, product: Callable[[Tensor, Tensor], Tensor] = torch.mul) -> Jet:
        """A product, pointwise or any other bilinear one."""
        parts = {}
        for key, splitting in self.structure.products.items():
            terms = [self._leibniz(y, z, one, product) for one in splitting]
            found = [one for one in terms if one is not None]
            if found:
                parts[key] = _added(found)
        return Jet(product(y.value, z.value), parts)

    def add(self, y: Jet | Tensor | float, z: Jet | Tensor | float, sign: float = 1.0) -> Jet:
        """y + z, or y - z with sign -1; one of both may be constant."""
        left, right = _parts(y), _parts(z)
        ndim = max(value.ndim for value in (_value(y), _value(z)) if isinstance(value, Tensor))
        parts: dict[PartKey, Any] = {}
        for key in self.structure.keys:
            one = _lifted(left.get(key), key, ndim)
            two = _lifted(right.get(key), key, ndim)
            if one is None and two is None:
                continue
            if two is not None and sign < 0:
                parts[key] = -two if one is None else one - two
            else:
                parts[key] = two if one is None else one if two is None else one + two
        first, second = _value(y), _value(z)
        value = cast(Tensor, first + second if sign > 0 else first - second)
        return Jet(value, {key: spread(part, key, value) for key, part in parts.items()})

    def scale(self, jet: Jet, factor: Tensor | float) -> Jet:
        """A jet times a constant."""
        ndim = max(jet.value.ndim, factor.ndim if isinstance(factor, Tensor) else 0)
        parts = {key: cast(Tensor, _lifted(part, key, ndim)) * factor for key, part in jet.parts.items()}
        return Jet(jet.value * factor, parts)

    def filled(self, jet: Jet) -> Jet:
        """The same jet with every part in full shape."""
        return Jet(jet.value, {key: _full(part, key, jet.value) for key, part in jet.parts.items()})

    def _total(self, jet: Jet, monomials: Iterable[ChainTerm], memory: dict[tuple, Tensor | None]) -> Tensor | None:
        """The sum of terms; those with the same coefficient are added before the multiplication."""
        grouped: dict[int | None, list[Tensor]] = {}
        for one in monomials:
            value = self._monomial(jet, one, memory)
            if value is not None:
                grouped.setdefault(one.coefficient, []).append(value if one.count == 1 else one.count * value)
        found = [
            _added(values) if slot is None else self._scaled(slot, _added(values)) for slot, values in grouped.items()
        ]
        return _added(found) if found else None

    def _monomial(self, jet: Jet, one: ChainTerm, memory: dict[tuple, Tensor | None]) -> Tensor | None:
        """The product of parts, computed once for all terms."""
        known = (one.factors, one.over)
        if known not in memory:
            factors = [jet.parts.get(key) for key in one.factors]
            value: Any = None
            if all(factor is not None for factor in factors):
                value = factors[0]
                for factor in factors[1:]:
                    value = value * factor
                value = value.sum(0) if one.over is not None else value
            memory[known] = value
        return memory[known]

    def _leibniz(self, y: Jet, z: Jet, one: ProductTerm, product: Callable[[Tensor, Tensor], Tensor]) -> Tensor | None:
        left = y.value if one.left is None else y.parts.get(one.left)
        right = z.value if one.right is None else z.parts.get(one.right)
        if left is None or right is None:
            return None
        rays = (isinstance(one.left, DirectionalPart), isinstance(one.right, DirectionalPart))
        if any(rays):
            value = torch.vmap(product, in_dims=tuple(0 if ray else None for ray in rays))(left, right)
        else:
            value = product(left, right)
        value = value.sum(0) if one.over is not None else value
        value = value if one.count == 1 else one.count * value
        return value if one.coefficient is None else self._scaled(one.coefficient, value)

    def _scaled(self, slot: int, value: Tensor) -> Tensor:
        coefficient = self.data.coefficients[slot]
        if isinstance(coefficient, Tensor) and coefficient.ndim:  # one number a point
            return coefficient.reshape(-1, *[1] * (value.ndim - 1)) * value
        return value if isinstance(coefficient, float | int) and coefficient == 1 else coefficient * value


def _added(values: list[Tensor]) -> Tensor:
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total


def _value(one: Jet | Tensor | float) -> Tensor | float:
    return one.value if isinstance(one, Jet) else one


def _parts(one: Jet | Tensor | float) -> dict[PartKey, Tensor]:
    return one.parts if isinstance(one, Jet) else {}


def _lifted(part: Tensor | None, key: PartKey, ndim: int) -> Tensor | None:
    """A part with as many dimensions as a value of `ndim` needs; the directions of a ray stay in front."""
    if part is None or not isinstance(key, DirectionalPart):
        return part
    missing = ndim + 1 - part.ndim
    return part.reshape(len(part), *[1] * missing, *part.shape[1:]) if missing > 0 else part


def spread(part: Tensor, key: PartKey, value: Tensor) -> Tensor:
    """A part with all of the value's dimensions but the points', which a broadcast may have widened."""
    lead = part.shape[:1] if isinstance(key, DirectionalPart) else ()
    if part.shape[len(lead) + 1 :] == value.shape[1:]:
        return part
    rows = part.shape[-value.ndim] if part.ndim == len(lead) + value.ndim else 1
    return part.expand(*lead, rows, *value.shape[1:])


def _full(part: Tensor, key: PartKey, value: Tensor) -> Tensor:
    return part.expand(len(part), *value.shape) if isinstance(key, DirectionalPart) else part.expand(value.shape)
