"""Functions of complex arguments, reduced to real ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from pinnkit.language import arithmetic
from pinnkit.language.arithmetic import Value
from pinnkit.language.complex_values import (
    HALF,
    ONE,
    Complex,
    Scalar,
    argument,
    conjugate,
    exponential,
    imaginary_part,
    logarithm,
    modulus,
    pair,
    power,
    product,
    real_part,
    reciprocal,
)
from pinnkit.language.errors import LanguageError
from pinnkit.language.functions import call_scalar, expect_arguments, is_scalar


def call(name: str, arguments: Sequence[Scalar]) -> Scalar:
    """The function `name` of scalars, real or complex.

    Raises LanguageError where their number is wrong, or the function takes real arguments alone.
    """
    if name in _OF_BOTH:
        expect_arguments(name, len(arguments), 1)
        return _OF_BOTH[name](arguments[0])
    if not any(isinstance(one, Complex) for one in arguments):
        return call_scalar(name, cast(Sequence[Value], arguments))
    if name not in _OF_COMPLEX:
        raise LanguageError(
            f"{name} takes real arguments, and this is complex: take re(...), im(...) or abs(...) of it"
        )
    expect_arguments(name, len(arguments), 1)
    return _OF_COMPLEX[name](cast(Complex, arguments[0]))


def is_function_of_scalars(name: str) -> bool:
    return name in _OF_BOTH or is_scalar(name)


def _of(name: str, value: Value) -> Value:
    return call_scalar(name, [value])


def _sine(a: Complex) -> Scalar:
    """sin re cosh im + i cos re sinh im."""
    re = arithmetic.product([_of("sin", a.re), _of("cosh", a.im)])
    return pair(re, arithmetic.product([_of("cos", a.re), _of("sinh", a.im)]))


def _cosine(a: Complex) -> Scalar:
    """cos re cosh im - i sin re sinh im."""
    re = arithmetic.product([_of("cos", a.re), _of("cosh", a.im)])
    return pair(re, arithmetic.negative(arithmetic.product([_of("sin", a.re), _of("sinh", a.im)])))


def _hyperbolic_sine(a: Complex) -> Scalar:
    """sinh re cos im + i cosh re sin im."""
    re = arithmetic.product([_of("sinh", a.re), _of("cos", a.im)])
    return pair(re, arithmetic.product([_of("cosh", a.re), _of("sin", a.im)]))


def _hyperbolic_cosine(a: Complex) -> Scalar:
    """cosh re cos im + i sinh re sin im."""
    re = arithmetic.product([_of("cosh", a.re), _of("cos", a.im)])
    return pair(re, arithmetic.product([_of("sinh", a.re), _of("sin", a.im)]))


def _hyperbolic_tangent(a: Complex) -> Scalar:
    """(t + i s c (1 - t^2)) / (t^2 + c^2 (1 - t^2)) with t = tanh re, s = sin im, c = cos im: nothing overflows."""
    t, s, c = _of("tanh", a.re), _of("sin", a.im), _of("cos", a.im)
    two = arithmetic.constant(2)
    t2, c2 = arithmetic.power(t, two), arithmetic.power(c, two)
    rest = arithmetic.total([ONE, arithmetic.negative(t2)])
    over = arithmetic.reciprocal(arithmetic.total([t2, arithmetic.product([c2, rest])]))
    return pair(arithmetic.product([t, over]), arithmetic.product([s, c, rest, over]))


def _tangent(a: Complex) -> Scalar:
    """-i tanh(i a)."""
    turned = _hyperbolic_tangent(Complex(arithmetic.negative(a.im), a.re))
    return pair(imaginary_part(turned), arithmetic.negative(real_part(turned)))


def _decimal_logarithm(a: Complex) -> Scalar:
    ten = call_scalar("log", [arithmetic.constant(10)])
    return product([logarithm(a), reciprocal(ten)])


_OF_BOTH: Mapping[str, Callable[[Scalar], Scalar]] = {
    "re": real_part,
    "im": imaginary_part,
    "conj": conjugate,
    "arg": argument,
}

_OF_COMPLEX: Mapping[str, Callable[[Complex], Scalar]] = {
    "abs": modulus,
    "exp": exponential,
    "log": logarithm,
    "ln": logarithm,
    "log10": _decimal_logarithm,
    "sqrt": lambda a: power(a, HALF),
    "sin": _sine,
    "cos": _cosine,
    "tan": _tangent,
    "sinh": _hyperbolic_sine,
    "cosh": _hyperbolic_cosine,
    "tanh": _hyperbolic_tangent,
}
