"""Conditions of a problem sorted by what they prescribe: values, conormal derivatives, the start, single points."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import sympy

from pinnkit.domains.shape import Shape
from pinnkit.language import linear
from pinnkit.language.calculus import Partial, normal_symbol, partials, replace, symbol
from pinnkit.language.errors import LanguageError
from pinnkit.language.integral import bound_symbol, integrals
from pinnkit.problem.parts import Condition, Equation
from pinnkit.problem.problem import Problem
from pinnkit.references.fem.second_order import SecondOrderSystem, check_readable
from pinnkit.references.fem.unsupported import METHOD, unsupported
from pinnkit.references.residuals import parameter_values, symbolic_residual

TOTAL = sympy.Dummy("total")
"""The place of an integral in the residual of a condition."""


@dataclass(frozen=True)
class BoundaryEquation:
    """sum over derivatives d of slopes[d] * d + rest = 0 on some places of the boundary.

    `sides`: regions that touch its points. `slopes` hold coordinates and normals alone, `rest` values of fields too.
    """

    name: str
    places: tuple[Shape, ...]
    where: sympy.Basic | None
    sides: tuple[str, ...]
    slopes: Mapping[Partial, sympy.Expr]
    rest: sympy.Expr

    @property
    def words(self) -> str:
        return f"the condition '{self.name}'"

    @property
    def prescribes_values(self) -> bool:
        return not self.slopes

    def turned(self, space: Sequence[str]) -> BoundaryEquation:
        """The same for the opposite normal."""
        opposite = {normal_symbol(name): -normal_symbol(name) for name in space}
        slopes = {atom: factor.subs(opposite, simultaneous=True) for atom, factor in self.slopes.items()}
        return dataclasses.replace(self, slopes=slopes, rest=self.rest.subs(opposite, simultaneous=True))


@dataclass(frozen=True)
class FixedConstant:
    """field = value at a point of space, (d,); without a point: the integral of the field over the domain = value."""

    name: str
    field: str
    point: tuple[float, ...] | None
    value: sympy.Expr


@dataclass(frozen=True)
class Conditions:
    """All conditions of a problem. start: field -> expression in space, its value at the lower end of time."""

    boundary: tuple[BoundaryEquation, ...] = ()
    start: Mapping[str, sympy.Expr] = field(default_factory=dict)
    constants: tuple[FixedConstant, ...] = ()


def read_conditions(problem: Problem, system: SecondOrderSystem) -> Conditions:
    """Sort the conditions.

    Raises:
        UnsupportedProblem: one is of another kind; the message names it and the reason.
    """
    values = parameter_values(problem, METHOD)
    normals = tuple(normal_symbol(name) for name in system.space)
    boundary: list[BoundaryEquation] = []
    constants: list[FixedConstant] = []
    start: dict[str, sympy.Expr] = {}
    if problem.periodic:
        raise unsupported(f"it is periodic in {problem.periodic[0]}")
    for condition in problem.conditions:
        words = f"the condition '{condition.name}'"
        if condition.data:
            raise unsupported(f"{words} is made of data")
        residuals = []
        for equation in condition.equations:
            total = _total(equation, condition.name, system, values)
            if total is not None:
                constants.append(total)
                continue
            residual = symbolic_residual(equation, words, values, METHOD)
            check_readable(residual, problem, words, normals)
            residuals.append(residual)
        groups: dict[str, list[Shape]] = {}
        for place in condition.places:
            groups.setdefault(_kind(place, problem, words), []).append(place)
        for kind, places in groups.items():
            for residual in residuals:
                if kind == "start":
                    if condition.where is not None:
                        raise unsupported(f"{words} holds on a part (where) of the start alone")
                    _add_start(start, residual, words, system)
                elif kind == "point":
                    constants += [_point_value(condition.name, residual, place, problem, words) for place in places]
                else:
                    boundary.append(_boundary_equation(condition, tuple(places), residual, problem, words))
    for name in system.evolving:
        if name not in start:
            raise unsupported(f"no condition gives {name} at the start")
    return Conditions(tuple(boundary), start, tuple(constants))


def _kind(place: Shape, problem: Problem, words: str) -> str:
    fixed, time = place.fixed, problem.time
    if time is not None and time in fixed:
        if fixed[time] == problem.domain.bounds[time][0] and set(place.free) == set(problem.space):
            return "start"
        raise unsupported(
            f"{words} holds at {time} = {fixed[time]:g}: it takes the lower end of {time} and the boundary"
        )
    if set(fixed) >= set(problem.space):
        return "point"
    if place.has_normals:
        return "boundary"
    raise unsupported(f"{words} holds at {place.description}, which is no part of the boundary")


def _add_start(start: dict[str, sympy.Expr], residual: sympy.Expr, words: str, system: SecondOrderSystem) -> None:
    atoms = sorted(partials(residual), key=str)
    if len(atoms) != 1 or atoms[0].derivative:
        raise unsupported(f"{words} gives more than the value of one field at the start")
    name = atoms[0].field
    try:
        (factor,), rest = linear.coefficients(residual, atoms)
    except (linear.NotLinearError, LanguageError):
        raise unsupported(f"{words} is not linear in {name}") from None
    if name not in system.evolving:
        return  # pressures follow from the other fields
    start[name] = -rest / factor


def _total(
    equation: Equation, name: str, system: SecondOrderSystem, values: Mapping[sympy.Symbol, sympy.Expr]
) -> FixedConstant | None:
    """What a condition integral(f, domain) = value says; None: it is another condition."""
    held = integrals(equation.residual) if isinstance(equation.residual, sympy.Basic) else ()
    if len(held) != 1 or held[0].rim or held[0].region != "domain":
        return None
    (one,) = held
    bound = {bound_symbol(axis): symbol(axis) for axis in system.space}
    field = next((name for name, atom in system.fields.items() if one.body.xreplace(bound) == atom), None)
    placed = cast(sympy.Expr, equation.residual).xreplace({one: TOTAL})
    factor = sympy.diff(placed, TOTAL)
    rest = replace(placed.xreplace({TOTAL: sympy.S.Zero}), values)
    plain = not partials(rest) and not rest.free_symbols & set(bound.values())
    if field is None or not factor.is_number or factor == 0 or not plain:
        return None
    return FixedConstant(name, field, None, -rest / factor)


def _point_value(name: str, residual: sympy.Expr, place: Shape, problem: Problem, words: str) -> FixedConstant:
    atoms = sorted(partials(residual), key=str)
    if len(atoms) != 1 or atoms[0].derivative:
        raise unsupported(f"{words} gives more than the value of one field at a point")
    try:
        (factor,), rest = linear.coefficients(residual, atoms)
    except (linear.NotLinearError, LanguageError):
        raise unsupported(f"{words} is not linear in {atoms[0].field}") from None
    point = tuple(place.fixed[one] for one in problem.space)
    return FixedConstant(name, atoms[0].field, point, -rest / factor)


def _boundary_equation(
    condition: Condition, places: Sequence[Shape], residual: sympy.Expr, problem: Problem, words: str
) -> BoundaryEquation:
    found = sorted((one for one in partials(residual) if one.derivative), key=str)
    for one in found:
        if len(one.derivative) > 1 or one.derivative[0] == problem.time:
            raise unsupported(f"{words} holds {one}: it takes values and first derivatives in space")
    try:
        factors, rest = linear.coefficients(residual, found)
    except linear.NotLinearError:
        raise unsupported(f"{words} is not linear in its derivatives") from None
    except LanguageError as error:
        raise unsupported(f"{words}: {error}") from None
    slopes = {one: factor for one, factor in zip(found, factors, strict=True) if factor != 0}
    for one, factor in slopes.items():
        if partials(factor):
            raise unsupported(f"in {words} the coefficient of {one} holds a field")
    if not slopes:
        fields = sorted({one.field for one in partials(rest)})
        for name in fields:
            if len([one for one in partials(rest) if one.field == name]) != 1:
                raise unsupported(f"{words} cannot be read as values of {name}")
    return BoundaryEquation(condition.name, tuple(places), condition.where, condition.sides, slopes, rest)
