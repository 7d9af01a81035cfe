"""The form that a closed expression takes in a region: the branches of its case distinctions that hold there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy
from sympy.functions.elementary.piecewise import ExprCondPair

from pinnkit.language.calculus import symbol
from pinnkit.language.constructors import piecewise, rebuild
from pinnkit.language.evaluate import Program
from pinnkit.problem.values import Values


def branch(expr: sympy.Expr, points: np.ndarray, coordinates: tuple[str, ...], values: Values) -> sympy.Expr:
    """The expression with each where, abs, sign, heaviside, max and min decided that is one and the same at all points.

    So a function that bends at the rim of a region is smooth up to it, and has one-sided values there. What the points
    do not decide, or what holds a parameter without a value, stays.

    Args:
        points: (n, d), inside the region.
        values: the parameters that are known.

    >>> x = symbol("x")
    >>> branch(sympy.Abs(x), np.array([[-0.5], [-0.1]]), ("x",), {})
    -x
    """
    known: dict[Any, float | np.ndarray] = {
        **values,
        **{symbol(name): points[:, index] for index, name in enumerate(coordinates)},
    }
    return _decided(expr, known)


def _decided(expr: sympy.Basic, known: Mapping[sympy.Symbol, float | np.ndarray]) -> sympy.Basic:
    if not expr.args:
        return expr
    if isinstance(expr, sympy.Piecewise):
        pairs = []
        for value, condition in expr.args:
            held = _held(condition, known)
            if held is not False:
                pairs.append((_decided(value, known), sympy.true if held else condition))
            if held:
                break
        return piecewise(*pairs)
    args = [_decided(one, known) if not isinstance(one, ExprCondPair) else one for one in expr.args]
    if isinstance(expr, sympy.Abs | sympy.sign | sympy.Heaviside):
        positive = _held(sympy.Gt(args[0], 0, evaluate=False), known)
        negative: bool | None = False
        if not positive:
            negative = _held(sympy.Lt(args[0], 0, evaluate=False), known)
        if positive or negative:
            one = sympy.S.One if positive else sympy.S.NegativeOne
            return {sympy.Abs: one * args[0], sympy.sign: one}.get(expr.func, (one + 1) / 2)
    if isinstance(expr, sympy.Max | sympy.Min):
        relation = sympy.Ge if isinstance(expr, sympy.Max) else sympy.Le
        for one in args:
            if all(_held(relation(one, other, evaluate=False), known) for other in args if other != one):
                return one
    return rebuild(expr, args)


def _held(condition: sympy.Basic, known: Mapping[sympy.Symbol, float | np.ndarray]) -> bool | None:
    """Whether a condition holds at all points (True), or at none (False); None: it depends on the point, or is open."""
    if condition in (sympy.true, sympy.false):
        return bool(condition)
    program = Program([condition])
    if any(atom not in known for atom in program.atoms):
        return None
    found = np.asarray(program(known)[0], dtype=bool)
    return True if found.all() else False if not found.any() else None
