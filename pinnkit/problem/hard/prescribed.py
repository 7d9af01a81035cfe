"""What hard conditions prescribe: values of a field, and its slope in time, at places."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import sympy

from pinnkit.domains.distances import number
from pinnkit.domains.shape import Shape
from pinnkit.language.calculus import Partial, normal_symbol, partials, replace, symbol
from pinnkit.language.errors import LanguageError, Report
from pinnkit.language.evaluate import Program
from pinnkit.language.linear import NotLinearError, coefficients
from pinnkit.problem.parts import Condition, Equation, Field
from pinnkit.problem.periods import period_of
from pinnkit.problem.problem import Problem

SOFT = "leave hard out, so that it is a term of the loss"


@dataclass(frozen=True)
class Plane:
    """The part p = c of the domain, all of it."""

    name: str
    value: float

    @property
    def at(self) -> dict[sympy.Symbol, sympy.Expr]:
        """The coordinate's symbol and its value, to substitute."""
        return {symbol(self.name): number(self.value)}


@dataclass(frozen=True)
class Prescribed:
    """A value of a field, or of its slope in time, at one place.

    Attributes:
        key: of the condition, for messages.
        value: in the coordinates that vary at the place; it holds no learned parameter and no field.
        anywhere: the value as it is written, in all coordinates.
        plane: the coordinate that the place fixes, where it does so in all of the domain.
        slope: whether it is u_t that has the value.
    """

    condition: str
    key: str
    field: Field
    value: sympy.Expr
    anywhere: sympy.Expr
    place: Shape
    plane: Plane | None
    slope: bool = False

    @property
    def text(self) -> str:
        """What is prescribed, such as "u_t = x"."""
        return f"{self.field.name}{'_t' if self.slope else ''} = {self.value}"


def prescribed(problem: Problem, report: Report) -> tuple[Prescribed, ...]:
    """What the hard conditions say, place by place; those that give a period are left out, for it is embedded."""
    found: list[Prescribed] = []
    for condition in problem.hard_conditions:
        key = f"conditions.{condition.origin}.hard"
        if condition.data:
            report.add(key, f"holds at rows of data, through which no closed form passes: {SOFT}")
            continue
        if condition.where is not None:
            report.add(key, f"holds on a part that 'where' cuts out, to which there is no closed distance: {SOFT}")
            continue
        for equation in condition.equations:
            with report.at(key):
                found += _of_equation(problem, condition, equation, key)
    for one in found:
        if one.slope and one.plane is not None and not any(_starts(one, other) for other in found):
            name, start = one.field.name, f"{one.plane.name} = {one.plane.value:g}"
            report.add(
                one.key, f"prescribes {name}_{one.plane.name} at {start} where no hard condition gives {name}: add one"
            )
    return tuple(found)


def _starts(slope: Prescribed, other: Prescribed) -> bool:
    """Whether `other` is the value of the same field at the same time."""
    return not other.slope and other.field == slope.field and other.plane == slope.plane


