"""Symbolic equations that are linear in partial derivatives: coefficients and solution."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import sympy
from sympy.core.function import Application
from sympy.matrices.exceptions import NonInvertibleMatrixError

from pinnkit.language.calculus import Budget, Partial, differentiate, partials, replace, symbol
from pinnkit.language.errors import LanguageError
from pinnkit.language.integral import Integral, integrals

MAX_OPERATIONS = 200_000


class NotLinearError(ValueError):
    """An expression is not linear in the unknowns."""


def placeholders(unknowns: Iterable[Partial | Integral]) -> dict[Partial | Integral, sympy.Symbol]:
    """A symbol for each partial derivative or integral, by a name that no problem can use."""
    return {unknown: symbol(f"#{number}") for number, unknown in enumerate(unknowns)}


def slopes(expression: sympy.Expr, unknowns: Sequence[Partial]) -> list[sympy.Expr]:
    """The derivative of the expression by each of the partial derivatives, as if they were variables."""
    names = placeholders(unknowns)
    budget = Budget(MAX_OPERATIONS)
    replaced = replace(expression, names)
    back = {name: unknown for unknown, name in names.items()}
    return [replace(differentiate(replaced, str(name), budget=budget), back) for name in names.values()]


def coefficients(expression: sympy.Expr, unknowns: Sequence[Partial | Integral]) -> tuple[list[sympy.Expr], sympy.Expr]:
    """The a_i and b of `expression = sum a_i unknown_i + b`.

    Raises:
        NotLinearError: an unknown stands in a coefficient, or inside a function.

    >>> u = Partial("u", ("t",))
    >>> coefficients(2 * u - sympy.sin(symbol("t")), [u])
    ([2], -sin(t))
    """
    names = placeholders(unknowns)
    symbols = set(names.values())
    replaced = replace(expression, names)
    # abs, max or where would pass for linear: their slope is piecewise constant
    if any(node.free_symbols & symbols for node in replaced.atoms(Application)):
        raise NotLinearError(str(expression))
    budget = Budget(MAX_OPERATIONS)
    factors = [differentiate(replaced, str(name), budget=budget) for name in names.values()]
    if any(factor.free_symbols & symbols for factor in factors):
        raise NotLinearError(str(expression))
    return factors, replace(replaced, dict.fromkeys(symbols, sympy.S.Zero))


def is_linear(expression: sympy.Expr) -> bool:
    """Whether an expression is linear (or affine) in the fields and their derivatives.

    >>> u, u_x = Partial("u", ()), Partial("u", ("x",))
    >>> is_linear(symbol("x") * u_x - 2 * u + 1), is_linear(u * u_x)
    (True, False)
    """
    held = integrals(expression)
    try:
        coefficients(expression, [*sorted(partials(expression), key=str), *held])
    except (NotLinearError, LanguageError):  # or too long to tell
        return False
    return all(is_linear(one.body) for one in held)


def solve(expressions: Sequence[sympy.Expr], unknowns: Sequence[Partial]) -> Mapping[Partial, sympy.Expr] | None:
    """The unknowns at which all (as many) expressions are zero; None where their matrix is singular.

    Raises:
        NotLinearError: an expression is not linear in the unknowns.
    """
    rows = [coefficients(expression, unknowns) for expression in expressions]
    matrix = sympy.Matrix([factors for factors, _ in rows])
    right = sympy.Matrix([-rest for _, rest in rows])
    try:
        solution = matrix.LUsolve(right)
    except NonInvertibleMatrixError:
        return None
    return dict(zip(unknowns, solution, strict=True))
