"""Known functions of the coordinates that have no closed form, such as tables: atoms of expressions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sympy

from pinnkit.language.errors import LanguageError
from pinnkit.language.partial import symbol


class Known(sympy.AtomicExpr):
    """A partial derivative of a known function at the point itself.

    Attributes:
        name: of the function.
        coordinates: on which it depends.
        highest: the highest order of its derivatives that have a meaning.
        derivative: the coordinates differentiated by, in the order of `coordinates`; () is the function itself.

    >>> q, x = Known("q", ("x", "y"), 2), symbol("x")
    >>> (x * q).diff(x)
    x*q_x + q
    """

    is_commutative = True
    is_real = True
    __slots__ = ("coordinates", "derivative", "highest", "name")

    def __new__(cls, name: str, coordinates: Iterable[str], highest: int, derivative: Iterable[str] = ()) -> Known:
        self = super().__new__(cls)
        self.name, self.coordinates, self.highest = name, tuple(coordinates), highest
        self.derivative = tuple(sorted(derivative, key=self.coordinates.index))
        if len(self.derivative) > highest:
            raise LanguageError(
                f"{self} is a derivative of order {len(self.derivative)} of the table {name}, and those of order "
                f"{highest} are the highest that it has: a higher one needs another smooth"
            )
        return self

    @classmethod
    def class_key(cls):
        return 2, 3, cls.__name__  # sorted and printed behind symbols, numbers and partial derivatives

    def __getnewargs__(self):
        return self.name, self.coordinates, self.highest, self.derivative

    def _hashable_content(self):
        return self.name, str(self.highest), self.coordinates, self.derivative

    @property
    def free_symbols(self) -> set[sympy.Symbol]:
        return set(map(symbol, self.coordinates))

    @property
    def column(self) -> sympy.Symbol:
        """What stands for it where its values at points are columns."""
        return symbol(str(self))

    def differentiated(self, *names: str) -> Known:
        """The derivative by `names`."""
        return Known(self.name, self.coordinates, self.highest, (*self.derivative, *names))

    def _eval_derivative(self, s):
        return self.differentiated(str(s)) if str(s) in self.coordinates else sympy.S.Zero

    def _eval_derivative_n_times(self, s, n):
        return sympy.Basic._eval_derivative_n_times(self, s, n)

    def _sympystr(self, printer: Any) -> str:
        return self.name + ("_" + "".join(self.derivative) if self.derivative else "")


def knowns(expr: sympy.Basic) -> set[Known]:
    """The known functions and their derivatives that an expression holds, those in places of evaluation too."""
    found, stack = set(), [expr]
    while stack:
        node = stack.pop()
        if isinstance(node, Known):
            found.add(node)
        stack.extend(node.args)
        stack.extend(value for _, value in getattr(node, "at", ()))
    return found
