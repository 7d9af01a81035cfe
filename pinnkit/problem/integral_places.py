"""Places of conditions that hold integrals: they vary only in the coordinates that the equations depend on."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import sympy

from pinnkit.domains.box import Box
from pinnkit.domains.product import Product
from pinnkit.domains.shape import Shape
from pinnkit.language.calculus import symbol
from pinnkit.language.integral import integrals
from pinnkit.problem.at import random_points
from pinnkit.problem.parts import Equation


def needed_coordinates(equations: Sequence[Equation], coordinates: Sequence[str]) -> set[str] | None:
    """The coordinates that equations with integrals depend on; None where an equation has no integral, or is Python."""
    if not equations or not all(isinstance(one.residual, sympy.Basic) and integrals(one.residual) for one in equations):
        return None
    free = set().union(*(one.residual.free_symbols | one.weight.free_symbols for one in equations))
    return {name for name in coordinates if symbol(name) in free}


def narrowed(place: Shape, needed: Collection[str]) -> Shape:
    """The place with its other coordinates fixed, where they vary on their own: the equations are the same there.

    The integral of u over all of space at t = 0 asks for one point, not for many that ask for the same.
    """
    if isinstance(place, Product):
        return Product(tuple(narrowed(factor, needed) for factor in place.factors), place.order)
    if isinstance(place, Box):
        bounds = {
            name: ends if name in needed else (sum(ends) / 2, sum(ends) / 2) for name, ends in place.bounds.items()
        }
        return Box(bounds, place.normal)
    if set(place.coordinates) & set(needed) or place.has_normals:
        return place
    (point,) = random_points(place, 1)
    return Box({name: (float(value), float(value)) for name, value in zip(place.coordinates, point, strict=True)})
