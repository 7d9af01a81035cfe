"""Boundary conditions of an evolution system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sympy

from pinnkit.language import linear
from pinnkit.language.calculus import Partial, partials
from pinnkit.references.unsupported import UnsupportedProblem


@dataclass(frozen=True)
class BoundaryCondition:
    """sum of factors[i] * unknowns[i] + rest = 0 at one end: `end` is 0 for the lower and 1 for the upper one.

    `factors` and `rest` are expressions in t, `unknowns` partial derivatives in space.
    """

    name: str
    end: int
    unknowns: tuple[Partial, ...]
    factors: tuple[sympy.Expr, ...]
    rest: sympy.Expr


@dataclass(frozen=True)
class BoundaryConditions:
    """Either `periodic`, or conditions at the ends (none if the equations have no derivative in space)."""

    periodic: bool = False
    conditions: tuple[BoundaryCondition, ...] = ()


def read_boundary_conditions(
    residuals: Sequence[tuple[str, sympy.Expr]],
    space: str | None,
    interval: tuple[float, float],
    orders: Mapping[str, int],
    embedded: bool,
) -> BoundaryConditions:
    """The boundary conditions from (name, residual) pairs with x substituted.

    Args:
        embedded: whether the fields are periodic by embedding.

    Raises:
        UnsupportedProblem: conditions that are not linear, have derivatives in time, mix both ends other than as
            f(lower) = f(upper), or are not as many as the orders in space add up to.
    """
    if space is None:
        return BoundaryConditions()
    periodic: set[str] = set(orders) if embedded else set()
    conditions = []
    for name, residual in residuals:
        unknowns = sorted(partials(residual), key=str)
        ends = [_end(name, one, space, interval) for one in unknowns]
        try:
            factors, rest = linear.coefficients(residual, unknowns)
        except linear.NotLinearError:
            raise UnsupportedProblem(f"the condition '{name}' is not linear in the fields") from None
        plain = [Partial(one.field, one.coordinates, one.derivative) for one in unknowns]
        if len(set(ends)) == 1:
            conditions.append(BoundaryCondition(name, ends[0], tuple(plain), tuple(factors), rest))
        elif len(unknowns) == 2 and plain[0] == plain[1] and factors[0] == -factors[1] and rest == 0:
            if not plain[0].derivative:
                periodic.add(plain[0].field)
        else:
            raise UnsupportedProblem(
                f"the condition '{name}' mixes both ends of {space}, other than as {plain[0].field} being periodic"
            )
    if periodic:
        _expect_only_periodic(periodic, conditions, orders, space)
        return BoundaryConditions(periodic=True)
    needed = sum(orders.values())
    if len(conditions) != needed:
        terms = ", ".join(f"{order} for {field}" for field, order in orders.items())
        given = f"{len(conditions)} condition{'s' * (len(conditions) != 1)}"
        raise UnsupportedProblem(
            f"it has {given} at the ends of {space}, but the orders of its derivatives in {space} "
            f"need {needed} ({terms})"
        )
    return BoundaryConditions(conditions=tuple(conditions))


def _end(name: str, one: Partial, space: str, interval: tuple[float, float]) -> int:
    at = dict(one.at)
    if set(at) != {space}:
        raise UnsupportedProblem(f"the condition '{name}' evaluates a field elsewhere, {one}")
    if set(one.derivative) - {space}:
        raise UnsupportedProblem(f"the condition '{name}' holds {one}, a derivative in time, at an end of {space}")
    value = at[space]
    slack = 1e-12 * (interval[1] - interval[0])
    for end, position in enumerate(interval):
        if value.is_number and abs(float(value) - position) <= slack:
            return end
    raise UnsupportedProblem(f"the condition '{name}' evaluates a field elsewhere, {one}")


def _expect_only_periodic(
    periodic: set[str], conditions: Sequence[BoundaryCondition], orders: Mapping[str, int], space: str
) -> None:
    for field in orders:
        if field not in periodic:
            names = ", ".join(sorted(periodic))
            raise UnsupportedProblem(f"{names} is periodic in {space} but {field} is not: all fields or none")
    if conditions:
        raise UnsupportedProblem(
            f"it is periodic in {space}, yet the condition '{conditions[0].name}' holds at an end as well"
        )
