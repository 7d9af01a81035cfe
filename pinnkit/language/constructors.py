"""Constructors of SymPy expressions without simplifications of unbounded cost.

SymPy evaluates abs, sign, min, max, Heaviside, Piecewise and comparisons by its assumption system, which expands and
solves. Here they stay unevaluated, unless their arguments are numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sympy
from sympy.core.relational import Relational
from sympy.functions.elementary.piecewise import ExprCondPair


class sigmoid(sympy.Function):
    """1 / (1 + exp(-x)), kept as one function so that it can be evaluated without overflow."""

    nargs = 1
    is_real = True

    def fdiff(self, argindex=1):
        return self * (1 - self)


class softplus(sympy.Function):
    """log(1 + exp(x)), kept as one function so that it can be evaluated without overflow."""

    nargs = 1

    def fdiff(self, argindex=1):
        return sigmoid(self.args[0])


def absolute(a: sympy.Expr) -> sympy.Expr:
    if a.is_Number:
        return abs(a)
    return a if isinstance(a, sympy.Abs) else sympy.Abs(a, evaluate=False)


def sign(a: sympy.Expr) -> sympy.Expr:
    if a.is_Number:
        return sympy.Integer(bool(a > 0) - bool(a < 0))
    return sympy.sign(a, evaluate=False)


def heaviside(a: sympy.Expr, middle: sympy.Expr = sympy.S.Half) -> sympy.Expr:
    if a.is_Number:
        return sympy.S.One if a > 0 else sympy.S.Zero if a < 0 else middle
    return sympy.Heaviside(a, middle, evaluate=False)


def _extreme(kind: type, better: Callable, args: Sequence[sympy.Expr]) -> sympy.Expr:
    numbers = [a for a in args if a.is_Number]
    kept = list(dict.fromkeys(a for a in args if not a.is_Number))
    if numbers:
        best = numbers[0]
        for number in numbers[1:]:
            best = number if better(number, best) else best
        kept.append(best)
    return kept[0] if len(kept) == 1 else kind(*kept, evaluate=False)


def maximum(*args: sympy.Expr) -> sympy.Expr:
    return _extreme(sympy.Max, lambda a, b: bool(a > b), args)


def minimum(*args: sympy.Expr) -> sympy.Expr:
    return _extreme(sympy.Min, lambda a, b: bool(a < b), args)


def piecewise(*pairs: tuple[sympy.Expr, sympy.Basic]) -> sympy.Expr:
    """The value of the first pair (value, condition) whose condition holds."""
    kept = []
    for value, condition in pairs:
        if condition == sympy.false:
            continue
        kept.append((value, condition))
        if condition == sympy.true:
            break
    if kept and (kept[0][1] == sympy.true or (len({value for value, _ in kept}) == 1 and kept[-1][1] == sympy.true)):
        return kept[0][0]
    return sympy.Piecewise(*kept, evaluate=False) if kept else sympy.S.NaN


def relation(kind: type[Relational], a: sympy.Expr, b: sympy.Expr) -> sympy.Basic:
    return kind(a, b) if a.is_Number and b.is_Number else kind(a, b, evaluate=False)


def logical(kind: type, *args: sympy.Basic) -> sympy.Basic:
    """And, Or or Not of conditions; those that are known are folded."""
    if kind is sympy.Not:
        return sympy.Not(args[0], evaluate=args[0] in (sympy.true, sympy.false))
    absorbing = sympy.false if kind is sympy.And else sympy.true
    if absorbing in args:
        return absorbing
    kept = list(dict.fromkeys(a for a in args if a not in (sympy.true, sympy.false)))
    if not kept:
        return sympy.true if kind is sympy.And else sympy.false
    return kept[0] if len(kept) == 1 else kind(*kept, evaluate=False)


_BUILDERS: dict[type, Callable[..., sympy.Basic]] = {
    sympy.Abs: absolute,
    sympy.sign: sign,
    sympy.Heaviside: heaviside,
    sympy.Max: maximum,
    sympy.Min: minimum,
}


def rebuild(expr: sympy.Basic, args: Sequence[sympy.Basic]) -> sympy.Basic:
    """`expr` with its arguments replaced by `args`, built as above."""
    if isinstance(expr, sympy.Piecewise):
        return piecewise(*(tuple(pair.args) for pair in args))
    if isinstance(expr, ExprCondPair):
        return ExprCondPair(*args)
    if isinstance(expr, Relational):
        return relation(expr.func, *args)
    if isinstance(expr, sympy.And | sympy.Or | sympy.Not):
        return logical(expr.func, *args)
    builder = _BUILDERS.get(expr.func)
    return builder(*args) if builder else expr.func(*args)


def size(expr: sympy.Basic, limit: int) -> int:
    """Nodes of the tree of `expr`, counted up to `limit`.

    >>> size(sympy.sin(symbol_ := sympy.Symbol("x")) + symbol_, 100)
    4
    """
    count, stack = 0, [expr]
    while stack and count < limit:
        node = stack.pop()
        count += 1
        stack.extend(node.args)
    return count
