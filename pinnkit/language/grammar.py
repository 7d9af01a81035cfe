"""Grammar: text to SymPy expressions by a whitelist of syntax; nothing is ever executed.

The tokens are checked first (`tokens`), names are looked up in a `Scope` (`names`), constants are bounded before SymPy
evaluates them (`arithmetic`). The result is an expression or a `LanguageError`.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence

import sympy

from pinnkit.language import complex_values
from pinnkit.language.complex_values import imaginary_part, real_part
from pinnkit.language.errors import LanguageError, suggestion
from pinnkit.language.functions import FUNCTIONS
from pinnkit.language.names import CONSTANTS, Scope, check_name, meaning
from pinnkit.language.partial import partials, symbol
from pinnkit.language.reader import Reader
from pinnkit.language.tokens import MAX_DIGITS, Token, split_equation, tokenize

__all__ = [
    "CONSTANTS",
    "FUNCTIONS",
    "Scope",
    "assignment",
    "check_name",
    "complex_expression",
    "constant",
    "equation",
    "equations",
    "expression",
    "inequality",
    "meaning",
]


def expression(text: str | int | float, scope: Scope) -> sympy.Expr:
    """The scalar expression that `text` writes.

    Raises LanguageError with the place of the mistake.

    >>> scope = Scope(("x", "t"), {"u": ("x", "t")}, ("alpha",))
    >>> expression("-x^2 + diff(alpha*u_x, x)", scope)
    alpha*u_xx - x**2
    """
    text, (side, *more) = _sides(text, scope)
    if more:
        raise LanguageError("an expression belongs here, not an equation", text, _end(side))
    return _admitted(text, Reader(text, scope).scalar(side))


def equation(text: str | int | float, scope: Scope) -> sympy.Expr:
    """The residual, left - right, of `left = right`; an expression without `=` is meant to be zero.

    >>> equation("u_t = alpha*u_xx", Scope(("x", "t"), {"u": ("x", "t")}, ("alpha",)))
    -alpha*u_xx + u_t
    """
    text, sides = _sides(text, scope)
    reader = Reader(text, scope)
    residual, *right = [reader.scalar(side) for side in sides]
    return _admitted(text, residual - right[0] if right else residual)


def equations(text: str | int | float, scope: Scope) -> dict[str, sympy.Expr]:
    """The real residuals of `left = right`: {"re": ..., "im": ...}, or {"": ...} where the other is zero.

    >>> scope = Scope(("x",), {"h": ("x",), "h_re": ("x",), "h_im": ("x",)}, complex={"h": ("h_re", "h_im")})
    >>> equations("i*h_x = 2*h", scope)
    {'re': -h_im_x - 2*h_re, 'im': -2*h_im + h_re_x}
    """
    text, sides = _sides(text, scope)
    reader = Reader(text, scope)
    left, *right = [reader.value(side) for side in sides]
    values = [left, *map(complex_values.negative, right)]
    parts = [sympy.Add(*(half(one).expr for one in values)) for half in (real_part, imaginary_part)]
    for part in parts:
        _admitted(text, part)
    if 0 in parts:
        return {"": parts[0] if parts[1] == 0 else parts[1]}
    return {"re": parts[0], "im": parts[1]}


def complex_expression(text: str | int | float, scope: Scope) -> tuple[sympy.Expr, sympy.Expr]:
    """Real and imaginary part of the scalar expression that `text` writes."""
    text, (side, *more) = _sides(text, scope)
    if more:
        raise LanguageError("an expression belongs here, not an equation", text, _end(side))
    value = Reader(text, scope).value(side)
    return tuple(_admitted(text, half(value).expr) for half in (real_part, imaginary_part))


def assignment(text: str, scope: Scope) -> tuple[str, sympy.Expr]:
    """Coordinate and value of `coordinate = value`; the value may hold parameters, nothing that varies.

    >>> assignment("x = -1", Scope(("x", "t")))
    ('x', -1)
    """
    text, sides = _sides(text, scope)
    left = sides[0]
    example = f"{scope.coordinates[0] if scope.coordinates else 'x'} = 0"
    if len(sides) != 2:
        raise LanguageError(f"an assignment such as '{example}' belongs here", text, left[0].position)
    name = left[0].text
    if len(left) != 1 or name not in scope.coordinates:
        if len(left) == 1 and name in (*scope.fields, *scope.parameters):
            hint = f": '{name}' is none; it belongs under equations"
        else:
            hint = suggestion(name if len(left) == 1 else "", scope.coordinates)
        raise LanguageError(f"a coordinate belongs left of '='{hint}", text, left[0].position)
    value = _admitted(text, Reader(text, scope).scalar(sides[1]))
    varying = value.free_symbols & {symbol(one) for one in (*scope.coordinates, *scope.columns)}
    if varying or partials(value):
        what = ", ".join(sorted(map(str, partials(value) or varying)))
        raise LanguageError(f"the value of {name} must be constant, but {what} varies", text, sides[1][0].position)
    return name, value


def inequality(text: str, scope: Scope) -> sympy.Basic:
    """The condition that `text` writes, as a SymPy Boolean.

    >>> inequality("x > 0.5 and not t >= 1", Scope(("x", "t")))
    (x > 0.5) & ~(t >= 1)
    """
    text, (side, *more) = _sides(text, scope)
    if more:
        raise LanguageError("an inequality belongs here, such as x > 0.5, not an equation", text, _end(side))
    return Reader(text, scope).condition(side)


def constant(text: str | int | float) -> float:
    """The finite number that `text` writes, such as `2*pi` or `0.01/pi`.

    >>> constant("2*pi")
    6.283185307179586
    """
    text, (side, *more) = _sides(text)
    if more:
        raise LanguageError("a number belongs here, not an equation", text, _end(side))
    return Reader(text, Scope(())).number(side)


def _sides(text: str | int | float, scope: Scope | None = None) -> tuple[str, list[list[Token]]]:
    if isinstance(text, numbers.Real) and not isinstance(text, bool):
        integral = isinstance(text, numbers.Integral)
        if integral and abs(text) >= 10**MAX_DIGITS:
            raise LanguageError(f"an integer of more than {MAX_DIGITS} digits; write it as a float, such as 1e60")
        if not math.isfinite(text):
            raise LanguageError(f"{text} is not a finite number")
        text = repr(int(text) if integral else float(text))
    if not isinstance(text, str):
        raise LanguageError(f"text or a number belongs here, not {text!r:.60} ({type(text).__name__})")
    sides = split_equation(tokenize(text, scope.fields if scope is not None else ()), text)
    for side in sides:
        if not side:
            raise LanguageError("one side of the equation is empty", text, text.index("="))
    return text, sides


def _end(side: Sequence[Token]) -> int:
    return side[-1].position + len(side[-1].text)


def _admitted(text: str, expr: sympy.Expr) -> sympy.Expr:
    if expr.has(sympy.zoo, sympy.nan, sympy.oo, sympy.I):
        raise LanguageError("this is not a finite real number wherever its names are", text, 0)
    return expr
