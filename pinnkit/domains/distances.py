"""Closed forms of distances: R-functions, and the trimming of a surface to a part of it.

Rvachev and Sheiko 1995, Appl. Mech. Rev. 48, 151; Sukumar and Srivastava 2022, Comput. Methods Appl. Mech. Eng. 389,
114333 (arXiv 2104.08426). The arguments are functions that are positive inside, zero on the boundary and negative
outside, with derivative 1 along the inward normal; the results are such functions too, but for points where several
boundaries meet.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy


def coordinate(name: str) -> sympy.Symbol:
    """The symbol of a coordinate, as the language has it."""
    return sympy.Symbol(name, real=True)


def number(value: float) -> sympy.Number:
    """A float as an exact number where it is whole, so that terms cancel."""
    return sympy.Integer(int(value)) if float(value).is_integer() else sympy.Float(value)


def intersection(first: sympy.Expr, *others: sympy.Expr) -> sympy.Expr:
    """a + b - sqrt(a^2 + b^2): positive where all are."""
    return _joined([first, *others], lambda a, b: a + b - sympy.sqrt(a**2 + b**2))


def union(first: sympy.Expr, *others: sympy.Expr) -> sympy.Expr:
    """a + b + sqrt(a^2 + b^2): positive where one is."""
    return _joined([first, *others], lambda a, b: a + b + sympy.sqrt(a**2 + b**2))


def _joined(parts: list[sympy.Expr], pair: Callable[[sympy.Expr, sympy.Expr], sympy.Expr]) -> sympy.Expr:
    """Join neighbours, then the pairs, and so on: each level writes its arguments twice, and there are few levels."""
    while len(parts) > 1:
        pairs = zip(parts[::2], parts[1::2], strict=False)
        parts = [*(pair(a, b) for a, b in pairs), *parts[len(parts) - len(parts) % 2 :]]
    return parts[0]


def between(name: str, lower: float, upper: float) -> sympy.Expr:
    """(p - a) (b - p) / (b - a), for the interval [a, b]."""
    p, a, b = coordinate(name), number(lower), number(upper)
    return (p - a) * (b - p) / (b - a)


def trimmed(surface: sympy.Expr, kept: sympy.Expr) -> sympy.Expr:
    """sqrt(f^2 + ((sqrt(t^2 + f^4) - t) / 2)^2): zero where f = 0 and t >= 0, positive elsewhere.

    Of f its size alone counts; t is the function `kept` of the part of the surface f = 0 that is meant.
    """
    root = sympy.sqrt(kept**2 + surface**4)
    return sympy.sqrt(surface**2 + ((root - kept) / 2) ** 2)