def _of_equation(problem: Problem, condition: Condition, equation: Equation, key: str) -> Iterator[Prescribed]:
    """What one equation says at each place.

    Raises:
        LanguageError: it cannot be met by construction.
    """
    residual, text = equation.residual, equation.text
    if not isinstance(residual, sympy.Basic):
        raise LanguageError(f"the residual '{equation.name}' is Python, which cannot be solved for a field: {SOFT}")
    if equation.weight != 1:
        raise LanguageError("a hard condition is no term of the loss, so it has no weight: leave out weight or hard")
    period = period_of(equation, problem.domain)
    if period is not None:
        for place in condition.places:
            plane = plane_of(problem, place)
            if plane is None or plane.name != period[1]:
                rule = f"{period[0]} would be periodic in {period[1]} everywhere"
                raise LanguageError(f"holds at {place.description}, and {rule}: write at: {period[1]} = ...", text)
        return
    partial, value = _solved(equation)
    field = next(one for one in problem.fields if one.name == partial.field)
    if field.transform:
        rule = f"transform.{field.name}: {field.transform} is applied to the whole field"
        raise LanguageError(f"{rule}, so its values cannot be prescribed: leave out transform or hard", text)
    if field.bounds.lower > -math.inf or field.bounds.upper < math.inf:
        rule = f"{field.name} has bounds, which are set for the whole field"
        raise LanguageError(f"{rule}, so its values cannot be prescribed: leave out the bounds or hard", text)
    if field.arguments:
        rule = f"{field.name} is a function of {', '.join(field.arguments)}, not of the place"
        raise LanguageError(f"{rule}: {SOFT}", text)
    slope = partial.derivative == (problem.time,)
    if partial.derivative and not slope:
        rule = "a field, or its first derivative in time at a fixed time, can be prescribed exactly"
        raise LanguageError(f"{partial} is given: {rule}; {SOFT}", text)
    learned = sorted({str(one) for one in value.free_symbols} & {one.name for one in problem.learned})
    if learned:
        raise LanguageError(f"the value depends on {learned[0]}, which is learned: {SOFT}", text)
    normals = {normal_symbol(name) for name in problem.coordinates}
    value = replace(value, {name: number(known) for name, known in problem.values.items()})
    try:
        unknown = set(Program([value]).atoms) - {symbol(name) for name in problem.coordinates} - normals
    except TypeError:
        raise LanguageError(f"is no value in closed form: {SOFT}", text) from None
    if unknown:
        raise LanguageError(
            f"the value holds {min(map(str, unknown))}, which is not known in closed form: {SOFT}", text
        )
    if not condition.places:
        raise LanguageError(f"has no place: {SOFT}", text)
    for place in condition.places:
        plane = plane_of(problem, place)
        if slope and (plane is None or plane.name != problem.time):
            raise LanguageError(
                f"{partial} is given at {place.description}: it can be so at a fixed time only; {SOFT}", text
            )
        if plane is None and place.dimension != problem.domain.dimension - 1:
            rule = "only values on whole surfaces, lines of a plane, or ends of an interval can be prescribed exactly"
            raise LanguageError(f"{place.description}: {rule}; {SOFT}", text)
        own = replace(value, plane.at) if plane is not None else value
        _check_coordinates(problem, field, plane, own, text)
        yield Prescribed(condition.origin, key, field, own, value, place, plane, slope)


def _solved(equation: Equation) -> tuple[Partial, sympy.Expr]:
    """The one partial derivative that an equation holds, and the value that it gives to it.

    Raises:
        LanguageError: it holds several, or is not linear in it.
    """
    held, text = sorted(partials(equation.residual), key=str), equation.text
    if len(held) != 1:
        names = ", ".join(map(str, held)) or "no field at its place"
        raise LanguageError(f"holds {names}: a hard condition gives the value of one field alone; {SOFT}", text)
    (partial,) = held
    if partial.at:
        raise LanguageError(f"holds {partial}: a hard condition gives the field at its place; {SOFT}", text)
    try:
        (factor,), rest = coefficients(equation.residual, held)
    except NotLinearError:
        raise LanguageError(f"is not linear in {partial}, so it cannot be solved for it: {SOFT}", text) from None
    if factor == 0:
        raise LanguageError(f"does not depend on {partial}: {SOFT}", text)
    return partial, -rest / factor


def _check_coordinates(problem: Problem, field: Field, plane: Plane | None, value: sympy.Expr, text: str) -> None:
    """The field must depend on what the place fixes, and on what the value depends on."""
    if plane is not None and plane.name not in field.coordinates:
        raise LanguageError(f"{field.name} does not depend on {plane.name}, at which it is prescribed", text)
    if plane is not None and plane.name in problem.periods(field):
        raise LanguageError(f"{field.name} is periodic in {plane.name}, which has no ends then: {SOFT}", text)
    names = {str(one) for one in value.free_symbols}
    if normals := sorted(names & {str(normal_symbol(name)) for name in problem.coordinates}):
        raise LanguageError(f"the value holds the normal {normals[0]}, which is known on the boundary alone", text)
    if others := sorted(names & set(problem.coordinates) - set(field.coordinates)):
        raise LanguageError(f"the value depends on {others[0]}, but {field.name} does not", text)


def plane_of(problem: Problem, place: Shape) -> Plane | None:
    """The coordinate that a place fixes and its value, where the place is the whole cross-section of the domain."""
    domain = problem.domain
    fixed = {name: value for name, value in place.fixed.items() if name not in domain.fixed}
    if len(fixed) != 1 or place.dimension != domain.dimension - 1:
        return None
    ((name, value),) = fixed.items()
    return Plane(name, value) if domain.spans(name) else None
