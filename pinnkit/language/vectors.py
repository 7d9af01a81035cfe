"""Vectors and the differential operators of the language: laplacian, grad, div, curl, dot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import sympy

from pinnkit.language import arithmetic, calculus, complex_values
from pinnkit.language.arithmetic import Value
from pinnkit.language.complex_values import Complex, Scalar, imaginary_part, pair, real_part
from pinnkit.language.errors import LanguageError
from pinnkit.language.functions import FUNCTIONS, expect_arguments
from pinnkit.language.names import Scope
from pinnkit.language.partial import normal_symbol, symbol


@dataclass(frozen=True)
class Vector:
    """Components along the spatial coordinates: what grad gives and dot, div and curl take."""

    components: tuple[Scalar, ...]

    @property
    def exprs(self) -> tuple[sympy.Expr, ...]:
        """The real and the imaginary parts of all components that have one."""
        return tuple(expr for one in self.components for expr in expressions(one))


def expressions(value: Scalar | Vector) -> tuple[sympy.Expr, ...]:
    """The real expressions of which a value is made."""
    if isinstance(value, Vector):
        return value.exprs
    return (value.re.expr, value.im.expr) if isinstance(value, Complex) else (value.expr,)


def each(act: Callable[[Scalar], Scalar], value: Scalar | Vector) -> Scalar | Vector:
    """`act` on a scalar, or on every component of a vector."""
    return Vector(tuple(map(act, value.components))) if isinstance(value, Vector) else act(value)


def add(values: Sequence[Scalar | Vector]) -> Scalar | Vector:
    """The sum of scalars, or of vectors."""
    vectors = [value for value in values if isinstance(value, Vector)]
    if not vectors:
        return complex_values.total(cast(Sequence[Scalar], values))
    if len(vectors) != len(values):
        raise LanguageError("a vector and a scalar cannot be added")
    if len({len(vector.components) for vector in vectors}) > 1:
        raise LanguageError("vectors of different lengths cannot be added")
    columns = zip(*(vector.components for vector in vectors), strict=True)
    return Vector(tuple(complex_values.total(column) for column in columns))


def multiply(values: Sequence[Scalar | Vector]) -> Scalar | Vector:
    """The product of scalars, with one vector at most among them."""
    vectors = [value for value in values if isinstance(value, Vector)]
    if len(vectors) > 1:
        raise LanguageError("vectors are multiplied by dot(a, b)")
    if not vectors:
        return complex_values.product(cast(Sequence[Scalar], values))
    factors = [value for value in values if not isinstance(value, Vector)]
    return each(lambda component: complex_values.product([*factors, component]), vectors[0])


def check_differentiable(name: str, value: Scalar | Vector, scope: Scope) -> None:
    """Raise LanguageError where `value` holds data or normals, whose derivatives are unknown."""
    fixed = {symbol(one) for one in scope.columns}
    if scope.boundary:
        fixed |= {normal_symbol(one) for one in scope.coordinates}
    fixed -= {symbol(one) for one in (*scope.coordinates, *scope.parameters)}
    for expr in expressions(value):
        if expr.free_symbols & fixed:
            what = ", ".join(sorted(map(str, expr.free_symbols & fixed)))
            raise LanguageError(f"{name} cannot differentiate {what}, which is known at single points only")


def apply(name: str, values: Sequence[Scalar | Vector], scope: Scope, budget: calculus.Budget) -> Scalar | Vector:
    """The operator `name` of `values`; of complex ones, that of their real and of their imaginary parts."""
    if not scope.space:
        raise LanguageError(f"{name} acts on the space coordinates, and there is none")
    if name != "dot":
        for value in values:
            check_differentiable(name, value, scope)
    act = OPERATORS[name]
    if not any(isinstance(one, Complex) for value in values for one in _scalars(value)):
        return _made(act(values, scope.space, budget))
    if name == "dot":
        return _complex_dot(values)
    re, im = (
        _made(act([each(half, one) for one in values], scope.space, budget)) for half in (real_part, imaginary_part)
    )
    if isinstance(re, Vector):
        return Vector(tuple(map(cast(Any, pair), re.components, cast(Vector, im).components)))
    return pair(re, cast(Value, im))


def _scalars(value: Scalar | Vector) -> tuple[Scalar, ...]:
    return value.components if isinstance(value, Vector) else (value,)


def _made(result: sympy.Expr | tuple[sympy.Expr, ...]) -> Value | Vector:
    if isinstance(result, tuple):
        return Vector(tuple(map(arithmetic.make_value, result)))
    return arithmetic.make_value(result)


def _complex_dot(values: Sequence[Scalar | Vector]) -> Scalar:
    """sum of a_i b_i, without a conjugate."""
    re, im = ([each(half, value) for value in values] for half in (real_part, imaginary_part))
    both = [arithmetic.make_value(_dot([a, b], (), None)) for a, b in zip(re, im[::-1], strict=True)]
    first, second = (arithmetic.make_value(_dot(half, (), None)) for half in (re, im))
    return pair(arithmetic.total([first, arithmetic.negative(second)]), arithmetic.total(both))


def _one_scalar(name: str, values: Sequence[Scalar | Vector]) -> sympy.Expr:
    expect_arguments(name, len(values), 1)
    if isinstance(values[0], Vector):
        raise LanguageError(f"{name} needs a scalar, and this is a vector: {FUNCTIONS[name]}")
    return cast(Value, values[0]).expr


def _components(name: str, values: Sequence[Scalar | Vector]) -> tuple[sympy.Expr, ...]:
    if len(values) == 1 and isinstance(values[0], Vector):
        return values[0].exprs
    if any(isinstance(value, Vector) for value in values):
        raise LanguageError(f"{name} takes one vector, or its components: {FUNCTIONS[name]}")
    return tuple(cast(Value, value).expr for value in values)


def _laplacian(values, space, budget):
    return calculus.laplacian(_one_scalar("laplacian", values), space, budget)


def _grad(values, space, budget):
    return calculus.gradient(_one_scalar("grad", values), space, budget)


def _div(values, space, budget):
    return calculus.divergence(_components("div", values), space, budget)


def _curl(values, space, budget):
    return calculus.curl(_components("curl", values), space, budget)


def _dot(values, space, budget):
    expect_arguments("dot", len(values), 2)
    if not all(isinstance(value, Vector) for value in values):
        raise LanguageError("dot takes two vectors, such as grad(u); scalars are multiplied with *")
    return calculus.dot(values[0].exprs, values[1].exprs)


OPERATORS: dict[str, Callable] = {
    "laplacian": _laplacian,
    "grad": _grad,
    "div": _div,
    "curl": _curl,
    "dot": _dot,
}
