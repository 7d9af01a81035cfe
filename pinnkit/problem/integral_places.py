"""Places that integrals are over, and places of conditions that hold integrals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import sympy

from pinnkit.domains.shape import Shape
from pinnkit.language.calculus import symbol
from pinnkit.language.errors import Report
from pinnkit.language.integral import integrals
from pinnkit.problem.geometry import Places
from pinnkit.problem.parts import Condition, Equation
from pinnkit.problem.shapes import BOUNDARY


def needed_coordinates(equations: Sequence[Equation], coordinates: Sequence[str]) -> set[str] | None:
    """The coordinates that equations with integrals depend on; None where one has no integral, or is Python.

    The integral of u over all of space at t = 0 asks for one point, not for many that ask for the same.
    """
    if not equations or not all(isinstance(one.residual, sympy.Basic) and integrals(one.residual) for one in equations):
        return None
    free = set().union(*(cast(sympy.Expr, one.residual).free_symbols | one.weight.free_symbols for one in equations))
    return {name for name in coordinates if symbol(name) in free}


def read_rims(
    equations: Sequence[Equation], conditions: Sequence[Condition], places: Places, report: Report
) -> dict[str, tuple[Shape, ...]]:
    """The parts of the domain's boundary that integrals are over, by their names in the equations."""
    keyed = [(f"equations.{one.name}", one) for one in equations]
    keyed += [
        (f"conditions.{condition.name}.equations", one) for condition in conditions for one in condition.equations
    ]
    found: dict[str, tuple[Shape, ...]] = {}
    for key, equation in keyed:
        for one in integrals(equation.residual) if isinstance(equation.residual, sympy.Basic) else ():
            if one.rim and one.region not in found:
                parts = places.boundary if one.region == BOUNDARY else places.rim(one.region)
                if not parts:
                    message = f"integrates over '{one.region}', no part of whose boundary lies in the domain"
                    report.add(key, f"{message}, {places.domain.description}", equation.text)
                found[one.region] = parts
    return found
