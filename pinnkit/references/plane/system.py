"""Reading a problem in two space coordinates as a system on a rectangle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy

from pinnkit.language import linear
from pinnkit.language.calculus import Partial, partials, replace, symbol
from pinnkit.language.errors import LanguageError
from pinnkit.problem.problem import Problem
from pinnkit.references.evolution_system import orders_in_time, rates_in_time
from pinnkit.references.initial_conditions import read_initial_conditions
from pinnkit.references.outputs import without_outputs
from pinnkit.references.residuals import flat_normals, parameter_values, symbolic_residual
from pinnkit.references.unsupported import UnsupportedProblem, expect_one_region

HIGHEST = 2
"""Order in each space coordinate where that is not periodic."""

Face = tuple[str, int]
"""A coordinate, and 0 for its lower or 1 for its upper end."""


@dataclass(frozen=True)
class FaceCondition:
    """sum of factors[i] * unknowns[i] + rest = 0 on a face; the expressions are in the other coordinates."""

    name: str
    unknowns: tuple[Partial, ...]
    factors: tuple[sympy.Expr, ...]
    rest: sympy.Expr

    @property
    def gives_values(self) -> bool:
        """Whether it holds no derivative."""
        return not any(one.derivative for one in self.unknowns)


@dataclass(frozen=True)
class PlaneSystem:
    """Equations on a rectangle.

    Attributes:
        space: the two coordinates; bounds: their ranges.
        periodic: those in which all fields are periodic.
        residuals: steady: equation -> its residual.
        rates, orders, start: in time: field -> its highest derivative in time, that order, and (field, k) -> d^k f/dt^k
            at the start.
        faces: face -> its conditions, one for each field.
    """

    fields: tuple[str, ...]
    space: tuple[str, str]
    bounds: Mapping[str, tuple[float, float]]
    periodic: tuple[str, ...]
    faces: Mapping[Face, tuple[FaceCondition, ...]]
    residuals: Mapping[str, sympy.Expr] = field(default_factory=dict)
    time: str | None = None
    times: tuple[float, float] = (0.0, 0.0)
    orders: Mapping[str, int] = field(default_factory=dict)
    rates: Mapping[str, sympy.Expr] = field(default_factory=dict)
    start: Mapping[tuple[str, int], sympy.Expr] = field(default_factory=dict)


def read_plane_system(problem: Problem) -> PlaneSystem:
    """Read a problem in two space coordinates, and perhaps time.

    Raises:
        UnsupportedProblem: it is of another kind; the message names the equation or the condition.
    """
    try:
        return _read(without_outputs(problem))
    except LanguageError as error:  # an expression grew too long while it was solved or differentiated
        raise UnsupportedProblem(str(error)) from None


def _read(problem: Problem) -> PlaneSystem:
    _expect_rectangle(problem)
    values = parameter_values(problem)
    fields = {one.name: Partial(one.name, one.coordinates) for one in problem.fields}
    residuals = {one.name: symbolic_residual(one, f"the equation '{one.name}'", values) for one in problem.equations}
    time = problem.time
    initial, faces = _conditions(problem, values)
    periodic = tuple(name for name in problem.space if name in problem.periodic)
    common: dict[str, Any] = {
        "fields": tuple(fields),
        "space": problem.space,
        "bounds": {name: problem.domain.bounds[name] for name in problem.space},
        "periodic": periodic,
    }
    if time is None:
        _expect_square(fields, residuals)
        for name, residual in residuals.items():
            for one in partials(residual):
                if one.at:
                    raise UnsupportedProblem(f"the equation '{name}' evaluates a field elsewhere, {one}")
        _expect_orders(residuals, problem.space, periodic)
        return PlaneSystem(**common, faces=_faces(faces, fields, problem.space, periodic), residuals=residuals)
    orders = orders_in_time(fields, residuals, time)
    rates = rates_in_time(fields, orders, residuals, time)
    _expect_orders(rates, problem.space, periodic)
    return PlaneSystem(
        **common,
        faces=_faces(faces, fields, problem.space, periodic),
        time=time,
        times=problem.domain.bounds[time],
        orders=orders,
        rates=rates,
        start=read_initial_conditions(initial, fields, orders, time),
    )


def _expect_rectangle(problem: Problem) -> None:
    names = ", ".join(problem.coordinates)
    expect_one_region(problem)
    if not problem.domain.fills_bounds:
        raise UnsupportedProblem(f"its domain is {problem.domain.description}: it takes a rectangle")
    if problem.axes.parameters:
        raise UnsupportedProblem(
            f"it is a family over {', '.join(problem.axes.parameters)}: it takes a number for each parameter"
        )
    if problem.time in problem.periodic and problem.time is not None:
        raise UnsupportedProblem("it is periodic in t: the integration needs initial values at the lower end of t")
    for one in problem.fields:
        if set(one.coordinates) != set(problem.coordinates):
            depends = ", ".join(one.coordinates)
            raise UnsupportedProblem(f"the field {one.name} depends on {depends} alone, not on {names}")


def _expect_square(fields: Mapping[str, Partial], residuals: Mapping[str, sympy.Expr]) -> None:
    if len(residuals) != len(fields):
        raise UnsupportedProblem(
            f"it has {len(residuals)} equations for {len(fields)} fields ({', '.join(fields)}): as many are needed"
        )


def _expect_orders(texts: Mapping[str, sympy.Expr], space: tuple[str, ...], periodic: tuple[str, ...]) -> None:
    """Each field needs a second derivative across every face, and no higher one, where there are faces."""
    highest: dict[tuple[str, str], int] = {}
    for name, text in texts.items():
        for one in partials(text):
            for axis in space:
                order = one.derivative.count(axis)
                if axis not in periodic and order > HIGHEST:
                    raise UnsupportedProblem(
                        f"'{name}' holds {one}: it takes derivatives up to the order {HIGHEST} in {axis}"
                    )
                highest[one.field, axis] = max(highest.get((one.field, axis), 0), order)
    for (name, axis), order in sorted(highest.items()):
        if axis not in periodic and order < HIGHEST:
            raise UnsupportedProblem(
                f"no equation holds {name}_{axis}{axis}: it takes equations of order {HIGHEST} in {axis} for each field"
            )


def _conditions(
    problem: Problem, values: Mapping[sympy.Symbol, sympy.Expr]
) -> tuple[list[tuple[str, sympy.Expr]], list[tuple[Face, str, sympy.Expr]]]:
    """The residuals at the start, and on the faces."""
    start, faces = [], []
    for condition in problem.conditions:
        where = f"the condition '{condition.name}'"
        if condition.data:
            raise UnsupportedProblem(f"{where} is made of data")
        if condition.where is not None:
            raise UnsupportedProblem(f"{where} holds on a part (where) of its place alone")
        residuals = [symbolic_residual(one, where, values) for one in condition.equations]
        for place in condition.places:
            at = {symbol(name): sympy.Float(value) for name, value in place.fixed.items()}
            moved = [replace(one, flat_normals(problem, place) | at) for one in residuals]
            (fixed, value), *more = place.fixed.items() or (("", 0.0),)
            ends: tuple[float, ...] = problem.domain.bounds.get(fixed, ())
            if more or value not in ends or (fixed == problem.time and value != ends[0]):
                raise UnsupportedProblem(f"{where} holds at {place.description}: it takes the start and whole sides")
            if fixed == problem.time:
                start += [(condition.name, one) for one in moved]
            else:
                faces += [((fixed, ends.index(value)), condition.name, one) for one in moved]
    return start, faces


def _faces(
    given: list[tuple[Face, str, sympy.Expr]],
    fields: Mapping[str, Partial],
    space: tuple[str, ...],
    periodic: tuple[str, ...],
) -> dict[Face, tuple[FaceCondition, ...]]:
    found: dict[Face, list[FaceCondition]] = {
        (axis, end): [] for axis in space if axis not in periodic for end in (0, 1)
    }
    for face, name, residual in given:
        axis = face[0]
        if face not in found:
            raise UnsupportedProblem(f"it is periodic in {axis}, yet the condition '{name}' holds at an end as well")
        unknowns = sorted(partials(residual), key=str)
        for one in unknowns:
            if [coordinate for coordinate, _ in one.at] != [axis]:
                raise UnsupportedProblem(
                    f"the condition '{name}' evaluates a field elsewhere, {one}; write periodic: [{axis}] for a period"
                )
            if set(one.derivative) - set(space) or len(one.derivative) > 1:
                raise UnsupportedProblem(f"the condition '{name}' holds {one}: it takes values and first derivatives")
        try:
            factors, rest = linear.coefficients(residual, unknowns)
        except linear.NotLinearError:
            raise UnsupportedProblem(f"the condition '{name}' is not linear in the fields") from None
        plain = tuple(Partial(one.field, one.coordinates, one.derivative) for one in unknowns)
        found[face].append(FaceCondition(name, plain, tuple(factors), rest))
    for (axis, end), conditions in found.items():
        if len(conditions) != len(fields):
            side = "upper" if end else "lower"
            count = f"{len(conditions)} condition{'s' * (len(conditions) != 1)}"
            raise UnsupportedProblem(f"it has {count} at the {side} end of {axis}: one for each field is needed there")
    return {face: tuple(sorted(ones, key=lambda one: str(one.unknowns))) for face, ones in found.items()}
