"""Extraction of the known functions of the coordinates in an expression: sources and coefficients."""

from __future__ import annotations

import sympy

from pinnkit.language.calculus import partials, symbol


def extract_known_functions(
    expression: sympy.Expr, of: set[sympy.Symbol]
) -> tuple[sympy.Expr, dict[sympy.Symbol, sympy.Expr]]:
    """Replace the largest parts that have no field, but a coordinate in `of`, by symbols.

    Returns:
        The expression, and symbol -> part.

    >>> x = symbol("x")
    >>> extract_known_functions(sympy.sin(x) + x**2, {x})
    (#0, {#0: x**2 + sin(x)})
    """
    names: dict[sympy.Symbol, sympy.Expr] = {}

    def name(part: sympy.Expr) -> sympy.Symbol:
        names[found := symbol(f"#{len(names)}")] = part
        return found

    def walk(node: sympy.Expr) -> sympy.Expr:
        if not partials(node):
            return name(node) if of & node.free_symbols else node
        if not node.args:
            return node
        together = [part for part in node.args if not partials(part)] if node.is_Add or node.is_Mul else []
        others = [walk(part) for part in node.args if part not in together]
        if any(of & part.free_symbols for part in together):
            together = [name(node.func(*together))]
        return node.func(*together, *others)

    return walk(expression), names
