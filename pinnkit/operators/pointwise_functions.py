"""Pointwise functions and their derivatives of any order, for Taylor mode.

Each takes x and K and gives [f(x), f'(x), ..., f^(K)(x)], from as few evaluations of transcendental functions as can
be: the derivatives of tanh are polynomials in tanh(x), those of exp are exp(x).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Derivatives = Callable[[Tensor, int], list[Tensor]]
Polynomial = tuple[float, ...]
"""Coefficients, the constant first."""


def _value_at(coefficients: Polynomial, y: Tensor) -> Tensor:
    """c_0 + c_1 y + c_2 y^2 + ... by Horner's rule."""
    *lower, highest = coefficients
    if not lower:
        return torch.full_like(y, highest)
    total = y if highest == 1.0 else highest * y
    for place in range(len(lower) - 1, -1, -1):
        if lower[place]:
            total = total + lower[place]
        if place:
            total = total * y
    return total


def _derivative(p: Polynomial) -> Polynomial:
    return tuple(power * coefficient for power, coefficient in enumerate(p))[1:] or (0.0,)


def _times(p: Polynomial, q: Polynomial) -> Polynomial:
    found = [0.0] * (len(p) + len(q) - 1)
    for i, a in enumerate(p):
        for j, b in enumerate(q):
            found[i + j] += a * b
    return tuple(found)


def _autonomous(function: Callable[[Tensor], Tensor], slope: Polynomial) -> Derivatives:
    """A function with f' = slope(f), a polynomial with f'(x) as a factor of all others."""

    def derivatives(x: Tensor, order: int) -> list[Tensor]:
        y = function(x)
        if order == 0:
            return [y]
        first = _value_at(slope, y)
        # f^(k) = q_k(f) f', with q_1 = 1 and q_(k+1) = q_k' slope + q_k slope'
        found = [y, first]
        quotient: Polynomial = (1.0,)
        for _ in range(order - 1):
            left, right = _times(_derivative(quotient), slope), _times(quotient, _derivative(slope))
            size = max(len(left), len(right))
            total = [0.0] * size
            for place, value in [*enumerate(left), *enumerate(right)]:
                total[place] += value
            while len(total) > 1 and total[-1] == 0.0:
                total.pop()
            quotient = tuple(total)
            found.append(_value_at(quotient, y) * first)
        return found

    return derivatives


def _trigonometric(shift: int) -> Derivatives:
    def derivatives(x: Tensor, order: int) -> list[Tensor]:
        sine: Any = torch.sin(x) if order or shift == 0 else None
        cosine: Any = torch.cos(x) if order or shift == 1 else None
        cycle = [lambda: sine, lambda: cosine, lambda: -sine, lambda: -cosine]
        return [cycle[(shift + k) % 4]() for k in range(order + 1)]

    return derivatives


def _hyperbolic(shift: int) -> Derivatives:
    def derivatives(x: Tensor, order: int) -> list[Tensor]:
        pair = (torch.sinh(x), torch.cosh(x))
        return [pair[(shift + k) % 2] for k in range(order + 1)]

    return derivatives


def _exponential(x: Tensor, order: int) -> list[Tensor]:
    return [torch.exp(x)] * (order + 1)


def _expm1(x: Tensor, order: int) -> list[Tensor]:
    return [torch.expm1(x), *_exponential(x, order - 1)] if order else [torch.expm1(x)]


def _logarithm(x: Tensor, order: int) -> list[Tensor]:
    return [torch.log(x), *(_falling(x, -1.0, order - 1) if order else [])]


def _log1p(x: Tensor, order: int) -> list[Tensor]:
    return [torch.log1p(x), *(_falling(1.0 + x, -1.0, order - 1) if order else [])]


def _error_function(x: Tensor, order: int) -> list[Tensor]:
    """erf^(k+1) = 2/sqrt(pi) q_k(x) exp(-x^2), q_0 = 1, q_(k+1) = q_k' - 2 x q_k."""
    found = [torch.erf(x)]
    if order:
        bell = (2 / math.sqrt(math.pi)) * torch.exp(-x * x)
        found.append(bell)
    q: Polynomial = (1.0,)
    for _ in range(order - 1):
        slope, shifted = _derivative(q), _times(q, (0.0, -2.0))
        q = tuple((slope[i] if i < len(slope) else 0.0) + shifted[i] for i in range(len(shifted)))
        found.append(_value_at(q, x) * bell)
    return found


def _falling(x: Tensor, exponent: float, order: int) -> list[Tensor]:
    """x^a and its derivatives a (a - 1) ... x^(a - k); whole powers above zero end at zero."""
    found = []
    factor = 1.0
    for k in range(order + 1):
        if factor == 0.0:
            found.append(torch.zeros_like(x))
        else:
            power = _power(x, exponent - k)
            found.append(power if factor == 1.0 else factor * power)
        factor *= exponent - k
    return found


def _power(x: Tensor, exponent: float) -> Tensor:
    if exponent == 0.0:
        return torch.ones_like(x)
    if exponent == 1.0:
        return x
    if exponent == -1.0:
        return torch.reciprocal(x)
    return torch.pow(x, int(exponent) if exponent == int(exponent) else exponent)


def power(exponent: float) -> Derivatives:
    """x -> x^exponent."""
    return lambda x, order: _falling(x, float(exponent), order)


def _piecewise_linear(function: Callable[[Tensor], Tensor], slope: Callable[[Tensor], Tensor]) -> Derivatives:
    def derivatives(x: Tensor, order: int) -> list[Tensor]:
        zeros = [torch.zeros_like(x)] * max(order - 1, 0)
        return [function(x), *([slope(x)] if order else []), *zeros]

    return derivatives


def _step(x: Tensor) -> Tensor:
    return (x > 0).to(x.dtype)


FUNCTIONS: dict[str, Derivatives] = {
    "tanh": _autonomous(torch.tanh, (1.0, 0.0, -1.0)),
    "sigmoid": _autonomous(torch.sigmoid, (0.0, 1.0, -1.0)),
    "tan": _autonomous(torch.tan, (1.0, 0.0, 1.0)),
    "exp": _exponential,
    "expm1": _expm1,
    "sin": _trigonometric(0),
    "cos": _trigonometric(1),
    "sinh": _hyperbolic(0),
    "cosh": _hyperbolic(1),
    "log": _logarithm,
    "log1p": _log1p,
    "erf": _error_function,
    "sqrt": power(0.5),
    "rsqrt": power(-0.5),
    "reciprocal": power(-1.0),
    "relu": _piecewise_linear(torch.relu, _step),
    "abs": _piecewise_linear(torch.abs, torch.sign),
}
"""Function (an ATen operation) -> its derivatives."""
