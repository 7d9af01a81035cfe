"""Arithmetic of bounded cost: every constant is evaluated as a float before SymPy evaluates it.

A `Value` is an expression and, where it is constant, its value as a Python float. Values that are not finite, not real
or beyond 1e300 are refused, and long exact constants become floats, so that SymPy evaluates nothing large.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import sympy

from pinnkit.language.constructors import size
from pinnkit.language.errors import LanguageError
from pinnkit.language.tokens import SMALLEST_NUMBER

LARGEST = 1e300
MAX_POWER = 1000  # of an exponent, where the base is not a number
_EXACT_SIZE = 16  # nodes that an exact constant such as 3*sqrt(2)/4 may have
_EXACT_BITS = 1024
_ROOT_BITS = 50  # numbers up to this length have their roots taken exactly
_NOT_REAL = frozenset(
    (
        sympy.S.ComplexInfinity,
        sympy.S.NaN,
        sympy.S.Infinity,
        sympy.S.NegativeInfinity,
        sympy.S.ImaginaryUnit,
    )
)


class NotRealError(LanguageError):
    """A constant that is no finite real number."""


@dataclass(frozen=True)
class Value:
    """A scalar expression; `number` is its value where it is constant, otherwise None."""

    expr: sympy.Expr
    number: float | None = None


def check_finite(number: float | complex) -> float:
    """`number` itself; LanguageError where it is not real, not finite or beyond 1e300."""
    if isinstance(number, complex) or math.isnan(number):
        raise NotRealError("this constant is not a real number")
    if abs(number) > LARGEST:
        raise NotRealError(f"this constant is beyond {LARGEST:g} in magnitude")
    return number


def evaluate_constant(function: Callable[..., float], *numbers: Any) -> float:
    """function(*numbers) in floating point; LanguageError where that is no finite real number."""
    try:
        number = function(*numbers)
    except ZeroDivisionError:
        raise NotRealError("division by zero") from None
    except OverflowError:
        raise NotRealError(f"this constant is beyond {LARGEST:g} in magnitude") from None
    except ValueError:
        shown = ", ".join(f"{number:g}" for number in numbers)
        raise NotRealError(f"{function.__name__}({shown}) is not a real number") from None
    return check_finite(number)


def constant(number: int | float) -> Value:
    """A number of the text: an int is exact, a float has 53 bits."""
    value = evaluate_constant(float, number)
    return Value(sympy.Integer(number) if isinstance(number, int) else sympy.Float(value), value)


def real(expr: sympy.Basic) -> sympy.Basic:
    """The expression itself, just built of parts that are real.

    Raises NotRealError where SymPy has folded constants to what is not real, not finite or beyond 1e300.
    """
    for part in (expr, *expr.args, *(inner for argument in expr.args for inner in argument.args)):
        if part in _NOT_REAL:
            raise NotRealError("this is not a finite real number: a division by zero, or a root of a negative number")
        if part.is_Number:
            evaluate_constant(float, part)
    return expr


def make_value(expr: sympy.Expr, number: float | None = None) -> Value:
    """The Value of a new expression, with long constants as floats; NotRealError if it is not real."""
    real(expr)
    for part in (expr, *expr.args):
        if part.is_Pow and part.exp.is_Number and abs(part.exp) > MAX_POWER:
            raise LanguageError(f"a power of {float(part.exp):g}; the highest is {MAX_POWER}")
    if expr.is_Number:
        number = float(expr) if number is None else number
    if number is None:
        return Value(expr)
    if expr.is_Float or size(expr, _EXACT_SIZE + 1) > _EXACT_SIZE or _bits(expr) > _EXACT_BITS:
        expr = sympy.Float(number)
    return Value(expr, number)


def _bits(expr: sympy.Expr) -> int:
    return max((max(abs(n.p), n.q).bit_length() for n in expr.atoms(sympy.Rational)), default=0)


def _all_known(values: Sequence[Value]) -> bool:
    return all(value.number is not None for value in values)


def total(terms: Sequence[Value]) -> Value:
    """The sum of `terms`."""
    number = evaluate_constant(math.fsum, [cast(float, term.number) for term in terms]) if _all_known(terms) else None
    return make_value(sympy.Add(*(term.expr for term in terms)), number)


def negative(a: Value) -> Value:
    return make_value(-a.expr, None if a.number is None else -a.number)


def product(factors: Sequence[Value]) -> Value:
    """The product of `factors`."""
    number = None
    if _all_known(factors):
        number = 1.0
        for factor in factors:
            number = evaluate_constant(float.__mul__, number, cast(float, factor.number))
    expr = sympy.Mul(*(factor.expr for factor in factors))
    small = [part for part in (expr, *expr.args) if part.is_Number and part != 0 and abs(float(part)) < SMALLEST_NUMBER]
    if small or (number == 0 and all(factor.number != 0 for factor in factors)):
        raise LanguageError(f"this constant is nearer to zero than {SMALLEST_NUMBER:g}")
    return make_value(expr, number)


def reciprocal(a: Value) -> Value:
    number = None if a.number is None else evaluate_constant(lambda x: 1.0 / x, a.number)
    return make_value(1 / a.expr, number)


def power(a: Value, b: Value) -> Value:
    """a to the power b, worked out exactly only where that is short."""
    exponent = b.expr
    if exponent.is_Float and b.number is not None and float(2 * b.number).is_integer():
        exponent = sympy.Rational(round(2 * b.number), 2)  # x^2.0 is x^2, x^0.5 the square root
    if a.number is not None and b.number is not None:
        number = evaluate_constant(lambda x, y: x**y, a.number, b.number)
        if number == 0 and a.number != 0:
            raise LanguageError(f"this constant is nearer to zero than {SMALLEST_NUMBER:g}")
        return make_value(a.expr**exponent if _short(a.expr, exponent) else sympy.Float(number), number)
    if a.number is not None and a.number < 0:
        raise LanguageError("a negative number to a power that varies is not a real number")
    if b.number is not None and abs(b.number) > MAX_POWER:
        raise LanguageError(f"a power of {b.number:g}; the highest is {MAX_POWER}")
    return make_value(a.expr**exponent)


def _short(base: sympy.Expr, exponent: sympy.Expr) -> bool:
    """Whether base**exponent, of constants, is worked out in few steps."""
    if not exponent.is_Rational:
        return not (base.is_Rational and _bits(base) > _ROOT_BITS)
    bits = _bits(base)
    if exponent.is_Integer:
        return abs(exponent.p) * bits <= _EXACT_BITS or (bits <= 1 and not base.is_Number)
    return bits <= _ROOT_BITS and exponent.q <= 100 and abs(exponent.p) * bits <= _EXACT_BITS


def function(build: Callable[..., sympy.Expr], number: Callable[..., float], arguments: Sequence[Value]) -> Value:
    """A function of scalars: `build` makes the expression, `number` computes it where it is constant."""
    known = evaluate_constant(number, *(cast(float, a.number) for a in arguments)) if _all_known(arguments) else None
    return make_value(build(*(a.expr for a in arguments)), known)
