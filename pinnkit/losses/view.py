"""Point values that a Python residual reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import sympy
from torch import Tensor

from pinnkit.language.calculus import Partial, symbol
from pinnkit.language.errors import LanguageError
from pinnkit.language.evaluate import Program
from pinnkit.language.grammar import Scope, expression
from pinnkit.problem.parts import Equation
from pinnkit.problem.problem import Problem


class ResidualError(ValueError):
    """A residual written in Python that does not give one number a point, or names what is not there."""


class UnknownName(ResidualError, AttributeError):
    """A residual written in Python reads an attribute that the point does not have."""


class PointView:
    """The point p of `residual(p)`: p.u, p.u_xx, p.x, p.alpha, each a tensor (n, 1) (a parameter: a scalar).

    Raises:
        UnknownName: a name that is none of these, with the nearest one that is.
    """

    def __init__(
        self,
        equation: Equation,
        problem: Problem,
        values: Mapping[sympy.Basic, Any],
        compute: Callable[[Partial], Tensor],
    ) -> None:
        self._name = equation.name
        self._local = dict(equation.local)
        self._values = values
        self._compute = compute
        self._scope = Scope(
            coordinates=problem.coordinates,
            fields={field.name: field.coordinates for field in problem.fields if not field.part}
            | {one.name: one.coordinates for one in problem.unknowns if one.name in self._local},
            parameters=tuple(parameter.name for parameter in problem.parameters),
            space=problem.space,
            definitions=problem.definitions,
        )
        self.read: set[Partial] = set()

    def __getattr__(self, name: str) -> Tensor:
        if name.startswith("__"):
            raise AttributeError(name)
        known = self._values.get(symbol(name))
        if known is not None:
            return known
        if name in self._scope.definitions:
            return cast(Tensor, Program([self._scope.definitions[name]])(self._values)[0])
        try:
            partial = expression(name, self._scope)
        except LanguageError as error:
            raise UnknownName(f"the residual '{self._name}' reads p.{name}: {error.message}") from None
        if isinstance(partial, Partial) and partial.field in self._local:
            partial = Partial(self._local[partial.field], partial.coordinates, partial.derivative, partial.at)
        self.read.add(partial)
        value = self._values.get(partial)
        return value if value is not None else self._compute(partial)
