"""Unknowns of a problem put together from its real fields."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pinnkit.problem.parts import Unknown
from pinnkit.problem.problem import Problem

ROUNDING = 1e-9
"""How far outside all parts a point may lie that belongs to one, relative to the ranges of the coordinates."""


def combined(
    problem: Problem, values: Mapping[str, np.ndarray], coordinates: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Unknown -> its values, from those of its fields at points of any one shape.

    A complex unknown is re + i im. One with a function for each part of the domain takes that of the part in which a
    point lies: the first one that contains it, and NaN in none. Unknowns that lack a field are left out.
    """
    found = {}
    for unknown in problem.unknowns:
        if all(one.name in values for one in unknown.fields):
            found[unknown.name] = _in_parts(problem, unknown, values, coordinates)
    return found


def _in_parts(
    problem: Problem, unknown: Unknown, values: Mapping[str, np.ndarray], coordinates: Mapping[str, np.ndarray]
) -> np.ndarray:
    if not unknown.parts:
        return _whole(unknown, values, "")
    places = parts_at(problem, unknown, coordinates)
    result = np.full(places.shape, np.nan, dtype=complex if unknown.is_complex else float)
    for number, part in enumerate(unknown.parts):
        result = np.where(places == number, _whole(unknown, values, part), result)
    return result


def parts_at(problem: Problem, unknown: Unknown, coordinates: Mapping[str, np.ndarray]) -> np.ndarray:
    """The number of the part of an unknown in which each point lies, in the shape of the coordinates; -1: in none.

    It is the first part that contains the point.
    """
    shape = np.shape(next(iter(coordinates.values())))
    points = np.stack([np.ravel(coordinates[name]) for name in problem.coordinates], axis=1)
    found = np.full(shape, -1)
    for slack in (0.0, ROUNDING * (problem.domain.upper - problem.domain.lower)):  # a rim may be missed by rounding
        for number, part in enumerate(unknown.parts):
            here = (found < 0) & problem.regions[part].contains(points, slack).reshape(shape)
            found[here] = number
    return found


def _whole(unknown: Unknown, values: Mapping[str, np.ndarray], part: str) -> np.ndarray:
    """The values of its function of one part, by its component."""
    by_component = {one.component: values[one.name] for one in unknown.fields if one.part == part}
    return by_component["re"] + 1j * by_component["im"] if "re" in by_component else by_component[""]
