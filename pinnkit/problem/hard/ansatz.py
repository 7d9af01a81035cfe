"""Functions that meet hard conditions for every network: u = G + D N."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import sympy

from pinnkit.domains.distances import number
from pinnkit.domains.product import Product
from pinnkit.domains.shape import Shape
from pinnkit.language.calculus import differentiate, replace, symbol
from pinnkit.language.errors import LanguageError, Report
from pinnkit.language.evaluate import Program
from pinnkit.problem.at import random_points
from pinnkit.problem.hard.prescribed import SOFT, Plane, Prescribed, prescribed
from pinnkit.problem.problem import Problem

LARGEST = 2_000
"""Distinct nodes of a closed form G at most."""


@dataclass(frozen=True)
class Ansatz:
    """u = lift + factor * N: a field that meets its hard conditions, whatever the network N is.

    Attributes:
        lift: G, which has the prescribed values.
        factor: D, zero where values are prescribed (to second order where the slope in time is), else positive.
        parts: what is prescribed.
    """

    field: str
    lift: sympy.Expr
    factor: sympy.Expr
    parts: tuple[Prescribed, ...]


def ansatz_of(problem: Problem, report: Report) -> dict[str, Ansatz]:
    """The ansatz of each field with hard conditions; those with a mistake are left out.

    G begins with the values on parts that are no cross-sections of the domain, and on faces beside such: one value for
    all is taken as it is; several, on parts that do not meet, have inverse-distance weights,
    w_i = prod_{j != i} d_j / sum_k prod_{j != k} d_j. For each coordinate p with prescribed values g_c at p = c the
    Boolean sum (Gordon and Hall 1973) adds sum over c of L_c(p) (g_c - G|p=c), with L_c the Lagrange polynomials of
    these c: what holds already stays where the data agree. Time comes last, and then (t - c) L_c(t) (u_1 - G_t|t=c) for
    a slope u_1. D is the product of the distances, and of (t - c)^2 for a slope, each scaled to about 1 in the domain.
    Where the Boolean sum grows too long, in many coordinates, one value for all faces is taken as it is.
    """
    found: dict[str, list[Prescribed]] = {}
    for one in prescribed(problem, report):
        found.setdefault(one.field.name, []).append(one)
    made = {}
    for name, parts in found.items():
        with report.at(parts[0].key):
            made[name] = _ansatz(problem, name, parts)
    return made


def _ansatz(problem: Problem, name: str, parts: Sequence[Prescribed]) -> Ansatz:
    """The ansatz of one field.

    Raises:
        LanguageError: there is no closed distance, or G grows too long.
    """
    shapes = [one.place for one in parts if one.plane is None]
    curved = [one for one in parts if one.plane is None or not all(place.spans(one.plane.name) for place in shapes)]
    parts = [one for one in parts if one not in curved]
    lift, factor = _of_shapes(problem, curved)
    faces = {}
    for coordinate in (*problem.space, *(one for one in problem.coordinates if one not in problem.space)):
        here = [(one.plane, one) for one in parts if one.plane is not None and _fixes(one, coordinate)]
        planes = {plane: one for plane, one in here if not one.slope}
        slopes = {plane: one for plane, one in here if one.slope}
        faces[coordinate] = planes, slopes
        factor *= _of_planes(problem, coordinate, planes, slopes)
    for planes, slopes in faces.values():
        lift = _with_planes(lift, planes, slopes)
        if _size(lift) > LARGEST:
            values = {one.anywhere for one in (*curved, *parts)}
            if len(values) > 1 or any(one.slope for one in parts):
                message = f"the values on all faces take more than {LARGEST} operations to join"
                raise LanguageError(f"{message}: write one expression for all of them, or {SOFT}")
            (lift,) = values
            break
    return Ansatz(name, lift, factor, (*curved, *parts))


def _fixes(one: Prescribed, coordinate: str) -> bool:
    return one.plane is not None and one.plane.name == coordinate


def _size(expr: sympy.Expr) -> int:
    """The number of distinct nodes."""
    seen: set[sympy.Basic] = set()
    stack: list[sympy.Basic] = [expr]
    while stack and len(seen) <= LARGEST:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack.extend(node.args)
    return len(seen)


# ---------------------------------------------------------------- planes


def _with_planes(
    lift: sympy.Expr, planes: Mapping[Plane, Prescribed], slopes: Mapping[Plane, Prescribed]
) -> sympy.Expr:
    """G with the values, then the slopes, that are prescribed for one coordinate."""
    total = lift
    for plane, one in planes.items():
        total += _lagrange(plane, planes) * (one.value - replace(lift, plane.at))
    for plane, one in slopes.items():
        ((time, start),) = plane.at.items()
        missing = one.value - replace(differentiate(total, plane.name), plane.at)
        total += (time - start) * _lagrange(plane, planes) * missing
    return total


def _lagrange(plane: Plane, planes: Mapping[Plane, Prescribed]) -> sympy.Expr:
    """The product over the other planes of (p - c') / (c - c')."""
    ((name, here),) = plane.at.items()
    others = [there for other in planes if other != plane for there in other.at.values()]
    return sympy.Mul(*((name - there) / (here - there) for there in others))


def _of_planes(
    problem: Problem, coordinate: str, planes: Mapping[Plane, Prescribed], slopes: Mapping[Plane, Prescribed]
) -> sympy.Expr:
    """The product of (p - c) over the planes, squared where there is a slope, at most 1 in size between two ends."""
    lower, upper = problem.domain.bounds[coordinate]
    factors = []
    for plane in planes:
        ((name, value),) = plane.at.items()
        distance = (value - name if plane.value == upper else name - value) / sympy.Float(upper - lower)
        factors.append(distance**2 if plane in slopes else distance)
    ends = {lower, upper} <= {plane.value for plane in planes}
    return sympy.Mul(*factors) * (4 if ends else 1)


# ---------------------------------------------------------------- shapes


def _of_shapes(problem: Problem, parts: Sequence[Prescribed]) -> tuple[sympy.Expr, sympy.Expr]:
    """G and D of the values on parts of the boundary that are no planes across the domain.

    Raises:
        LanguageError: there is no closed distance to one, or parts with different values meet.
    """
    if not parts:
        return sympy.S.Zero, sympy.S.One
    values: dict[sympy.Expr, list[Prescribed]] = {}
    for one in parts:
        values.setdefault(one.anywhere, []).append(one)
    distances = {value: _distance(problem, ones) for value, ones in values.items()}
    factor = _scaled(problem, sympy.Mul(*distances.values()))
    if len(values) == 1:
        return next(iter(values)), factor
    _check_apart(list(values.values()))
    if any(np.any(_inside(problem, distance) <= 0) for distance in distances.values()):
        raise LanguageError(f"gives other values on a surface inside the domain than at its boundary: {SOFT}")
    shares = [sympy.Mul(*(d for other, d in distances.items() if other != value)) for value in values]
    return sympy.Add(*map(sympy.Mul, values, shares)) / sympy.Add(*shares), factor


def _distance(problem: Problem, parts: Sequence[Prescribed]) -> sympy.Expr:
    """A function that is zero on these parts alone and positive in the domain, scaled.

    Raises:
        LanguageError: there is no closed form.
    """
    whole = _whole(problem.domain, [one.place for one in parts])
    found = [whole] if whole is not None else [_to_part(problem.domain, one.place) for one in parts]
    for one, expression in zip(parts, found, strict=False):
        if expression is None:
            raise LanguageError(f"there is no closed distance to {one.place.description}: {SOFT}")
    return _scaled(problem, sympy.Mul(*found))


def _scaled(problem: Problem, expression: sympy.Expr) -> sympy.Expr:
    """An expression over the power of two near its largest value in the domain, with that one's sign."""
    values = _inside(problem, expression)
    if not np.any(np.isfinite(values) & (values != 0)):
        raise LanguageError(f"the distance to its place is no number in the domain: {SOFT}")
    largest = values[np.nanargmax(np.where(np.isfinite(values), np.abs(values), np.nan))]
    return expression / number(2.0 ** np.round(np.log2(np.abs(largest))) * np.sign(largest))


