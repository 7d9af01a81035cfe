"""Reading initial conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy

from pinnkit.language import linear
from pinnkit.language.calculus import Partial, differentiate, partials, replace
from pinnkit.references.unsupported import UnsupportedProblem


def read_initial_conditions(
    conditions: Sequence[tuple[str, sympy.Expr]], fields: Mapping[str, Partial], orders: Mapping[str, int], time: str
) -> dict[tuple[str, int], sympy.Expr]:
    """(field, k) -> d^k f/dt^k at the start, an expression in x.

    Conditions are solved one after the other, each for the one state in it that is not yet known; states that are
    known, and their derivatives in space, are put in. So `u_t = -u_x` may stand beside `u = sin(x)`.

    Args:
        conditions: (name, residual) with t put in.

    Raises:
        UnsupportedProblem: a state without an initial condition, with two of them, or a condition not linear in it.
    """
    waiting = [(name, _here(name, residual, time)) for name, residual in conditions]
    known: dict[tuple[str, int], sympy.Expr] = {}
    while waiting:
        waiting = [(name, _put_in(residual, known, time)) for name, residual in waiting]
        ready = next((pair for pair in waiting if len(partials(pair[1])) == 1), None)
        if ready is None:
            names = ", ".join(dict.fromkeys(name for name, _ in waiting))
            raise UnsupportedProblem(
                f"the initial conditions ({names}) cannot be solved one after the other for the fields at the start"
            )
        waiting.remove(ready)
        name, residual = ready
        (unknown,) = partials(residual)
        order = unknown.derivative.count(time)
        if order < len(unknown.derivative) or order >= orders[unknown.field]:
            raise UnsupportedProblem(f"the condition '{name}' gives {unknown} at the start, which is no state there")
        try:
            solution = linear.solve([residual], [unknown])
        except linear.NotLinearError:
            solution = None
        if solution is None:
            raise UnsupportedProblem(f"the condition '{name}' is not linear in {unknown}")
        known[unknown.field, order] = solution[unknown]
    for field, order in orders.items():
        for k in range(order):
            if (field, k) not in known:
                state = fields[field].differentiated(*[time] * k)
                raise UnsupportedProblem(f"{state} has no initial condition at the lower end of t")
    return known


def _here(name: str, residual: sympy.Expr, time: str) -> sympy.Expr:
    """Partials at the start itself, written as plain partials."""
    plain = {}
    for one in partials(residual):
        if [coordinate for coordinate, _ in one.at] != [time]:
            raise UnsupportedProblem(f"the condition '{name}' evaluates a field elsewhere, {one}")
        plain[one] = Partial(one.field, one.coordinates, one.derivative)
    return replace(residual, plain)


def _put_in(residual: sympy.Expr, known: Mapping[tuple[str, int], sympy.Expr], time: str) -> sympy.Expr:
    values = {}
    for one in partials(residual):
        in_space = [name for name in one.derivative if name != time]
        state = (one.field, len(one.derivative) - len(in_space))
        if state in known:
            values[one] = differentiate(known[state], *in_space)
    return replace(residual, values)
