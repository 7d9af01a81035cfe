"""Residuals of a problem with numbers in place of its parameters."""

from __future__ import annotations

from collections.abc import Mapping

import sympy

from pinnkit.domains.shape import Shape
from pinnkit.language.calculus import normal_symbol, replace, symbol
from pinnkit.language.integral import integrals
from pinnkit.problem.parts import Equation
from pinnkit.problem.problem import Problem
from pinnkit.references.exact import exact_parameters
from pinnkit.references.unsupported import UnsupportedProblem


def parameter_values(problem: Problem, method: str = "spectral") -> dict[sympy.Symbol, sympy.Expr]:
    """Symbol of each parameter -> its value as a SymPy number; learned ones take their exact values.

    Raises:
        UnsupportedProblem: the true value of a learned parameter is unknown, or the equations hold a table.
    """
    if problem.columns:
        raise UnsupportedProblem(f"it holds the table {min(problem.columns)}: it reads closed forms alone", method)
    exact = exact_parameters(problem)
    for parameter in problem.learned:
        if parameter.name not in exact:
            raise UnsupportedProblem(
                f"the parameter {parameter.name} is learned and its true value unknown: "
                f"give it under exact, as in {parameter.name}: {parameter.value:g}",
                method,
            )
    values = {str(name): value for name, value in problem.values.items()} | exact
    # whole numbers stay exact, so that a power with one stays a power with a whole number
    return {
        symbol(name): sympy.Integer(int(value)) if value == int(value) else sympy.Float(value)
        for name, value in values.items()
    }


def symbolic_residual(
    equation: Equation, where: str, values: Mapping[sympy.Symbol, sympy.Expr], method: str = "spectral"
) -> sympy.Expr:
    """The residual with these values of parameters.

    Raises:
        UnsupportedProblem: it is a Python callable, or holds an integral.
    """
    if not isinstance(equation.residual, sympy.Basic):
        raise UnsupportedProblem(f"{where} is a Python callable: it reads equations in text alone", method)
    if held := integrals(equation.residual):
        message = f"{where} holds an integral, {held[0]}: it reads fields and derivatives at a point alone"
        raise UnsupportedProblem(message, method)
    return replace(equation.residual, values)


def flat_normals(problem: Problem, place: Shape) -> dict[sympy.Symbol, sympy.Integer]:
    """Symbol of each component of the normal of a face of the box -> -1, 0 or 1; none where there is no normal."""
    normals = place.normals(place.lower[None])
    if normals is None:
        return {}
    return {
        normal_symbol(name): sympy.Integer(int(one)) for name, one in zip(problem.coordinates, normals[0], strict=True)
    }
