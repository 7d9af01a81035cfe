"""What an integral of the language is over: a coordinate, a name of its own, or a region in space."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace

import sympy

from pinnkit.language.calculus import replace as put
from pinnkit.language.errors import LanguageError, suggestion
from pinnkit.language.integral import Integral, bound_normal, bound_symbol
from pinnkit.language.names import Scope, check_name, meaning
from pinnkit.language.partial import as_expression, normal_symbol, symbol


@dataclass(frozen=True)
class Over:
    """What an integral is over, and the scope of its body.

    Attributes:
        name: a coordinate, a variable that is none, or a region.
        outer: the scope around the integral.
    """

    name: str
    outer: Scope

    @property
    def is_region(self) -> bool:
        return self.name not in self.outer.coordinates and self.name in (*self.outer.regions, *self.outer.rims)

    @property
    def scope(self) -> Scope:
        """The names that the body may use: normals belong to the points of the region."""
        if self.is_region:
            return replace(self.outer, boundary=self.name in self.outer.rims)
        if self.name in self.outer.coordinates:
            return replace(self.outer, boundary=False)
        return replace(self.outer, boundary=False, parameters=(*self.outer.parameters, self.name))

    def integrals(self, bodies: Sequence[sympy.Expr], bounds: Sequence[sympy.Expr]) -> list[sympy.Expr]:
        """The integrals of bodies, real and imaginary part, that are written with the names of the coordinates.

        A shape that has a boundary means this where a body holds normals, or where no solid has the name.
        """
        names = self.outer.space if self.is_region else (self.name,)
        normals = {normal_symbol(name): bound_normal(name) for name in names} if self.is_region else {}
        rim = self.name not in self.outer.regions or any(body.free_symbols & set(normals) for body in bodies)
        bodies = [put(body, {symbol(name): bound_symbol(name) for name in names} | normals) for body in bodies]
        if self.is_region:
            return [Integral(body, names, region=self.name, rim=rim) for body in bodies]
        lower, upper = bounds or map(_plain, self.outer.ranges[self.name])
        return [Integral(body, names, lower, upper) for body in bodies]


def read_over(args: Sequence[ast.expr], scope: Scope) -> Over:
    """What the arguments of an integral, whose first one is the body, say that it is over.

    Raises:
        LanguageError: without a position in the text.
    """
    if len(args) not in (2, 4) or not isinstance(args[1], ast.Name):
        x = scope.coordinates[0] if scope.coordinates else "x"
        raise LanguageError(
            "an integral is over a coordinate, with both bounds or none, or over a shape: "
            f"write integral(f, {x}), integral(f, {x}, 0, 1) or integral(f, domain)"
        )
    over = Over(args[1].id, scope)
    name, bounded = over.name, len(args) == 4
    if over.is_region:
        if bounded:
            raise LanguageError(f"'{name}' is a shape and has no bounds: write integral(a, {name})")
        return over
    if name in scope.coordinates:
        if not bounded and name not in scope.ranges:
            raise LanguageError(f"the range of {name} is not known here: write both bounds")
        return over
    if name in scope.declared:
        raise LanguageError(f"'{name}' is no coordinate, and means something else: integrate over another name")
    if not bounded:
        valid = (*scope.coordinates, *scope.regions, *scope.rims)
        near = suggestion(name, dict.fromkeys(valid))
        raise LanguageError(f"there is no coordinate and no shape '{name}'{near}; another variable needs bounds")
    check_name(name)
    if what := meaning(name, scope):
        raise LanguageError(f"'{name}' is {what} and cannot be a variable of integration")
    return over


def _plain(end: float) -> sympy.Expr:
    return as_expression(int(end) if float(end).is_integer() else float(end))
