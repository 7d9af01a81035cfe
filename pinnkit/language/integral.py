"""Integrals, atoms of expressions as partial derivatives are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import sympy

from pinnkit.language.partial import Partial, as_expression, normal_symbol, partials, symbol


def bound_symbol(name: str) -> sympy.Symbol:
    """The variable of integration that takes the place of a coordinate, or of a name of its own, in a body."""
    return symbol(f"{name}'")


def bound_normal(coordinate: str) -> sympy.Symbol:
    """The normal's component along a coordinate at the points of an integral over a boundary."""
    return symbol(f"n_{coordinate}'")


class Integral(sympy.AtomicExpr):
    """The integral of an expression over an interval, or over a region in space.

    In the body the variables of integration are `bound_symbol(name)`: the fields there are evaluated elsewhere, and the
    other coordinates are those of the point. The integral of u over x from 0 to 1 is
    Integral(u(x=x'), ["x"], 0, 1), which is written integral(u, x, 0, 1).

    Attributes:
        body: the integrand.
        names: the coordinates that are integrated over, or a name that is none; of an interval a single one.
        lower, upper: the bounds of an interval; None for a region.
        region: the name of a shape, `domain` or `boundary`; "" for an interval.
        rim: the integral is over the boundary of the region, where the body may hold normals, `bound_normal`.

    >>> u, x = Partial("u", ("x", "t")), symbol("x")
    >>> Integral(u.subs(x, bound_symbol("x")), ["x"], 0, 1)
    integral(u, x, 0, 1)
    """

    is_commutative = True
    is_real = True
    __slots__ = ("body", "lower", "names", "region", "rim", "upper")

    def __new__(
        cls,
        body: sympy.Expr,
        names: Iterable[str],
        lower: sympy.Expr | float | None = None,
        upper: sympy.Expr | float | None = None,
        region: str = "",
        rim: bool = False,
    ) -> Any:
        body = as_expression(body)
        lower, upper = (None if one is None else as_expression(one) for one in (lower, upper))
        if body == 0 or (not region and lower == upper):
            return sympy.S.Zero
        self = super().__new__(cls)
        self.body, self.names, self.lower, self.upper = body, tuple(names), lower, upper
        self.region, self.rim = region, rim
        return self

    @classmethod
    def class_key(cls):
        return 2, 2, cls.__name__  # sorted and printed behind symbols, numbers and partial derivatives

    def __getnewargs__(self):
        return self.body, self.names, self.lower, self.upper, self.region, self.rim

    def _hashable_content(self):
        # flat and of the same types, for sympy compares expressions found here by their own order
        ends = (sympy.S.Zero if one is None else one for one in (self.lower, self.upper))
        return self.body, *ends, self.region, self.rim, *self.names

    @property
    def variables(self) -> tuple[sympy.Symbol, ...]:
        """What varies in the body over the region: the variables of integration, and normals."""
        normals = tuple(map(bound_normal, self.names)) if self.rim else ()
        return (*map(bound_symbol, self.names), *normals)

    @property
    def free_symbols(self) -> set[sympy.Symbol]:
        ends = [one.free_symbols for one in (self.lower, self.upper) if one is not None]
        return (self.body.free_symbols - set(self.variables)).union(*ends)

    def rebuilt(self, change: Callable[[sympy.Expr], sympy.Expr]) -> sympy.Expr:
        """The integral with its body and bounds changed; zero where nothing is left of it."""
        lower, upper = (None if one is None else change(one) for one in (self.lower, self.upper))
        return Integral(change(self.body), self.names, lower, upper, self.region, self.rim)

    def of(self, body: sympy.Expr) -> sympy.Expr:
        """The integral of another body over the same region."""
        return Integral(body, self.names, self.lower, self.upper, self.region, self.rim)

    def _eval_subs(self, old, new):
        return self.rebuilt(lambda value: value._subs(old, new))

    def xreplace(self, rule):
        return self._xreplace(rule)[0]

    def _xreplace(self, rule):
        if self in rule:
            return rule[self], True
        replaced = self.rebuilt(lambda value: value.xreplace(rule))
        return replaced, replaced != self

    def along(self, slope: Callable[[sympy.Expr], sympy.Expr], put: Callable | None = None) -> sympy.Expr:
        """Leibniz' rule: the integral of df/ds, and f at each bound times the bound's derivative.

        Args:
            slope: expression -> its derivative by s.
            put: (expression, {symbol: value}) -> the expression with these values.
        """
        put = put or (lambda expr, values: expr.xreplace(values))
        terms = [self.of(slope(self.body))]
        for bound, sign in ((self.upper, 1), (self.lower, -1)):
            inner = sympy.S.Zero if bound is None else slope(bound)
            if inner != 0:
                terms.append(sign * inner * put(self.body, {self.variables[0]: bound}))
        return sympy.Add(*terms)

    def _eval_derivative(self, s):
        return self.along(lambda value: value.diff(s))

    def _eval_derivative_n_times(self, s, n):
        return sympy.Basic._eval_derivative_n_times(self, s, n)

    def _shown(self) -> sympy.Expr:
        """The body as it is written, with the names of the coordinates."""
        plain = {bound_symbol(name): symbol(name) for name in self.names}
        return self.body.xreplace(plain | {bound_normal(name): normal_symbol(name) for name in self.names})

    def _sympystr(self, printer: Any) -> str:
        over = [self.region] if self.region else [self.names[0], *map(printer._print, (self.lower, self.upper))]
        return f"integral({', '.join([printer._print(self._shown()), *over])})"

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        body = printer._print(self._shown())
        if self.region:
            name = printer._print(symbol(self.region))
            text = f"\\int_{{{name}}} {body}"
        else:
            lower, upper = map(printer._print, (self.lower, self.upper))
            text = f"\\int_{{{lower}}}^{{{upper}}} {body} \\, d{printer._print(symbol(self.names[0]))}"
        return f"\\left({text}\\right)" + ("" if exp is None else f"^{{{exp}}}")


def integrals(expr: sympy.Basic) -> list[Integral]:
    """The integrals that an expression holds, in a fixed order."""
    return sorted(expr.atoms(Integral), key=str)


def all_partials(expr: sympy.Basic) -> set[Partial]:
    """The partial derivatives of fields that an expression holds, those in the bodies of integrals too."""
    return partials(expr).union(*(partials(one.body) for one in expr.atoms(Integral)))
