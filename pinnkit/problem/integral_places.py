"""Places of conditions that hold integrals: they vary only in the coordinates that the equations depend on."""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from pinnkit.language.calculus import symbol
from pinnkit.language.integral import integrals
from pinnkit.problem.parts import Equation


def needed_coordinates(equations: Sequence[Equation], coordinates: Sequence[str]) -> set[str] | None:
    """The coordinates that equations with integrals depend on; None where one has no integral, or is Python.

    The integral of u over all of space at t = 0 asks for one point, not for many that ask for the same.
    """
    if not equations or not all(isinstance(one.residual, sympy.Basic) and integrals(one.residual) for one in equations):
        return None
    free = set().union(*(one.residual.free_symbols | one.weight.free_symbols for one in equations))
    return {name for name in coordinates if symbol(name) in free}
