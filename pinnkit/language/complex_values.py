"""Arithmetic of complex values: pairs of real expressions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy

from pinnkit.language import arithmetic
from pinnkit.language.arithmetic import Value
from pinnkit.language.constructors import size
from pinnkit.language.errors import LanguageError
from pinnkit.language.functions import call_scalar

MAX_POWER = 16
"""The highest whole power of a complex expression, which is multiplied out."""
MAX_SIZE = 5000
"""Nodes of a real or an imaginary part: each product of n complex factors has 2^n terms."""
ZERO = Value(sympy.S.Zero, 0.0)
ONE = Value(sympy.S.One, 1.0)
HALF = Value(sympy.S.Half, 0.5)


@dataclass(frozen=True)
class Complex:
    """re + i im, of real scalar expressions; one whose imaginary part is zero is a Value instead, see `pair`."""

    re: Value
    im: Value


Scalar = Value | Complex


def pair(re: Value, im: Value) -> Scalar:
    """re + i im, a real Value where im is zero.

    Raises LanguageError where a part has more than MAX_SIZE nodes.
    """
    for part in (re, im):
        if size(part.expr, MAX_SIZE + 1) > MAX_SIZE:
            raise LanguageError(
                f"this complex expression has more than {MAX_SIZE} terms when it is multiplied out: write it shorter"
            )
    return re if im.expr == 0 else Complex(re, im)


IMAGINARY_UNIT = Complex(ZERO, ONE)


def real_part(a: Scalar) -> Value:
    return a.re if isinstance(a, Complex) else a


def imaginary_part(a: Scalar) -> Value:
    return a.im if isinstance(a, Complex) else ZERO


def conjugate(a: Scalar) -> Scalar:
    return Complex(a.re, arithmetic.negative(a.im)) if isinstance(a, Complex) else a


def total(terms: Sequence[Scalar]) -> Scalar:
    """The sum of `terms`."""
    re = arithmetic.total([real_part(term) for term in terms])
    im = [term.im for term in terms if isinstance(term, Complex)]
    return pair(re, arithmetic.total(im)) if im else re


def negative(a: Scalar) -> Scalar:
    if isinstance(a, Value):
        return arithmetic.negative(a)
    return Complex(arithmetic.negative(a.re), arithmetic.negative(a.im))


def product(factors: Sequence[Scalar]) -> Scalar:
    """The product of `factors`: (a + ib)(c + id) = ac - bd + i(ad + bc)."""
    real = [factor for factor in factors if isinstance(factor, Value)]
    result: Scalar = arithmetic.product(real) if real else ONE
    for factor in factors:
        if isinstance(factor, Complex):
            result = _times(result, factor)
    return result


def _times(a: Scalar, b: Complex) -> Scalar:
    if isinstance(a, Value):
        return pair(_multiplied(a, b.re), _multiplied(a, b.im))
    re = arithmetic.total([_multiplied(a.re, b.re), arithmetic.negative(_multiplied(a.im, b.im))])
    im = arithmetic.total([_multiplied(a.re, b.im), _multiplied(a.im, b.re)])
    return pair(re, im)


def _multiplied(a: Value, b: Value) -> Value:
    return ZERO if 0 in (a.expr, b.expr) else arithmetic.product([a, b])


def square(a: Complex) -> Value:
    """|a|^2 = re^2 + im^2."""
    return arithmetic.total([_multiplied(part, part) for part in (a.re, a.im)])


def modulus(a: Scalar) -> Value:
    """|a|; its square has no root: abs(h)^2 is re^2 + im^2."""
    return call_scalar("sqrt", [square(a)]) if isinstance(a, Complex) else call_scalar("abs", [a])


def argument(a: Scalar) -> Value:
    """The angle of a in (-pi, pi]."""
    return call_scalar("atan2", [imaginary_part(a), real_part(a)])


def reciprocal(a: Scalar) -> Scalar:
    """conj(a) / |a|^2."""
    if isinstance(a, Value):
        return arithmetic.reciprocal(a)
    over = arithmetic.reciprocal(square(a))
    return pair(_multiplied(a.re, over), arithmetic.negative(_multiplied(a.im, over)))


def power(a: Scalar, b: Scalar) -> Scalar:
    """a to the power b: multiplied out for whole b, else the principal value exp(b log a)."""
    if isinstance(a, Value) and isinstance(b, Value):
        return arithmetic.power(a, b)
    if isinstance(b, Value) and b.number is not None and float(b.number).is_integer():
        return _whole_power(a, int(b.number))
    return exponential(product([b, logarithm(a)]))


def _whole_power(a: Scalar, count: int) -> Scalar:
    if abs(count) > MAX_POWER:
        raise LanguageError(f"a complex expression to the power {count}; the highest is {MAX_POWER}")
    result: Scalar = ONE
    factor, left = a, abs(count)
    while left:
        if left % 2:
            result = product([result, factor])
        left //= 2
        factor = product([factor, factor]) if left else factor
    return reciprocal(result) if count < 0 else result


def exponential(a: Scalar) -> Scalar:
    """e^re (cos im + i sin im)."""
    if isinstance(a, Value):
        return call_scalar("exp", [a])
    size = call_scalar("exp", [a.re])
    return pair(*(_multiplied(size, call_scalar(name, [a.im])) for name in ("cos", "sin")))


def logarithm(a: Scalar) -> Scalar:
    """log |a| + i arg a, the principal value; of a real expression the real logarithm, but of a negative number too."""
    if isinstance(a, Value):
        if a.number is not None and a.number < 0:
            return Complex(call_scalar("log", [arithmetic.negative(a)]), Value(sympy.pi, float(sympy.pi)))
        return call_scalar("log", [a])
    return pair(_multiplied(HALF, call_scalar("log", [square(a)])), argument(a))