def _inside(problem: Problem, expression: sympy.Expr) -> np.ndarray:
    """An expression at points in the domain, (n,)."""
    points = random_points(problem.domain, 512)
    inputs = {symbol(name): points[:, index] for index, name in enumerate(problem.coordinates)}
    return np.ravel(Program([expression])({**problem.values, **inputs})[0])


def _whole(domain: Shape, places: Sequence[Shape]) -> sympy.Expr | None:
    """The distance to the boundary of the one factor of the domain whose boundary these places are, all of it."""
    factors = domain.factors if isinstance(domain, Product) else (domain,)
    for index, factor in enumerate(factors):
        parts = () if factor.fills_bounds else factor.boundary(factor.coordinates)
        own = [place.factors[index] if isinstance(place, Product) else place for place in places]
        if parts and len(own) == len(parts) and all(any(_same(part, one) for one in own) for part in parts):
            return factor.vanishing_expression
    return None


def _same(one: Shape, other: Shape) -> bool:
    return one is other or (type(one), one.description, one.measure) == (type(other), other.description, other.measure)


def _to_part(domain: Shape, place: Shape) -> sympy.Expr | None:
    """The distance to one place: p - c to the cross-section of the domain at p = c."""
    fixed = {name: value for name, value in place.fixed.items() if name not in domain.fixed}
    if place.distance_expression is None and len(fixed) == 1 and not place.has_normals:
        ((name, value),) = fixed.items()
        return symbol(name) - number(value)
    return place.distance_expression


def _check_apart(groups: Sequence[Sequence[Prescribed]]) -> None:
    """Parts with different values must not meet: the weights would have no value there.

    Raises:
        LanguageError: two do.
    """
    for first, second in combinations(groups, 2):
        for one in first:
            for other in second:
                points = random_points(one.place, 512)
                points = np.concatenate([points, one.place.ends]) if len(one.place.ends) else points
                size = np.max(one.place.upper - one.place.lower)
                if np.abs(other.place.distance(points)).min() < 1e-3 * size:
                    raise LanguageError(
                        f"gives {one.text} on {one.place.description}, and '{other.condition}' gives {other.text} on "
                        f"{other.place.description}, which meets it: write one expression for both, or {SOFT}"
                    )
