"""The check that a problem decides the sign of each unknown, and that it is not zero."""

from __future__ import annotations

from collections.abc import Collection

import sympy

from pinnkit.language.calculus import Partial
from pinnkit.language.errors import Report
from pinnkit.language.integral import Integral, all_partials
from pinnkit.problem.bounds import NO_BOUNDS
from pinnkit.problem.places import equations_with_keys
from pinnkit.problem.problem import Problem

EVEN, ODD = 1, -1
ODD_FUNCTIONS = (sympy.sin, sympy.tan, sympy.asin, sympy.atan, sympy.sinh, sympy.tanh, sympy.erf, sympy.sign)
EVEN_FUNCTIONS = (sympy.cos, sympy.cosh, sympy.Abs)


def check_signs(problem: Problem, report: Report) -> None:
    """Warn of an unknown f where -f, or f = 0, meets every equation and condition: of an eigenvalue problem, say.

    What has been found is a sufficient condition only: a residual that is neither an even nor an odd function of f by
    its form counts as one that decides the sign.
    """
    residuals = [equation.residual for _, equation, _ in equations_with_keys(problem)]
    if any(callable(one) for one in residuals) or any(field.arguments for field in problem.fields):
        return
    for unknown in problem.unknowns:
        names = {field.name for field in problem.fields if field.unknown == unknown.name}
        if any(field.transform or field.bounds != NO_BOUNDS for field in problem.fields if field.name in names):
            continue
        if all(problem.exact.get(name) == 0 for name in names):
            continue
        found, name = {parity(residual, names) for residual in residuals if _holds(residual, names)}, unknown.name
        if found == {ODD}:
            report.warn(
                f"fields.{name}",
                f"{name} = 0 meets every equation and condition: is one missing that it does not meet, such as "
                f"integral({name}^2, domain) = 1?",
            )
        elif found and None not in found:
            report.warn(
                f"fields.{name}",
                f"-{name} meets every equation and condition that {name} does, and training may end at either: a "
                f"condition such as integral({name}, domain) = abs(integral({name}, domain)) decides the sign",
            )


def _holds(residual: sympy.Basic, names: Collection[str]) -> bool:
    return any(partial.field in names for partial in all_partials(residual))


def parity(expr: sympy.Basic, fields: Collection[str]) -> int | None:
    """How an expression changes where the signs of fields do: EVEN, ODD, or None if neither is seen by its form.

    >>> from pinnkit.language.calculus import symbol
    >>> u = Partial("u", ("x",))
    >>> parity(u**2 - 1, ["u"]), parity(sympy.sin(u) * symbol("x"), ["u"]), parity(u - 1, ["u"])
    (1, -1, None)
    """
    if isinstance(expr, Partial):
        return ODD if expr.field in fields else EVEN
    if isinstance(expr, Integral):
        return parity(expr.body, fields)
    parts = [parity(one, fields) for one in expr.args]
    if all(one == EVEN for one in parts):
        return EVEN
    if None in parts:
        return None
    if expr.is_Add:
        return parts[0] if len(set(parts)) == 1 else None
    if expr.is_Mul:
        return ODD if parts.count(ODD) % 2 else EVEN
    if expr.is_Pow and parts[1] == EVEN and expr.exp.is_Integer:
        return ODD if expr.exp % 2 else EVEN
    if isinstance(expr, EVEN_FUNCTIONS):
        return EVEN
    return ODD if isinstance(expr, ODD_FUNCTIONS) else None
