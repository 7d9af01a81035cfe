"""Evolution systems: rates of change, initial values and boundary conditions, read from a problem."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import sympy

from pinnkit.language import linear
from pinnkit.language.calculus import Partial, partials, replace, symbol
from pinnkit.language.errors import LanguageError
from pinnkit.problem.parts import Condition
from pinnkit.problem.problem import Problem
from pinnkit.references.boundary_conditions import BoundaryConditions, read_boundary_conditions
from pinnkit.references.initial_conditions import read_initial_conditions
from pinnkit.references.outputs import without_outputs
from pinnkit.references.residuals import flat_normals, parameter_values, symbolic_residual
from pinnkit.references.time_step_limit import TimeStepLimit
from pinnkit.references.unsupported import UnsupportedProblem, expect_one_region


@dataclass(frozen=True)
class EvolutionSystem:
    """d^m f/dt^m = rates[f] for each field f, with m = orders[f]; every expression holds numbers for parameters.

    Attributes:
        orders: field -> order m >= 1 of its highest derivative in time.
        space_orders: field -> order of its highest derivative in space, 0 without any.
        rates: field -> expression in t, x, and partial derivatives that are of lower order in time.
        start: (field, k) -> d^k f/dt^k at the start, an expression in x.
        boundary: the boundary conditions in x.
        time, times: the time coordinate and its range.
        space, interval: the space coordinate and its range; None and empty for a problem in time alone.
    """

    orders: Mapping[str, int]
    space_orders: Mapping[str, int]
    rates: Mapping[str, sympy.Expr]
    start: Mapping[tuple[str, int], sympy.Expr]
    boundary: BoundaryConditions
    time: str
    times: tuple[float, float]
    space: str | None
    interval: tuple[float, float]

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(self.orders)

    @cached_property
    def time_step_limit(self) -> TimeStepLimit:
        """Upper bound on the time step."""
        ends = [one for condition in self.boundary.conditions for one in (*condition.factors, condition.rest)]
        return TimeStepLimit([*self.rates.values(), *ends], self.time, self.times, self.space, self.interval)


def read_evolution_system(problem: Problem) -> EvolutionSystem:
    """Read a problem as an evolution system.

    Raises:
        UnsupportedProblem: the method of lines cannot treat it.
    """
    try:
        return _read(without_outputs(problem))
    except LanguageError as error:  # an expression grew too long while it was solved or differentiated
        raise UnsupportedProblem(str(error)) from None


def _read(problem: Problem) -> EvolutionSystem:
    time, space = _expect_evolution(problem)
    values = parameter_values(problem)
    fields = {field.name: Partial(field.name, field.coordinates) for field in problem.fields}
    residuals = {}
    for equation in problem.equations:
        residuals[equation.name] = symbolic_residual(equation, f"the equation '{equation.name}'", values)
    orders = orders_in_time(fields, residuals, time)
    rates = rates_in_time(fields, orders, residuals, time)
    space_orders = {
        name: max(
            (one.derivative.count(space) for rate in rates.values() for one in partials(rate) if one.field == name),
            default=0,
        )
        for name in fields
    }
    initial, ends = [], []
    for condition in problem.conditions:
        at_start, at_ends = _placed(condition, problem, space, values)
        initial += at_start
        ends += at_ends
    interval = problem.domain.bounds[space] if space else (0.0, 0.0)
    return EvolutionSystem(
        orders=orders,
        space_orders=space_orders,
        rates=rates,
        start=read_initial_conditions(initial, fields, orders, time),
        boundary=read_boundary_conditions(ends, space, interval, space_orders, space in problem.periodic),
        time=time,
        times=problem.domain.bounds[time],
        space=space,
        interval=interval,
    )


def _expect_evolution(problem: Problem) -> tuple[str, str | None]:
    """The time coordinate, and the one space coordinate: None for a problem in time alone."""
    names = ", ".join(problem.coordinates)
    if not problem.domain.fills_bounds:
        raise UnsupportedProblem(f"its domain is {problem.domain.description}: it takes an interval of x and of t")
    expect_one_region(problem)
    if problem.axes.parameters:
        raise UnsupportedProblem(
            f"it is a family over {', '.join(problem.axes.parameters)}: it takes a number for each parameter"
        )
    if problem.time is None:
        raise UnsupportedProblem(f"its coordinates are {names}: there is no time t to integrate in")
    if len(problem.space) > 1 or len(problem.coordinates) > 2:
        raise UnsupportedProblem(f"its coordinates are {names}: it treats t, or t and one space coordinate")
    if problem.time in problem.periodic:
        raise UnsupportedProblem("it is periodic in t: the integration needs initial values at the lower end of t")
    for field in problem.fields:
        if set(field.coordinates) != set(problem.coordinates):
            depends = ", ".join(field.coordinates)
            raise UnsupportedProblem(f"the field {field.name} depends on {depends} alone, not on {names}")
    return problem.time, problem.space[0] if problem.space else None


def orders_in_time(fields: Mapping[str, Partial], residuals: Mapping[str, sympy.Expr], time: str) -> dict[str, int]:
    """The order in time of each field; UnsupportedProblem for derivatives that cannot be treated."""
    if len(residuals) != len(fields):
        raise UnsupportedProblem(
            f"it has {len(residuals)} equations for {len(fields)} fields ({', '.join(fields)}): as many are needed"
        )
    orders = dict.fromkeys(fields, 0)
    for name, residual in residuals.items():
        for one in partials(residual):
            if one.at:
                raise UnsupportedProblem(f"the equation '{name}' evaluates a field elsewhere, {one}")
            in_time = one.derivative.count(time)
            if 0 < in_time < len(one.derivative):
                raise UnsupportedProblem(f"the equation '{name}' holds {one}, mixed in time and space")
            orders[one.field] = max(orders[one.field], in_time)
    for name, order in orders.items():
        if order == 0:
            raise UnsupportedProblem(f"no equation holds a derivative of {name} in time, such as {name}_t")
    return orders


def rates_in_time(
    fields: Mapping[str, Partial], orders: Mapping[str, int], residuals: Mapping[str, sympy.Expr], time: str
) -> dict[str, sympy.Expr]:
    """The highest derivative in time of each field, from the equations."""
    highest = [field.differentiated(*[time] * orders[name]) for name, field in fields.items()]
    named = ", ".join(map(str, highest))
    try:
        solution = linear.solve(list(residuals.values()), highest)
    except linear.NotLinearError:
        raise UnsupportedProblem(f"its equations are not linear in the highest derivatives in time, {named}") from None
    if solution is None:
        raise UnsupportedProblem(f"its equations do not determine the highest derivatives in time, {named}")
    return {name: solution[derivative] for name, derivative in zip(fields, highest, strict=True)}


def _placed(
    condition: Condition, problem: Problem, space: str | None, values: Mapping[sympy.Symbol, sympy.Expr]
) -> tuple[list[tuple[str, sympy.Expr]], list[tuple[str, sympy.Expr]]]:
    """The condition's residuals at the start and at the ends of x, with the coordinate's value substituted."""
    where, time = f"the condition '{condition.name}'", cast(str, problem.time)
    if condition.data:
        raise UnsupportedProblem(f"{where} is made of data")
    if condition.where is not None:
        raise UnsupportedProblem(f"{where} holds on a part (where) of its place alone")
    start: list[tuple[str, sympy.Expr]] = []
    ends: list[tuple[str, sympy.Expr]] = []
    for place in condition.places:
        fixed = place.fixed
        at = {symbol(name): sympy.Float(value) for name, value in fixed.items()}
        normals = flat_normals(problem, place)
        if tuple(fixed) == (time,) and fixed[time] == problem.domain.bounds[time][0]:
            found = start
        elif space is not None and tuple(fixed) == (space,) and fixed[space] in problem.domain.bounds[space]:
            found = ends
        else:
            held = ", ".join(f"{name} = {value:g}" for name, value in fixed.items()) or "everywhere"
            lower = f"{time} = {problem.domain.bounds[time][0]:g}"
            raise UnsupportedProblem(f"{where} holds at {held}: it takes {lower} and the ends of x")
        for equation in condition.equations:
            residual = symbolic_residual(equation, where, values)
            found.append((condition.name, replace(residual, normals | at)))
    return start, ends
