"""Manufactured solutions: source terms that make a chosen function the exact solution."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import sympy

from pinnkit.language.calculus import replace, substitute_fields, symbol
from pinnkit.language.errors import LanguageError, Report, suggestion
from pinnkit.language.evaluate import Program
from pinnkit.language.grammar import Scope
from pinnkit.problem.closed_forms import read_closed_form
from pinnkit.problem.declarations import complex_names
from pinnkit.problem.functions_of_parts import Parts, exact_in_parts
from pinnkit.problem.integrals import known_values
from pinnkit.problem.parts import Condition, Equation
from pinnkit.problem.places import point, samples
from pinnkit.problem.problem import Problem
from pinnkit.problem.statement import SOURCE


def manufacture(problem: Problem, solution: Mapping[str, str]) -> Problem:
    """The problem whose exact solution is the given one: every residual r(u) becomes r(u) - r(solution).

    The operators stay as they are; equations and conditions get a source. This measures the error of a method on an
    equation that has no closed form (Roache 2002, "Code verification by the method of manufactured solutions").

    Args:
        solution: field -> closed form in the coordinates and parameters.

    Raises:
        ProblemError: a field without a solution, an unknown name, a residual in Python, a condition with data, a
            learned parameter without an exact value, or a source that is not finite somewhere.
    """
    report = Report()
    scope = Scope(
        coordinates=problem.coordinates,
        parameters=tuple(parameter.name for parameter in problem.parameters),
        space=problem.space,
        complex=complex_names(problem.fields),
        definitions=problem.definitions,
    )
    names = [unknown.name for unknown in problem.unknowns]
    exact: dict[str, Any] = {}
    for name, text in solution.items():
        with report.at(f"manufactured.{name}"):
            if name not in names:
                raise LanguageError(f"there is no field '{name}'{suggestion(name, names)}")
            exact |= read_closed_form(text, name, problem.fields, scope)
    for name in names:
        if name not in solution:
            report.add("manufactured", f"gives no solution for the field '{name}'")
    for condition in problem.conditions:
        if condition.data:
            report.add(
                "manufactured", f"the condition '{condition.name}' has data, which a chosen solution does not fit"
            )
    for equation in [*problem.equations, *(one for condition in problem.conditions for one in condition.equations)]:
        if not isinstance(equation.residual, sympy.Basic):
            report.add("manufactured", f"the residual '{equation.name}' is Python: only equations in text get a source")
    values = _learned(problem, report)
    report.raise_if_any()
    exact = {name: replace(value, values) for name, value in exact.items()}
    parts = Parts.of_fields(problem.fields, problem.regions, problem.domain)
    exact = exact_in_parts(exact, parts, problem.coordinates, problem.values)

    def with_source(equation: Equation, condition: Condition | None = None) -> Equation:
        kind = f"the condition '{condition.name}'" if condition is not None else f"the equation '{equation.name}'"
        try:
            source = replace(substitute_fields(equation.residual, exact), values)
        except LanguageError as error:
            report.add("manufactured", f"gives {kind} no source: {error.message}")
            return equation
        for inputs in samples(problem, condition, equation.region):
            read = {**problem.values, **inputs}
            found = np.ravel(Program([source])(read | known_values(problem, source, read))[0])
            wrong = np.flatnonzero(~np.isfinite(found))
            if len(wrong):
                where = f" at {point(problem, inputs, wrong[0])}" if len(found) > 1 else ""
                report.add("manufactured", f"gives {kind} a source of {found[wrong[0]]:g}{where}")
                break
        text = f"{equation.text}{SOURCE}"
        return dataclasses.replace(equation, residual=equation.residual - source, text=text)

    made = problem.replace(
        equations=tuple(with_source(equation) for equation in problem.equations),
        conditions=tuple(
            dataclasses.replace(one, equations=tuple(with_source(equation, one) for equation in one.equations))
            for one in problem.conditions
        ),
        exact=MappingProxyType(exact | {str(name): value for name, value in values.items()}),
        reference=None,
    )
    report.raise_if_any()
    return made


def _learned(problem: Problem, report: Report) -> dict[sympy.Symbol, sympy.Expr]:
    """The exact value of each learned parameter, to substitute in the sources."""
    values = {}
    for parameter in problem.learned:
        if parameter.name in problem.exact:
            values[symbol(parameter.name)] = problem.exact[parameter.name]
        else:
            name, start = parameter.name, parameter.value
            report.add(
                "manufactured",
                f"leaves the learned parameter '{name}' open, which then may have any value: give its exact one, "
                f"exact: {{{name}: {start:g}}}, or write a number, parameters: {{{name}: {start:g}}}",
            )
    return values
