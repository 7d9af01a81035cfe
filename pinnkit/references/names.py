"""Names of references, as the setting `reference` has them."""

from __future__ import annotations

from pinnkit.problem.problem import Problem
from pinnkit.problem.read import COMPUTED

SPECTRAL, FEM = COMPUTED
"""Those that are computed."""
NONE = "none"
"""No reference at all: errors are not measured."""


def has_exact(problem: Problem) -> bool:
    """Whether the problem gives an exact solution of a field, and not of learned parameters alone."""
    return any(field.name in problem.exact for field in problem.fields)


def own_reference(problem: Problem) -> str:
    """The reference of a run that names none: the exact solution, else what the problem names, else `none`."""
    return "exact" if has_exact(problem) else problem.reference or NONE
