"""Expressions of the problem language at points: derivatives of trained fields, and all that is made of them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import sympy

from pinnkit.language.calculus import Partial
from pinnkit.language.calculus import replace as replaced
from pinnkit.language.errors import LanguageError, Mistake, ProblemError, Report
from pinnkit.language.grammar import complex_expression
from pinnkit.language.integral import all_partials, integrals
from pinnkit.losses.residuals import TermGroup
from pinnkit.problem.groups import EQUATIONS
from pinnkit.problem.known_columns import columns_of_tables
from pinnkit.problem.parts import Equation
from pinnkit.problem.problem import Problem
from pinnkit.problem.scope import scope_of
from pinnkit.problem.unknowns import parts_at
from pinnkit.runs.evaluation import residuals, residuals_of
from pinnkit.training.module import PINN

HALVES = ("re", "im")
SUFFIXES = ("", "_re", "_im")


class Expression:
    """An expression of the problem language in trained fields, at points.

    Args:
        text: such as `u_xx`, `-k*u_x`, `laplacian(u)`, `abs(h)^2`.

    Raises:
        ProblemError: the text is no expression of this problem; the message has the place of the mistake.
    """

    def __init__(self, module: PINN, text: str) -> None:
        self.module, self.text = module, text
        problem = module.problem
        try:
            self.halves = complex_expression(text, scope_of(problem))
        except LanguageError as error:
            raise ProblemError([Mistake("expression", str(error))]) from None
        names = {one.field for half in self.halves for one in all_partials(half)}
        self.unknowns = [one for one in problem.unknowns if one.parts and one.name in names]
        if self.unknowns and any(map(integrals, self.halves)):
            message = f"{text}: an integral of {self.unknowns[0].name}, which has parts, is not evaluated: name a part"
            raise ProblemError([Mistake("expression", message)])

    def __call__(self, coordinates: Mapping[str, np.ndarray]) -> np.ndarray:
        """The values at arrays of points of any one shape: float64, or complex128 where it is complex.

        Of a field with parts the function of the part is taken in which a point lies; NaN in none.
        """
        shape = next(iter(coordinates.values())).shape
        places = [parts_at(self.module.problem, one, coordinates) for one in self.unknowns]
        result = np.full(shape, np.nan, dtype=complex if self.halves[1] != 0 else float)
        for chosen in itertools.product(*(one.parts for one in self.unknowns)):
            here = np.full(shape, True)
            for part, unknown, place in zip(chosen, self.unknowns, places, strict=True):
                here &= place == unknown.parts.index(part)
            if here.any():
                points = {name: values[here] for name, values in coordinates.items()}
                names = {one.name: f"{one.name}.{part}" for part, one in zip(chosen, self.unknowns, strict=True)}
                result[here] = self._values(names, points)
        return result

    def _values(self, names: Mapping[str, str], coordinates: Mapping[str, np.ndarray]) -> np.ndarray:
        """The values at points (n,), with other names in the place of fields."""
        problem, group = self._group(names)
        found = residuals_of(self.module, problem, group, coordinates)
        return found["re"] + 1j * found["im"] if "im" in found else found["re"]

    def _group(self, names: Mapping[str, str]) -> tuple[Problem, TermGroup]:
        """The problem whose residuals are the parts of the expression, and these as a group of terms."""
        problem, report = self.module.problem, Report()
        halves = [_renamed(half, names) for half in self.halves]
        parts = zip(HALVES, halves if halves[1] != 0 else halves[:1], strict=False)
        equations = tuple(Equation(name, self.text, half) for name, half in parts)
        equations, _, columns = columns_of_tables(equations, (), problem.tables, report)
        report.raise_if_any()
        problem = problem.replace(equations=equations, conditions=(), columns=columns)
        return problem, TermGroup(EQUATIONS, problem, equations)


def _renamed(expr: sympy.Expr, names: Mapping[str, str]) -> sympy.Basic:
    """The expression with the functions of single parts in the place of fields."""
    found: dict[sympy.Basic, sympy.Basic] = {
        one: Partial(names[one.field], one.coordinates, one.derivative, one.at)
        for one in all_partials(expr)
        if one.field in names
    }
    return replaced(expr, found) if found else expr


class Residual:
    """The residual of an equation, left - right, at points; NaN outside the part of the domain where it holds.

    Args:
        name: of an equation in the problem file, or one of those that were made of it.

    Raises:
        ValueError: no equation has that name.
    """

    def __init__(self, module: PINN, name: str) -> None:
        self.module = module
        equations = module.problem.equations
        terms = {
            half: [one.name for one in equations if f"{name}{half}" in (one.name, one.origin)] for half in SUFFIXES
        }
        self.halves = [terms[""]] if terms[""] else [terms[half] for half in SUFFIXES[1:] if terms[half]]
        if not self.halves:
            known = ", ".join(dict.fromkeys(one.origin for one in equations)) or "none"
            raise ValueError(f"there is no equation '{name}'; the equations are: {known}")

    def __call__(self, coordinates: Mapping[str, np.ndarray]) -> np.ndarray:
        """The values at arrays of points of any one shape: float64, or complex128 of a complex equation."""
        every = residuals(self.module, coordinates)
        halves = [self._joined([every[name] for name in names]) for names in self.halves]
        return halves[0] + 1j * halves[1] if len(halves) == 2 else halves[0]

    @staticmethod
    def _joined(pieces: Sequence[np.ndarray]) -> np.ndarray:
        """The residual of an equation in several parts of the domain: at each point of the first that has one."""
        found = pieces[0]
        for values in pieces[1:]:
            found = np.where(np.isnan(found), values, found)
        return found


def equation_names(problem: Problem) -> list[str]:
    """The names of the equations in the problem file: those of the halves of a complex one are one name."""
    names = dict.fromkeys(one.origin for one in problem.equations)
    if any(one.is_complex for one in problem.unknowns):
        names = dict.fromkeys(one[:-3] if one.endswith(SUFFIXES[1:]) else one for one in names)
    return list(names)
