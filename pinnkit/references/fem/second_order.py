"""Systems of second order in space, read from a problem: principal parts, pairing of equations and fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import sympy
from scipy.optimize import linear_sum_assignment

from pinnkit.language import linear
from pinnkit.language.calculus import Partial, partials
from pinnkit.language.errors import LanguageError
from pinnkit.language.evaluate import Program
from pinnkit.problem.at import random_points
from pinnkit.problem.problem import Problem
from pinnkit.references.fem.unsupported import METHOD, unsupported
from pinnkit.references.residuals import parameter_values, symbolic_residual

MOST_DIMENSIONS = 3
POINTS = 4096
"""Random points by which it is found out what lives where."""
JUMPS = (sympy.Piecewise, sympy.Heaviside, sympy.sign)

Second = tuple[str, str, str]
"""A field and the two coordinates, in order, that it is differentiated by."""


@dataclass(frozen=True)
class SecondOrderEquation:
    """sum of second[f, i, j] * f_ij + rest = 0, in a region; `rest` holds derivatives of order one at most.

    Attributes:
        field: the field whose test functions multiply the equation.
    """

    name: str
    field: str
    region: str
    second: Mapping[Second, sympy.Expr]
    rest: sympy.Expr

    @property
    def words(self) -> str:
        return f"the equation '{self.name}'"


@dataclass(frozen=True)
class Pattern:
    """The fields that have values in some part of the domain, and the equations that hold there, as many."""

    fields: tuple[str, ...]
    equations: tuple[SecondOrderEquation, ...]

    @property
    def with_flux(self) -> tuple[SecondOrderEquation, ...]:
        """The equations of second order: the ones that need a condition at each point of the boundary."""
        return tuple(one for one in self.equations if one.second)


@dataclass(frozen=True)
class SecondOrderSystem:
    """As many equations as fields, each paired with a field; every expression holds numbers for parameters.

    Attributes:
        pressures: fields without second derivatives whose own equation does not hold them.
        evolving: fields with a derivative in time.
        local: fields whose equation holds no derivative of theirs in space: they need no boundary condition.
        patterns: the regions that a point of the domain lies in -> what lives there.
    """

    space: tuple[str, ...]
    time: str | None
    fields: Mapping[str, Partial]
    equations: tuple[SecondOrderEquation, ...]
    pressures: tuple[str, ...]
    evolving: tuple[str, ...]
    local: tuple[str, ...]
    patterns: Mapping[frozenset[str], Pattern]

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions by which fields and equations differ."""
        return tuple(sorted(set().union(*self.patterns)))

    def equation_of(self, field: str) -> SecondOrderEquation:
        return next(one for one in self.equations if one.field == field)

    @property
    def with_flux(self) -> tuple[SecondOrderEquation, ...]:
        """The equations of second order: the ones that need a condition at each point of the boundary."""
        return tuple(one for one in self.equations if one.second)


def read_second_order_system(problem: Problem) -> SecondOrderSystem:
    """Read the equations of a problem.

    Raises:
        UnsupportedProblem: they are of another kind; the message names the equation and the reason.
    """
    _expect_coordinates(problem)
    values = parameter_values(problem, METHOD)
    fields = {field.name: Partial(field.name, field.coordinates) for field in problem.fields}
    parts = []
    for equation in problem.equations:
        words = f"the equation '{equation.name}'"
        residual = symbolic_residual(equation, words, values, METHOD)
        check_readable(residual, problem, words)
        second, rest = _principal_part(residual, problem, words)
        parts.append(SecondOrderEquation(equation.name, "", equation.region, second, rest))
    equations, patterns = _in_patterns(parts, problem)
    of_second_order = {key[0] for one in equations for key in one.second}
    pressures, local = [], []
    for one in equations:
        if one.second:
            continue
        own = {atom for atom in partials(one.rest) if atom.field == one.field}
        if not own and one.field not in of_second_order:
            pressures.append(one.field)
        elif one.field not in of_second_order and all(set(atom.derivative) <= {problem.time} for atom in own):
            local.append(one.field)
        else:
            raise unsupported(
                f"{one.words} has no second derivative in space: it takes elliptic and parabolic equations, and "
                "the incompressibility of a flow"
            )
    evolving = {
        atom.field
        for one in equations
        for atom in partials(one.rest)
        if problem.time and problem.time in atom.derivative
    }
    system = SecondOrderSystem(
        space=problem.space,
        time=problem.time,
        fields=fields,
        equations=equations,
        pressures=tuple(pressures),
        evolving=tuple(name for name in fields if name in evolving),
        local=tuple(local),
        patterns=patterns,
    )
    if problem.time and not evolving:
        raise unsupported(f"no equation holds a derivative in {problem.time}, which is a coordinate")
    return system


