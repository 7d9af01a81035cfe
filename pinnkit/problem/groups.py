"""Groups of equations that share collocation points: one for the whole domain, and one for each region of equations."""

from __future__ import annotations

from pinnkit.problem.parts import Equation
from pinnkit.problem.problem import Problem

EQUATIONS = "equations"
"""The name of the group of all equations that hold everywhere; no condition can have it."""


def equation_groups(problem: Problem) -> dict[str, tuple[Equation, ...]]:
    """Group -> its equations: `equations` for those that hold everywhere, `equations.NAME` for those in a region."""
    found: dict[str, list[Equation]] = {}
    for one in problem.equations:
        found.setdefault(f"{EQUATIONS}.{one.region}" if one.region else EQUATIONS, []).append(one)
    return {name: tuple(ones) for name, ones in found.items()}


def is_equations(group: str) -> bool:
    """Whether a group is one of equations, and not a condition, whose name has no dot."""
    return group == EQUATIONS or group.startswith(f"{EQUATIONS}.")


def region_of(group: str) -> str:
    """The region of a group of equations; "": the whole domain.

    >>> region_of("equations.left"), region_of("equations")
    ('left', '')
    """
    return group.removeprefix(EQUATIONS).removeprefix(".")
