"""Grid points at which the residual of an equation is no number, whatever the fields are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import sympy

from pinnkit.language.calculus import partials, symbol
from pinnkit.problem.parts import Equation
from pinnkit.problem.places import singular_at
from pinnkit.problem.problem import Problem
from pinnkit.reporting.grid import Grid
from pinnkit.training.module import PINN

ROUNDING = 1e-12
"""How far outside the domain a grid point may lie, relative to the ranges of the coordinates."""


def singular(
    module: PINN,
    grid: Grid,
    fields: Mapping[str, np.ndarray],
    found: Mapping[str, np.ndarray],
    regions: Mapping[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """Equation -> mask of its singular points, for those that have some and others too.

    There the fields are finite, and the residual is not, whatever the fields are; of an equation in Python that is not
    known, and the points are those at the edge of the domain.
    """
    problem = module.problem
    masks = {}
    for equation in problem.equations:
        finite = np.all([np.isfinite(fields[name]) for name in _held(problem, equation)], axis=0)
        mask = finite & ~np.isfinite(found[equation.name]) & regions.get(equation.name, True)
        if not mask.any():
            continue
        at = {name: values[mask] for name, values in grid.coordinates.items()}
        symbolic = isinstance(equation.residual, sympy.Basic)
        always = _always(equation, module, at) if symbolic else _edge(problem, equation, at)
        if problem.hard_conditions:  # a distance to several parts of a boundary has no derivative where these meet
            always = always | _edge(problem, equation, at)
        mask[mask] = always
        if mask.any() and not mask.all():
            masks[equation.name] = mask
    return masks


def _held(problem: Problem, equation: Equation) -> list[str]:
    """The unknowns that an equation may hold: one with a function in some parts alone has no value elsewhere."""
    if not isinstance(equation.residual, sympy.Basic):
        return [one.name for one in problem.unknowns]
    names = {one.field for one in partials(equation.residual)}
    return [one.name for one in problem.unknowns if any(field.name in names for field in one.fields)]


def _always(equation: Equation, module: PINN, at: Mapping[str, np.ndarray]) -> np.ndarray:
    """Where the residual is not finite for any of some values of the fields and their derivatives."""
    values = {symbol(name): float(value.detach()) for name, value in module.parameter_values().items()}
    known = {**at, **module.problem.table_columns(at)}
    return singular_at(equation.residual, values | {symbol(name): points for name, points in known.items()})


def _edge(problem: Problem, equation: Equation, at: Mapping[str, np.ndarray]) -> np.ndarray:
    points = np.stack([at[name] for name in problem.coordinates], axis=1)
    return problem.solid(equation.region).near_edge(points, ROUNDING * (problem.domain.upper - problem.domain.lower))
