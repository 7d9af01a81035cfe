"""Calculus on expressions: every operator reduces to partial derivatives of fields."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import sympy

from pinnkit.language.arithmetic import NotRealError, real
from pinnkit.language.constructors import heaviside, maximum, minimum, piecewise, rebuild, sign
from pinnkit.language.errors import LanguageError
from pinnkit.language.integral import Integral, all_partials
from pinnkit.language.known import Known
from pinnkit.language.partial import (
    MAX_ORDER,
    Partial,
    as_expression,
    field,
    normal_derivative,
    normal_symbol,
    partials,
    symbol,
)

__all__ = [
    "MAX_ORDER",
    "Budget",
    "Partial",
    "curl",
    "differentiate",
    "divergence",
    "dot",
    "field",
    "gradient",
    "laplacian",
    "normal_derivative",
    "normal_symbol",
    "partials",
    "replace",
    "substitute_fields",
    "symbol",
]

MAX_OPERATIONS = 20_000  # nodes that the derivatives in one text may build


class Budget:
    """Counts the nodes that are built; raises LanguageError where they are too many.

    `guard` is asked about each expression, and the coordinate by which it is about to be differentiated.
    """

    def __init__(self, limit: int = MAX_OPERATIONS, guard: Callable[[sympy.Expr, str], None] | None = None):
        self.left = limit
        self.limit = limit
        self.guard = guard

    def spend(self, expr: sympy.Basic) -> sympy.Basic:
        self.left -= 1 + len(expr.args)
        if self.left < 0:
            raise LanguageError(f"the derivatives here grow beyond {self.limit} operations; simplify the expression")
        return expr


def differentiate(expr: sympy.Expr, *coordinates: str, budget: Budget | None = None) -> sympy.Expr:
    """The derivative of `expr` by each of `coordinates` in turn.

    abs, sign, min, max, heaviside and where are differentiated almost everywhere: a jump contributes nothing.

    Raises LanguageError where the total order exceeds 8 or the result is too long.

    >>> u, x = field("u", ("x", "t")), symbol("x")
    >>> differentiate(x**2 * u, "x")
    x**2*u_x + 2*x*u
    """
    if len(coordinates) > MAX_ORDER:
        raise LanguageError(f"a derivative of order {len(coordinates)}; the highest is {MAX_ORDER}")
    budget = budget or Budget()
    for name in coordinates:
        if budget.guard is not None:
            budget.guard(as_expression(expr), name)
        expr = _derivative(as_expression(expr), symbol(name), {}, budget)
    return expr


def _derivative(expr: sympy.Basic, s: sympy.Symbol, known: dict, budget: Budget) -> sympy.Expr:
    if expr not in known:
        known[expr] = real(budget.spend(_rule(expr, s, known, budget)))
    return known[expr]


def _rule(expr: sympy.Basic, s: sympy.Symbol, known: dict, budget: Budget) -> sympy.Expr:
    if isinstance(expr, Partial):
        return expr.along(lambda value: _unit(value, s) if value.is_Symbol else _derivative(value, s, known, budget))
    if isinstance(expr, Known):
        return expr.diff(s)
    if isinstance(expr, Integral):
        return expr.along(lambda value: _derivative(value, s, known, budget), replace)
    if not expr.args:
        return _unit(expr, s)
    if isinstance(expr, sympy.Piecewise):
        pairs = [(_derivative(value, s, known, budget), condition) for value, condition in expr.args]
        return sympy.S.Zero if all(value == 0 for value, _ in pairs) else piecewise(*pairs)
    inner = [_derivative(argument, s, known, budget) for argument in expr.args]
    if all(one == 0 for one in inner):
        return sympy.S.Zero
    if expr.is_Add:
        return sympy.Add(*inner)
    if expr.is_Pow:
        base, power = expr.args
        slope = power * base ** (power - 1) * inner[0] if inner[0] != 0 else sympy.S.Zero
        return slope + expr * sympy.log(base) * inner[1] if inner[1] != 0 else slope
    terms = []
    for place, one in enumerate(inner):
        if one != 0:
            terms.append(budget.spend(sympy.Mul(*_slope(expr, place), one)))
    return sympy.Add(*terms)


def _unit(atom: sympy.Basic, s: sympy.Symbol) -> sympy.Integer:
    """The derivative of a symbol or a number."""
    return sympy.Integer(int(atom == s))


def _slope(expr: sympy.Expr, place: int) -> Sequence[sympy.Expr]:
    """Factors of the derivative of `expr` by its argument number `place`."""
    args = expr.args
    if expr.is_Mul:
        return args[:place] + args[place + 1 :]
    if isinstance(expr, sympy.Abs):
        return (sign(args[0]),)
    if isinstance(expr, sympy.sign | sympy.Heaviside):
        return (sympy.S.Zero,)
    if isinstance(expr, sympy.Max):
        return _shares(place, args, maximum)
    if isinstance(expr, sympy.Min):
        return _shares(place, [-one for one in args], lambda *some: -minimum(*(-one for one in some)))
    if isinstance(expr, sympy.Function):
        return (expr.fdiff(place + 1),)
    raise LanguageError(f"{expr.func.__name__} cannot be differentiated")


def _shares(place: int, args: Sequence[sympy.Expr], largest: Callable[..., sympy.Expr]) -> list[sympy.Expr]:
    """Factors of an argument's share in the slope of the largest: the shares add up to 1, also where several are equal.

    max(a, b, c) is max(max(a, b), c), and of two that are equal each has a half.
    """
    factors = [heaviside(args[place] - largest(*args[:place]))] if place else []
    return factors + [heaviside(largest(*args[:later]) - args[later]) for later in range(place + 1, len(args))]


def gradient(expr: sympy.Expr, space: Sequence[str], budget: Budget | None = None) -> tuple[sympy.Expr, ...]:
    """The first derivatives by the spatial coordinates."""
    return tuple(differentiate(expr, name, budget=budget) for name in space)


def laplacian(expr: sympy.Expr, space: Sequence[str], budget: Budget | None = None) -> sympy.Expr:
    """Sum of the second derivatives by the spatial coordinates.

    >>> laplacian(field("u", ("x", "y", "t")), ("x", "y"))
    u_xx + u_yy
    """
    return sympy.Add(*(differentiate(expr, name, name, budget=budget) for name in space))


def divergence(components: Sequence[sympy.Expr], space: Sequence[str], budget: Budget | None = None) -> sympy.Expr:
    """Sum of d component_i / d x_i over the spatial coordinates.

    Raises LanguageError unless there are as many components as spatial coordinates.
    """
    _expect_components("div", components, space)
    pairs = zip(components, space, strict=True)
    return sympy.Add(*(differentiate(one, name, budget=budget) for one, name in pairs))


def curl(
    components: Sequence[sympy.Expr], space: Sequence[str], budget: Budget | None = None
) -> sympy.Expr | tuple[sympy.Expr, ...]:
    """In two dimensions the scalar v_x - u_y; in three the vector (w_y - v_z, u_z - w_x, v_x - u_y).

    Raises LanguageError in other dimensions, or where the number of components is another.
    """
    if len(space) not in (2, 3):
        raise LanguageError(f"curl needs 2 or 3 spatial coordinates; here are {len(space)}")
    _expect_components("curl", components, space)

    def part(i: int, j: int) -> sympy.Expr:
        first = differentiate(components[j], space[i], budget=budget)
        return first - differentiate(components[i], space[j], budget=budget)

    return part(0, 1) if len(space) == 2 else (part(1, 2), part(2, 0), part(0, 1))


def dot(a: Sequence[sympy.Expr], b: Sequence[sympy.Expr]) -> sympy.Expr:
    """Sum of a_i b_i. Raises LanguageError where the lengths differ."""
    if len(a) != len(b):
        raise LanguageError(f"dot needs two vectors of one length; here are {len(a)} and {len(b)} components")
    return sympy.Add(*(one * other for one, other in zip(a, b, strict=True)))


def _expect_components(name: str, components: Sequence[sympy.Expr], space: Sequence[str]) -> None:
    if len(components) != len(space):
        raise LanguageError(
            f"{name} needs one component for each spatial coordinate ({', '.join(space) or 'none here'}); "
            f"here are {len(components)}"
        )


def replace(expr: sympy.Basic, values: Mapping[sympy.Basic, sympy.Basic]) -> sympy.Basic:
    """`expr` with atoms (symbols, partials) replaced, all at once, built without unbounded simplification.

    A coordinate inside a partial derivative is replaced too: that evaluates the field elsewhere.

    Raises NotRealError where constants fold to no finite real number.
    """
    known: dict[sympy.Basic, sympy.Basic] = {}

    def walk(node: sympy.Basic) -> sympy.Basic:
        if node not in known:
            if isinstance(node, Known) and node not in values and node.free_symbols & set(values):
                raise LanguageError(f"the table {node} is known at the point itself, and cannot be evaluated elsewhere")
            if isinstance(node, Integral):
                known[node] = values[node] if node in values else node.rebuilt(walk)
            elif not node.args:
                known[node] = node.xreplace(values) if isinstance(node, Partial) else values.get(node, node)
            else:
                args = [walk(argument) for argument in node.args]
                same = all(new is old for new, old in zip(args, node.args, strict=True))
                known[node] = node if same else real(rebuild(node, args))
        return known[node]

    return walk(expr)


def substitute_fields(expr: sympy.Basic, solutions: Mapping[str, sympy.Expr]) -> sympy.Basic:
    """`expr` with every partial derivative replaced by that of a closed-form solution.

    `solutions` maps names of fields to expressions in the coordinates (and parameters); a field that it does
    not name is left as it is. A partial evaluated elsewhere becomes the derivative with those values put in.

    >>> x, t, u = symbol("x"), symbol("t"), field("u", ("x", "t"))
    >>> substitute_fields(u.diff(t) + u.subs(x, 0), {"u": t**2 * sympy.cos(x)})
    t**2 + 2*t*cos(x)
    """
    return replace(expr, field_values(all_partials(expr), solutions))


def field_values(wanted: Iterable[Partial], solutions: Mapping[str, sympy.Expr]) -> dict[sympy.Basic, sympy.Basic]:
    """The partial derivatives of closed-form solutions, as `substitute_fields` puts them in.

    Raises LanguageError where one is no finite real number at the place where it is evaluated, or grows too long.
    """
    budget = Budget()
    values: dict[sympy.Basic, sympy.Basic] = {}
    for one in sorted(wanted, key=str):
        if one.field in solutions:
            try:
                derivative = differentiate(as_expression(solutions[one.field]), *one.derivative, budget=budget)
                values[one] = replace(derivative, {symbol(name): value for name, value in one.at})
            except NotRealError as error:
                raise NotRealError(f"{one}: {error.message}") from None
    return values
