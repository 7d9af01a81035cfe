"""Checks that the parts of fields, and the regions of equations, cover the domain and do not overlap."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import sympy

from pinnkit.domains.shape import Shape
from pinnkit.language.calculus import partials
from pinnkit.language.errors import LanguageError, Report
from pinnkit.problem.at import random_points
from pinnkit.problem.equations import check_region
from pinnkit.problem.geometry import Places
from pinnkit.problem.parts import Equation, Field

POINTS = 4096
"""Random points of a solid at which it is checked."""


def check_parts(fields: Sequence[Field], places: Places, report: Report) -> bool:
    """Check the parts of each field: named shapes without overlap that cover the domain; a single one need not.

    Returns whether there is no mistake. Where the shapes or the domain have one, nothing can be said about parts of it.
    """
    regions, domain = places.regions, places.domain
    former = len(report.mistakes)
    if any(one.key.split(".")[0] in ("shapes", "domain") for one in report.mistakes):
        return not any(one.part for one in fields)
    for unknown in dict.fromkeys(one.unknown for one in fields if one.part):
        names = list(dict.fromkeys(one.part for one in fields if one.unknown == unknown))
        if not set(names).isdisjoint(places.broken):
            continue
        with report.at(f"fields.{unknown}.parts"):
            for name in names:
                check_region(name, regions, places.outside)
            for number, name in enumerate(names):
                for other in names[:number]:
                    place = _place_in(regions[name], [regions[other]], within=True)
                    if place:
                        raise LanguageError(
                            f"{other} and {name} overlap, as at {place}: cut one out of the other, so that each point "
                            "has one function"
                        )
            place = _place_in(domain, [regions[name] for name in names], within=False) if len(names) > 1 else ""
            if place:
                raise LanguageError(f"{', '.join(names)} do not cover the domain: {place} lies in none of them")
    return len(report.mistakes) == former


def check_periodic_parts(
    periodic: Sequence[str], fields: Sequence[Field], regions: Mapping[str, Shape], domain: Shape, report: Report
) -> None:
    """Check that each part of a field reaches from end to end of a periodic coordinate: the embedding makes each
    function periodic by itself, and what leaves one part at the end may enter another."""
    for name in periodic:
        for field in fields:
            if field.part and not (
                regions[field.part].spans(name) and regions[field.part].bounds[name] == domain.bounds[name]
            ):
                report.add(
                    "periodic",
                    f"{name}: {field.unknown} has a function of its own in {field.part}, which does not reach from end "
                    f"to end of {name}: write conditions in its place",
                )
                break


def check_equations_cover(
    equations: Sequence[Equation], fields: Sequence[Field], regions: Mapping[str, Shape], domain: Shape, report: Report
) -> None:
    """Check that where a field stands in equations, one of them holds at every point of it, and that regions of two
    with a common field do not overlap in part."""
    if not any(one.region for one in equations):
        return
    for field in fields:
        holding = [one for one in equations if _holds(one, field.name)]
        solid = regions[field.part] if field.part else domain
        others = [
            one for one in equations for other in fields if other.unknown == field.unknown and _holds(one, other.name)
        ]
        if others and not holding:
            message = f"none for {field.unknown} holds in {field.part}: write another with in: {field.part}"
            report.add("equations", message)
        elif holding and all(one.region and one.region != field.part for one in holding):
            place = _place_in(solid, [regions[one.region] for one in holding], within=False)
            if place:
                held = ", ".join(dict.fromkeys(one.region for one in holding))
                report.add(
                    "equations",
                    f"none for {field.name} holds at {place}: those with {field.name} hold in {held} alone. Write "
                    "another with in: for the rest, or one without in:",
                )
    seen: set[frozenset[str]] = set()
    for one, other in _pairs(equations):
        pair = frozenset((one.region, other.region))
        if len(pair) < 2 or "" in pair or pair in seen or not _common(one, other, fields):
            continue
        seen.add(pair)
        first, second = regions[one.region], regions[other.region]
        place = _place_in(first, [second], within=True)
        if place and _place_in(first, [second], within=False) and _place_in(second, [first], within=False):
            report.add(
                f"equations.{other.name}",
                f"holds in {other.region}, which overlaps {one.region} of {one.name}, as at {place}: cut one out of "
                "the other",
            )


def _pairs(equations: Sequence[Equation]) -> Iterable[tuple[Equation, Equation]]:
    return ((one, other) for number, other in enumerate(equations) for one in equations[:number])


def _holds(equation: Equation, field: str) -> bool:
    residual = equation.residual
    return not isinstance(residual, sympy.Basic) or any(one.field == field for one in partials(residual))


def _common(one: Equation, other: Equation, fields: Sequence[Field]) -> bool:
    return any(_holds(one, field.name) and _holds(other, field.name) for field in fields)


def _place_in(solid: Shape, others: Sequence[Shape], within: bool) -> str:
    """A point of the solid that lies in one of the others (within), or in none of them; "": there is none."""
    points = random_points(solid, POINTS)
    held = np.logical_or.reduce([one.contains(points) for one in others])
    rows = np.flatnonzero(held if within else ~held)
    if not len(rows):
        return ""
    return ", ".join(f"{name} = {value:.4g}" for name, value in zip(solid.coordinates, points[rows[0]], strict=True))
