"""The names that an expression about a problem may use."""

from __future__ import annotations

from pinnkit.language.grammar import Scope
from pinnkit.problem.declarations import complex_names, names_of_fields
from pinnkit.problem.problem import Problem


def scope_of(problem: Problem) -> Scope:
    """The names that an equation of the problem may use inside its domain."""
    parts = {one.name: one.parts for one in problem.unknowns if one.parts}
    return Scope(
        coordinates=problem.coordinates,
        fields=names_of_fields(problem.fields),
        parameters=tuple(one.name for one in problem.parameters),
        ranges={**problem.domain.bounds, **{one.name: (one.value, one.value) for one in problem.parameters}},
        space=problem.space,
        complex=complex_names(problem.fields),
        definitions=problem.definitions,
        parts=parts,
        tables={name: one.atom for name, one in problem.tables.items()},
        regions=("domain", *problem.regions) if problem.regions or problem.space else (),
        rims=tuple(problem.rims),
    )