def _expect_coordinates(problem: Problem) -> None:
    if problem.axes.parameters:
        raise unsupported(f"the parameter {problem.axes.parameters[0]} is a coordinate: it takes numbers")
    if not 2 <= len(problem.space) <= MOST_DIMENSIONS:
        raise unsupported(f"it has {len(problem.space)} space coordinates: it takes two or three")
    for field in problem.fields:
        if set(field.coordinates) != set(problem.coordinates):
            depends, names = ", ".join(field.coordinates), ", ".join(problem.coordinates)
            raise unsupported(f"the field {field.name} depends on {depends} alone, not on {names}")


def check_readable(residual: sympy.Expr, problem: Problem, words: str, normals: tuple[sympy.Symbol, ...] = ()) -> None:
    """Raise UnsupportedProblem where a residual holds what has no meaning here: other points, names, integrals."""
    for one in sorted(partials(residual), key=str):
        if one.at:
            raise unsupported(f"{words} evaluates a field elsewhere, {one}")
        in_time = one.derivative.count(problem.time) if problem.time else 0
        if in_time > 1:
            raise unsupported(f"{words} holds {one}: it is of second order in time, and not parabolic")
        if in_time and len(one.derivative) > 1:
            raise unsupported(f"{words} holds {one}, mixed in time and space")
        if len(one.derivative) > 2:
            raise unsupported(f"{words} holds {one}, of order {len(one.derivative)}: it takes second order at most")
    known = set(problem.coordinates)
    try:
        program = Program([residual])
    except TypeError as error:
        raise unsupported(f"{words}: {error}") from None
    for atom in program.atoms:
        if not isinstance(atom, Partial) and str(atom) not in known and atom not in normals:
            raise unsupported(f"{words} holds {atom}, which has no number here")


def _principal_part(residual: sympy.Expr, problem: Problem, words: str) -> tuple[dict[Second, sympy.Expr], sympy.Expr]:
    highest = sorted((one for one in partials(residual) if len(one.derivative) == 2), key=str)
    try:
        factors, rest = linear.coefficients(residual, highest)
    except linear.NotLinearError:
        raise unsupported(f"{words} is not linear in its second derivatives") from None
    except LanguageError as error:
        raise unsupported(f"{words}: {error}") from None
    second = {}
    for one, factor in zip(highest, factors, strict=True):
        if any(atom.derivative for atom in partials(factor)):
            raise unsupported(f"in {words} the coefficient of {one} holds a derivative of a field")
        if factor.atoms(*JUMPS):
            raise unsupported(
                f"in {words} the coefficient of {one} may jump: write an equation for each part (in: NAME), "
                "and conditions on the interface"
            )
        i, j = sorted(one.derivative, key=problem.space.index)
        second[one.field, i, j] = factor
    return {key: factor for key, factor in second.items() if factor != 0}, rest


def _in_patterns(
    equations: list[SecondOrderEquation], problem: Problem
) -> tuple[tuple[SecondOrderEquation, ...], dict[frozenset[str], Pattern]]:
    """The equations with the fields that they are paired with, and what lives in each part of the domain."""
    names = {one.region for one in equations if one.region} | {one.part for one in problem.fields if one.part}
    points = random_points(problem.domain, POINTS)
    inside = {name: problem.regions[name].contains(points) for name in sorted(names)}
    patterns = {frozenset(name for name in names if inside[name][row]) for row in range(len(points))}
    pairs: dict[str, str] = {}
    found = {}
    for pattern in sorted(patterns, key=sorted):
        held = [one for one in equations if not one.region or one.region in pattern]
        fields = [one.name for one in problem.fields if not one.part or one.part in pattern]
        if len(held) != len(fields):
            place = f" in {' and '.join(sorted(pattern))}" if pattern else ""
            raise unsupported(
                f"it has {len(held)} equations for {len(fields)} fields ({', '.join(fields)}){place}: "
                "as many are needed"
            )
        for one, field in zip(held, _paired(held, fields, problem.time), strict=True):
            if pairs.setdefault(one.name, field) != field:
                raise unsupported(f"{one.words} determines {pairs[one.name]} in one region and {field} in another")
        found[pattern] = fields, held
    paired = {one.name: replace(one, field=pairs[one.name]) for one in equations if one.name in pairs}
    named = {
        key: Pattern(tuple(fields), tuple(paired[one.name] for one in held)) for key, (fields, held) in found.items()
    }
    return tuple(paired.values()), named


def _paired(equations: list[SecondOrderEquation], fields: list[str], time: str | None) -> list[str]:
    """The field of each equation: the one that it determines, by its pure second derivatives and those in time."""
    score = np.zeros((len(equations), len(fields)))
    for row, one in enumerate(equations):
        for column, field in enumerate(fields):
            pure = sum(key[0] == field and key[1] == key[2] for key in one.second)
            mixed = sum(key[0] == field and key[1] != key[2] for key in one.second)
            own = [atom for atom in partials(one.rest) if atom.field == field]
            in_time = any(time in atom.derivative for atom in own)
            plain = any(not atom.derivative for atom in own)
            score[row, column] = 10 * pure + mixed + 5 * in_time + 0.1 * plain + 0.01 * (row == column)
    _, columns = linear_sum_assignment(-score)
    return [fields[column] for column in columns]
