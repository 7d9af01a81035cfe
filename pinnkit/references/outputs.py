"""Learned parameters that only say what a condition computes from the solution."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import sympy

from pinnkit.language.calculus import symbol
from pinnkit.problem.integral_places import needed_coordinates
from pinnkit.problem.parts import Condition, Equation
from pinnkit.problem.places import equations_with_keys
from pinnkit.problem.problem import Problem


def _read(equation: Equation) -> set[sympy.Symbol]:
    return cast(sympy.Expr, equation.residual).free_symbols | equation.weight.free_symbols


def without_outputs(problem: Problem) -> Problem:
    """The problem without learned parameters that stand in a single equation, which is one number's, and without it.

    The flow `Q = integral(k*h_x(x=3), y, 0, 1)` follows from h, and asks nothing of it. Any number may stand for Q, so
    the equation says nothing about the fields.
    """
    everywhere = [(equation, condition) for _, equation, condition in equations_with_keys(problem)]
    if any(callable(equation.residual) for equation, _ in everywhere):
        return problem
    names: list[str] = []
    dropped: list[Equation] = []
    for parameter in problem.learned:
        name = symbol(parameter.name)
        held = [pair for pair in everywhere if name in _read(pair[0])]
        if len(held) == 1 and held[0][1] is not None and _one_number(held[0][1], problem):
            (equation, _) = held[0]
            slope = sympy.diff(equation.residual, name)  # any value of the rest is met by some value of the parameter
            if slope.is_number and slope != 0 and not any(equation is one for one in dropped):
                names.append(parameter.name)
                dropped.append(equation)
    kept = []
    for condition in problem.conditions:
        left = tuple(one for one in condition.equations if not any(one is other for other in dropped))
        if left:
            kept.append(replace(condition, equations=left))
    parameters = tuple(one for one in problem.parameters if one.name not in names)
    return problem.replace(conditions=tuple(kept), parameters=parameters) if names else problem


def _one_number(condition: Condition, problem: Problem) -> bool:
    """Whether each equation of a condition holds once, and not at many points."""
    if condition.data:
        return False
    if needed_coordinates(condition.equations, problem.coordinates) == set():
        return True
    return len(condition.places) == 1 and condition.places[0].dimension == 0
