"""The terms of a sum."""

from __future__ import annotations

import sympy

from pinnkit.language.integral import all_partials


def additive_terms(residual: sympy.Expr) -> tuple[sympy.Expr, ...]:
    """The terms of a sum; a factor that holds no field is multiplied out.

    >>> from pinnkit.language.calculus import Partial
    >>> x, t, u = sympy.Symbol("x", real=True), sympy.Symbol("t", real=True), Partial("u", ("x", "t"))
    >>> sorted(map(str, additive_terms(u.diff(t) - x * (u.diff(x) + u))))
    ['-x*u', '-x*u_x', 'u_t']
    """
    if residual.is_Add:
        return tuple(term for one in residual.args for term in additive_terms(one))
    if residual.is_Mul:
        sums = [one for one in residual.args if one.is_Add and all_partials(one)]
        others = [one for one in residual.args if one not in sums]
        if len(sums) == 1 and not any(map(all_partials, others)):
            return tuple(sympy.Mul(*others, term) for term in additive_terms(sums[0]))
    return (residual,)
