"""Manufactured solutions: a source that makes a chosen function solve the equations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import sympy

from pinnkit.language.calculus import substitute_fields
from pinnkit.language.errors import LanguageError, Report, suggestion
from pinnkit.language.grammar import Scope, expression
from pinnkit.problem.problem import Equation, Problem


def manufacture(problem: Problem, solution: Mapping[str, str]) -> Problem:
    """The problem whose exact solution is the given one: every residual r(u) becomes r(u) - r(solution).

    The operators stay as they are; equations and conditions get a source. This measures the error of a method on an
    equation that has no closed form (Roache 2002, "Code verification by the method of manufactured solutions").

    Args:
        solution: field -> closed form in the coordinates and parameters.

    Raises:
        ProblemError: a field without a solution, an unknown name, a residual in Python, or a condition with data.
    """
    report = Report()
    scope = Scope(
        coordinates=problem.coordinates, fields={}, parameters=tuple(parameter.name for parameter in problem.parameters)
    )
    names = [field.name for field in problem.fields]
    exact = {}
    for name, text in solution.items():
        with report.at(f"manufactured.{name}"):
            if name not in names:
                raise LanguageError(f"there is no field '{name}'{suggestion(name, names)}")
            exact[name] = expression(text, scope)
    for name in names:
        if name not in solution:
            report.add("manufactured", f"gives no solution for the field '{name}'")
    for condition in problem.conditions:
        if condition.data:
            report.add("manufactured", f"the condition '{condition.name}' has data, which no chosen solution fits")
    for equation in [*problem.equations, *(one for condition in problem.conditions for one in condition.equations)]:
        if not isinstance(equation.residual, sympy.Basic):
            report.add("manufactured", f"the residual '{equation.name}' is Python: only equations in text get a source")
    report.raise_if_any()

    def with_source(equation: Equation) -> Equation:
        source = substitute_fields(equation.residual, exact)
        return replace(equation, residual=equation.residual - source, text=f"{equation.text}  (with a source)")

    return problem.replace(
        equations=tuple(with_source(equation) for equation in problem.equations),
        conditions=tuple(
            replace(condition, equations=tuple(with_source(equation) for equation in condition.equations))
            for condition in problem.conditions
        ),
        exact=MappingProxyType(exact),
        reference=None,
    )
