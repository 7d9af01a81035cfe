"""Reading a problem as an evolution: rates of change, a start, and what holds at the two ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import sympy

from pinnkit.language import linear
from pinnkit.language.calculus import TIME, Partial, partials, replace, symbol
from pinnkit.language.errors import LanguageError
from pinnkit.problem.problem import Condition, Equation, Problem
from pinnkit.references.boundary_conditions import BoundaryConditions, read_boundary_conditions
from pinnkit.references.exact import exact_parameters
from pinnkit.references.initial_conditions import read_initial_conditions
from pinnkit.references.time_step_limit import TimeStepLimit
from pinnkit.references.unsupported import UnsupportedProblem


@dataclass(frozen=True)
class EvolutionSystem:
    """d^m f/dt^m = rates[f] for each field f, with m = orders[f]; every expression holds numbers for parameters.

    Attributes:
        orders: field -> order m >= 1 of its highest derivative in time.
        space_orders: field -> order of its highest derivative in space, 0 without any.
        rates: field -> expression in t, x, and partial derivatives that are of lower order in time.
        start: (field, k) -> d^k f/dt^k at the start, an expression in x.
        boundary: what holds at the ends of x.
        times, interval: the ranges of t and of x; `space` is None and the interval empty for a problem in t alone.
    """

    orders: Mapping[str, int]
    space_orders: Mapping[str, int]
    rates: Mapping[str, sympy.Expr]
    start: Mapping[tuple[str, int], sympy.Expr]
    boundary: BoundaryConditions
    times: tuple[float, float]
    space: str | None
    interval: tuple[float, float]

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(self.orders)

    @cached_property
    def time_step_limit(self) -> TimeStepLimit:
        """How long steps in time may be."""
        ends = [one for condition in self.boundary.conditions for one in (*condition.factors, condition.rest)]
        return TimeStepLimit([*self.rates.values(), *ends], self.times, self.space, self.interval)


def read_evolution_system(problem: Problem) -> EvolutionSystem:
    """The evolution that a problem describes.

    Raises:
        UnsupportedProblem: saying what the method of lines here cannot treat.
    """
    try:
        return _read(problem)
    except LanguageError as error:  # an expression grew too long while it was solved or differentiated
        raise UnsupportedProblem(str(error)) from None


def _read(problem: Problem) -> EvolutionSystem:
    space = _space(problem)
    values = _parameters(problem)
    fields = {field.name: Partial(field.name, field.coordinates) for field in problem.fields}
    residuals = {}
    for equation in problem.equations:
        residuals[equation.name] = _symbolic(equation, f"the equation '{equation.name}'", values)
    orders = _orders(fields, residuals)
    rates = _rates(fields, orders, residuals)
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
        start=read_initial_conditions(initial, fields, orders),
        boundary=read_boundary_conditions(ends, space, interval, space_orders, space in problem.periodic),
        times=problem.domain.bounds[TIME],
        space=space,
        interval=interval,
    )


def _space(problem: Problem) -> str | None:
    """The one space coordinate, None for a problem in t alone."""
    names = ", ".join(problem.coordinates)
    if TIME not in problem.coordinates:
        raise UnsupportedProblem(f"its coordinates are {names}: without the time t there is nothing to march in")
    if len(problem.space) > 1:
        raise UnsupportedProblem(f"its coordinates are {names}: it treats t, or t and one space coordinate")
    if TIME in problem.periodic:
        raise UnsupportedProblem("it is periodic in t: it marches from a start at the lower end of t")
    for field in problem.fields:
        if set(field.coordinates) != set(problem.coordinates):
            depends = ", ".join(field.coordinates)
            raise UnsupportedProblem(f"the field {field.name} depends on {depends} alone, not on {names}")
    return problem.space[0] if problem.space else None


def _parameters(problem: Problem) -> dict[sympy.Symbol, sympy.Expr]:
    """Symbol of each parameter -> its value as a SymPy number; learned ones take their exact values."""
    exact = exact_parameters(problem)
    for parameter in problem.learned:
        if parameter.name not in exact:
            raise UnsupportedProblem(
                f"the parameter {parameter.name} is learned and its true value unknown: "
                f"give it under exact, as in {parameter.name}: {parameter.value:g}"
            )
    values = {str(name): value for name, value in problem.values.items()} | exact
    # whole numbers stay exact, so that a power with one stays a power with a whole number
    return {
        symbol(name): sympy.Integer(int(value)) if value == int(value) else sympy.Float(value)
        for name, value in values.items()
    }


def _symbolic(equation: Equation, where: str, values: Mapping[sympy.Symbol, sympy.Expr]) -> sympy.Expr:
    if not isinstance(equation.residual, sympy.Basic):
        raise UnsupportedProblem(f"{where} is a Python callable: it reads equations in text alone")
    return replace(equation.residual, values)


def _orders(fields: Mapping[str, Partial], residuals: Mapping[str, sympy.Expr]) -> dict[str, int]:
    """The order in time of each field, with what the equations must not hold refused."""
    if len(residuals) != len(fields):
        raise UnsupportedProblem(
            f"it has {len(residuals)} equations for {len(fields)} fields ({', '.join(fields)}): as many are needed"
        )
    orders = dict.fromkeys(fields, 0)
    for name, residual in residuals.items():
        for one in partials(residual):
            if one.at:
                raise UnsupportedProblem(f"the equation '{name}' evaluates a field elsewhere, {one}")
            in_time = one.derivative.count(TIME)
            if 0 < in_time < len(one.derivative):
                raise UnsupportedProblem(f"the equation '{name}' holds {one}, mixed in time and space")
            orders[one.field] = max(orders[one.field], in_time)
    for name, order in orders.items():
        if order == 0:
            raise UnsupportedProblem(f"no equation holds a derivative of {name} in time, such as {name}_t")
    return orders


def _rates(
    fields: Mapping[str, Partial], orders: Mapping[str, int], residuals: Mapping[str, sympy.Expr]
) -> dict[str, sympy.Expr]:
    """The highest derivative in time of each field, from the equations."""
    highest = [field.differentiated(*[TIME] * orders[name]) for name, field in fields.items()]
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
    """The condition's residuals at the start and at the ends of x, with the coordinate's value put in."""
    where = f"the condition '{condition.name}'"
    if condition.data:
        raise UnsupportedProblem(f"{where} is made of data")
    if condition.where is not None:
        raise UnsupportedProblem(f"{where} holds on a part (where) of its place alone")
    start: list[tuple[str, sympy.Expr]] = []
    ends: list[tuple[str, sympy.Expr]] = []
    for place in condition.places:
        fixed = {name: place.bounds[name][0] for name in problem.coordinates if name not in place.free}
        at = {symbol(name): sympy.Float(value) for name, value in fixed.items()}
        normals = {symbol(f"n_{name}"): sympy.Integer(int(sign)) for name, sign in place.normal.items()}
        if tuple(fixed) == (TIME,) and fixed[TIME] == problem.domain.bounds[TIME][0]:
            found = start
        elif tuple(fixed) == (space,) and fixed[space] in problem.domain.bounds[space]:
            found = ends
        else:
            held = ", ".join(f"{name} = {value:g}" for name, value in fixed.items()) or "everywhere"
            lower = f"{TIME} = {problem.domain.bounds[TIME][0]:g}"
            raise UnsupportedProblem(f"{where} holds at {held}: it takes {lower} and the ends of x")
        for equation in condition.equations:
            residual = _symbolic(equation, where, values)
            found.append((condition.name, replace(residual, normals | at)))
    return start, ends
