"""Counts of conditions: fewer than an equation's order asks for leave many solutions."""

from __future__ import annotations

from pinnkit.language.calculus import partials
from pinnkit.language.integral import integrals
from pinnkit.problem.parts import Field
from pinnkit.problem.places import equations_with_keys
from pinnkit.problem.problem import Problem


def too_few_in_time(problem: Problem) -> list[str]:
    """A sentence for each field with fewer conditions at fixed times than its order in time: u, u_t, ... are needed.

    None where data, an integral, or a residual in Python may determine the rest.
    """
    if problem.time is None or not _countable(problem):
        return []
    found = []
    for field in problem.fields:
        order = _order(problem, field, problem.time)
        given = _given(problem, field, problem.time, once=True)
        if given < order and problem.time not in problem.periods(field):
            found.append(_sentence(field, problem.time, order, given, f"at a fixed {problem.time}"))
    return found


def too_few_in_space(problem: Problem) -> list[str]:
    """A sentence for each field with order two or more in a coordinate of a box, and fewer conditions at its ends.

    Lower orders are left out: where a flow leaves, an equation of first order has no condition. None where data, an
    integral, or a residual in Python may determine the rest.
    """
    if problem.regions or not _countable(problem):
        return []
    found = []
    for field in problem.fields:
        for name in problem.space:
            order = _order(problem, field, name) if name in field.coordinates else 0
            given = _given(problem, field, name)
            if order >= 2 and given < order and name not in problem.periods(field):
                found.append(_sentence(field, name, order, given, f"at the ends of {name}"))
    return found


def _countable(problem: Problem) -> bool:
    in_python = any(callable(equation.residual) for _, equation, _ in equations_with_keys(problem))
    if in_python or any(condition.data for condition in problem.conditions):
        return False
    return not any(integrals(each.residual) for condition in problem.conditions for each in condition.equations)


def _order(problem: Problem, field: Field, coordinate: str) -> int:
    read = [one for equation in problem.equations for one in partials(equation.residual) if one.field == field.name]
    return max((one.derivative.count(coordinate) for one in read), default=0)


def _given(problem: Problem, field: Field, coordinate: str, once: bool = False) -> int:
    """The equations of conditions that hold the field, on each of their places where the coordinate is fixed.

    once: several places with one value of the coordinate, such as pieces of the start, count as one.
    """
    count = 0
    for condition in problem.conditions:
        places = [place.bounds[coordinate] for place in condition.places if coordinate not in place.free]
        holding = sum(any(one.field == field.name for one in partials(each.residual)) for each in condition.equations)
        count += holding * len(set(places) if once else places)
    return count


def _sentence(field: Field, coordinate: str, order: int, given: int, where: str) -> str:
    given_here = f"{given} condition{'' if given == 1 else 's'} {where}"
    return f"{field.name} has order {order} in {coordinate} but {given_here}: the solution is not unique"
