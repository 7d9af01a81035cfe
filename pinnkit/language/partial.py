"""Symbols and partial derivatives of fields, the atoms of expressions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import sympy

from pinnkit.language.errors import LanguageError

MAX_ORDER = 8  # highest total order of a derivative


def symbol(name: str) -> sympy.Symbol:
    """The symbol of a coordinate, parameter or data column: real, so that equal names are equal symbols."""
    return sympy.Symbol(name, real=True)


def normal_symbol(coordinate: str) -> sympy.Symbol:
    """The component of the outward unit normal along `coordinate`, written n_x in the language."""
    return symbol(f"n_{coordinate}")


def as_expression(value: sympy.Basic | int | float) -> sympy.Basic:
    """A SymPy expression as it is, a number as one. A text is refused: SymPy would have Python evaluate it.

    >>> as_expression(2) * symbol("x")
    2*x
    """
    if isinstance(value, sympy.Basic):
        return value
    if isinstance(value, int):
        return sympy.Integer(value)
    if isinstance(value, float):
        return sympy.Float(value)
    raise TypeError(f"{value!r} is neither a SymPy expression nor a number; `grammar.expression` reads texts")


class Partial(sympy.AtomicExpr):
    """A partial derivative of a field, at the point itself or evaluated elsewhere.

    `Partial("u", ("x", "t"), ("x", "x"), {"x": -1})` is u_xx(-1, t): first differentiate, then put x = -1.

    Attributes:
        field: name of the field.
        coordinates: the coordinates that the field depends on.
        derivative: the coordinates differentiated by, in the order of `coordinates`; () is the field itself.
        at: pairs (coordinate, value); a coordinate that is not named keeps its own value.

    Replacing a coordinate (`subs`, `xreplace`) evaluates elsewhere: u.subs(x, 0) is u(x=0).

    >>> u = Partial("u", ("x", "t"))
    >>> x = symbol("x")
    >>> (x * u).diff(x, 2)
    x*u_xx + 2*u_x
    >>> u.subs(x, -x).diff(x)
    -u_x(x=-x)
    """

    is_commutative = True
    is_real = True
    __slots__ = ("at", "coordinates", "derivative", "field")

    def __new__(cls, field: str, coordinates: Iterable[str], derivative: Iterable[str] = (), at: Any = ()) -> Partial:
        coordinates = tuple(coordinates)
        derivative = tuple(derivative)
        values = {name: _plain(as_expression(value)) for name, value in dict(at).items()}
        for name in (*derivative, *values):
            if name not in coordinates:
                depends = ", ".join(coordinates) or "no coordinate"
                raise LanguageError(f"{field} does not depend on {name}: it depends on {depends}")
        if len(derivative) > MAX_ORDER:
            raise LanguageError(f"a derivative of {field} of order {len(derivative)}; the highest is {MAX_ORDER}")
        self = super().__new__(cls)
        self.field = field
        self.coordinates = coordinates
        self.derivative = tuple(sorted(derivative, key=coordinates.index))
        # u(x=x) is u
        self.at = tuple((name, values[name]) for name in coordinates if values.get(name, symbol(name)) != symbol(name))
        return self

    @classmethod
    def class_key(cls):
        return 2, 1, cls.__name__  # sorted and printed behind symbols and numbers

    def __getnewargs__(self):
        return self.field, self.coordinates, self.derivative, self.at

    def _hashable_content(self):
        # flat, for sympy compares expressions found here by their own order
        return self.field, self.coordinates, self.derivative, *(part for pair in self.at for part in pair)

    @property
    def free_symbols(self) -> set[sympy.Symbol]:
        values = dict(self.at)
        names = self.coordinates
        return set().union(*(values[name].free_symbols if name in values else {symbol(name)} for name in names))

    def _replaced(self, replace: Callable[[sympy.Expr], sympy.Expr]) -> Partial:
        values = dict(self.at)
        at = {name: replace(values.get(name, symbol(name))) for name in self.coordinates}
        return Partial(self.field, self.coordinates, self.derivative, at)

    def _eval_subs(self, old, new):
        return self._replaced(lambda value: value._subs(old, new))

    def xreplace(self, rule):
        return self._xreplace(rule)[0]

    def _xreplace(self, rule):
        if self in rule:
            return rule[self], True
        replaced = self._replaced(lambda value: value.xreplace(rule))
        return replaced, replaced != self

    def differentiated(self, *names: str) -> Partial:
        """The derivative by `names` of the field, evaluated where this one is."""
        return Partial(self.field, self.coordinates, (*self.derivative, *names), self.at)

    def along(self, slope: Callable[[sympy.Expr], sympy.Expr]) -> sympy.Expr:
        """The chain rule: d/ds f(v(s)) = sum over the coordinates c of f_c(v) dv_c/ds, where slope(v_c) is dv_c/ds."""
        values = dict(self.at)
        terms = []
        for name in self.coordinates:
            inner = slope(values.get(name, symbol(name)))
            if inner != 0:
                terms.append(inner * self.differentiated(name))
        return sympy.Add(*terms)

    def _eval_derivative(self, s):
        return self.along(lambda value: value.diff(s))

    def _eval_derivative_n_times(self, s, n):
        return sympy.Basic._eval_derivative_n_times(self, s, n)

    def _sympystr(self, printer: Any) -> str:
        name = self.field + ("_" + "".join(self.derivative) if self.derivative else "")
        at = ", ".join(f"{coordinate}={printer._print(value)}" for coordinate, value in self.at)
        return f"{name}({at})" if at else name

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        # thin spaces separate coordinates of several letters
        names = [printer._print(symbol(name)) for name in self.derivative]
        text = printer._print(symbol(self.field))
        if names:
            text = f"{{{text}}}_{{{' '.join(names)}}}"
        if self.at:
            pairs = ", ".join(f"{printer._print(symbol(name))}={printer._print(value)}" for name, value in self.at)
            text = f"{text}\\left({pairs}\\right)"
        return text if exp is None else f"\\left({text}\\right)^{{{exp}}}"


def field(name: str, coordinates: Iterable[str]) -> Partial:
    """The field `name` itself, a function of `coordinates`."""
    return Partial(name, coordinates)


def partials(expr: sympy.Basic) -> set[Partial]:
    """The partial derivatives of fields that `expr` holds.

    >>> u = field("u", ("x", "t"))
    >>> partials(u.diff(symbol("t")) - symbol("x") * u)  == {u, u.differentiated("t")}
    True
    """
    return expr.atoms(Partial)


def normal_derivative(of: Partial, space: Iterable[str]) -> sympy.Expr:
    """The outward normal derivative: sum of n_i u_i over the spatial coordinates that the field depends on.

    >>> normal_derivative(field("u", ("x", "y", "t")), ("x", "y"))
    n_x*u_x + n_y*u_y
    """
    return sympy.Add(*(normal_symbol(name) * of.differentiated(name) for name in of.coordinates if name in space))


def _plain(value: sympy.Expr) -> sympy.Expr:
    # u(x=1.0) and u(x=1) are the same atom
    if value.is_Float and float(value).is_integer():
        return sympy.Integer(int(value))
    return value
