"""Shapes that the domain's expression cuts out of what they have no part in."""

from __future__ import annotations

from collections.abc import Iterator

from pinnkit.domains.combination import DIFFERENCE, INTERSECTION, UNION, Combination
from pinnkit.domains.product import Product
from pinnkit.domains.shape import Shape
from pinnkit.problem.problem import Problem


def idle_cuts(problem: Problem) -> list[str]:
    """A sentence for each shape that is cut out of the domain and changes nothing there, such as a misplaced hole."""
    solids = problem.domain.factors if isinstance(problem.domain, Product) else (problem.domain,)
    return [
        f"{shape.description} is cut out, but has no part in what it is cut from: it changes nothing"
        for solid in solids
        for shape in _idle(solid)
    ]


def _idle(solid: Shape) -> Iterator[Shape]:
    if not isinstance(solid, Combination):
        return
    yield from _idle(solid.left)
    yield from _beyond(solid.left, solid.right) if solid.operation == DIFFERENCE else _idle(solid.right)


def _beyond(solid: Shape, cut: Shape) -> Iterator[Shape]:
    """Those of the shapes that are cut out together, joined by +, that have no part in a solid."""
    if isinstance(cut, Combination) and cut.operation == UNION:
        yield from _beyond(solid, cut.left)
        yield from _beyond(solid, cut.right)
        return
    try:
        Combination(INTERSECTION, solid, cut)
    except ValueError:  # nothing in common
        yield cut
