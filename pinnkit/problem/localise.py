"""Equations and conditions of fields that have a function of their own in each part of the domain.

The name u stands for the function of the part in which an equation holds. What holds in several parts becomes one
equation, or condition, for each.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from pinnkit.domains.shape import Shape
from pinnkit.language.errors import LanguageError, Report
from pinnkit.problem.at import inside, random_points
from pinnkit.problem.functions_of_parts import Parts
from pinnkit.problem.parts import Condition, Equation
from pinnkit.problem.sides import in_region, touching
from pinnkit.problem.values import Values

POINTS = 4096
"""Random points of a place by which it is found out which parts touch it."""


# ---------------------------------------------------------------- equations


def localise_equations(equations: Sequence[Equation], parts: Parts, report: Report) -> tuple[Equation, ...]:
    """Each equation with the functions of its region; one that holds everywhere becomes one for each part."""
    found: list[Equation] = []
    for one in equations:
        with report.at(f"equations.{one.name}"):
            found.extend(_in_regions(parts.with_integrals(one), parts))
    return tuple(found)


def _in_regions(equation: Equation, parts: Parts) -> Iterator[Equation]:
    unknowns, named = parts.held(equation)
    for name in named:
        part = parts.part_of[name]
        if not equation.region or parts.containing(_unknown(name, parts), equation.region) != part:
            where = f"in {equation.region}" if equation.region else "everywhere"
            message = f"holds {where}, and {name} is a function in {part} alone: write {_unknown(name, parts)}"
            raise LanguageError(f"{message}{'' if equation.region else f', or add in: {part}'}", equation.text)
    if equation.region:
        chosen = {one: held for one in unknowns if (held := parts.containing(one, equation.region)) is not None}
        missing = [one for one in unknowns if one not in chosen]
        if missing and not callable(equation.residual):
            known = ", ".join(parts.of[missing[0]])
            raise LanguageError(
                f"holds in {equation.region}, which lies in no single part of {missing[0]} ({known}): write one "
                f"for each part, in: {next(iter(parts.of[missing[0]]))}",
                equation.text,
            )
        yield parts.renamed(equation, chosen)
        return
    if not unknowns:
        yield equation
        return
    common = list(parts.of[unknowns[0]])
    for other in unknowns[1:]:
        if set(parts.of[other]) != set(common):
            raise LanguageError(
                f"holds everywhere, and {unknowns[0]} and {other} have different parts: write one for each region, "
                f"in: {common[0]}",
                equation.text,
            )
    for part in common:
        suffix = f"_{part}" if len(common) > 1 else ""
        yield replace(parts.renamed(equation, dict.fromkeys(unknowns, part), suffix), region=part)


def _unknown(field: str, parts: Parts) -> str:
    return next(one for one, ones in parts.of.items() if field in ones.values())


# ---------------------------------------------------------------- conditions


def localise_conditions(
    conditions: Sequence[Condition], parts: Parts, coordinates: tuple[str, ...], values: Values, report: Report
) -> tuple[Condition, ...]:
    """Each condition with the functions of the parts that touch its points, one condition for each such part.

    One with one-sided names, u.left and u.right, holds where all the parts that it names meet.
    """
    found: list[Condition] = []
    for one in conditions:
        if not parts.of or not one.equations or not (one.places or one.data):  # what is missing has been reported
            found.append(one)
            continue
        with report.at(f"conditions.{one.name}.equations"):
            found.extend(_by_sides(one, parts, coordinates, values))
    return tuple(found)


def _by_sides(condition: Condition, parts: Parts, coordinates: tuple[str, ...], values: Values) -> Iterator[Condition]:
    pieces: dict[tuple[str, ...], list[Equation]] = {}
    for one in condition.equations:
        for sides, equation in _with_sides(parts.with_integrals(one), parts):
            pieces.setdefault(sides, []).append(equation)
    kept: dict[tuple[str, ...], Condition] = {}
    for sides, equations in pieces.items():
        piece = replace(condition, equations=tuple(equations), sides=sides, origin=condition.name)
        restricted = _restricted(piece, parts, coordinates, values)
        if restricted is not None:
            kept[sides] = restricted
        elif not all(one.local for one in equations):  # one-sided names, which ask for these points
            raise LanguageError(_apart(piece, parts, coordinates, values), equations[0].text)
    if not kept:
        names = " and ".join(_unknowns_of(condition, parts))
        raise LanguageError(f"no part of {names} touches this place", condition.equations[0].text)
    for sides, piece in kept.items():
        suffix = f"_{'_'.join(sides)}" if len(kept) > 1 and sides else ""
        renamed = [replace(one, name=f"{one.name}{suffix}" if one.local else one.name) for one in piece.equations]
        yield replace(piece, name=f"{condition.name}{suffix}", equations=tuple(renamed))


def _unknowns_of(condition: Condition, parts: Parts) -> list[str]:
    return list(dict.fromkeys(name for one in condition.equations for name in parts.held(one)[0]))


def _with_sides(equation: Equation, parts: Parts) -> Iterator[tuple[tuple[str, ...], Equation]]:
    """The equation for each choice of parts that it may mean, with the regions that touch its points then."""
    unknowns, named = parts.held(equation)
    if unknowns and named:
        unknown = unknowns[0]
        one_sided = ", ".join(parts.of[unknown].values())
        raise LanguageError(f"holds {unknown} and {named[0]}: write {one_sided} throughout", equation.text)
    if not unknowns:
        _, here = parts.held(equation, here=True)
        yield tuple(dict.fromkeys(parts.part_of[one] for one in here)), equation
        return
    for chosen in itertools.product(*(parts.of[one] for one in unknowns)):
        yield tuple(dict.fromkeys(chosen)), parts.renamed(equation, dict(zip(unknowns, chosen, strict=True)))


def _restricted(condition: Condition, parts: Parts, coordinates: tuple[str, ...], values: Values) -> Condition | None:
    """The condition at those of its places, or rows, that its sides touch; None: they touch none."""
    regions = [parts.regions[name] for name in condition.sides]
    if condition.data:
        if not regions:
            return condition
        rows = np.logical_and.reduce([in_region(one, condition.data) for one in regions])
        if not rows.any():
            return None
        return replace(condition, data={name: column[rows] for name, column in condition.data.items()})
    if not regions:
        return condition
    touched = _touched(condition, parts, coordinates, values)
    kept = tuple(place for place in condition.places if touched(place).any())
    return replace(condition, places=kept) if kept else None


def _touched(
    condition: Condition, parts: Parts, coordinates: tuple[str, ...], values: Values
) -> Callable[[Shape], np.ndarray]:
    """A place -> mask of random points of it that the condition is for."""
    regions = [parts.regions[name] for name in condition.sides]

    def mask(place: Shape) -> np.ndarray:
        points = random_points(place, POINTS)
        found = touching(regions, place, points, parts.domain.upper - parts.domain.lower)
        return found if condition.where is None else found & inside(condition.where, points, coordinates, values)

    return mask


def _apart(condition: Condition, parts: Parts, coordinates: tuple[str, ...], values: Values) -> str:
    """Why the parts that a condition names meet at no point of its place."""
    for side in condition.sides:
        if _restricted(replace(condition, sides=(side,)), parts, coordinates, values) is None:
            name = next(name for name, part in parts.part_of.items() if part == side)
            touching_ones = [
                other
                for other in dict.fromkeys(parts.part_of.values())
                if _restricted(replace(condition, sides=(other,)), parts, coordinates, values) is not None
            ]
            here = f"; {' and '.join(touching_ones)} do" if len(touching_ones) > 1 else ""
            return f"{name} has no one-sided value at this place: {side} does not touch it{here}"
    return f"{' and '.join(condition.sides)} meet at no point of this place"
