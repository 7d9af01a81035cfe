"""Places of conditions: `at` and `where`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import sympy

from pinnkit.domains.shape import Shape
from pinnkit.language.calculus import symbol
from pinnkit.language.errors import LanguageError, nearest, suggestion
from pinnkit.language.evaluate import Program
from pinnkit.language.grammar import Scope, assignment, constant, inequality
from pinnkit.problem.geometry import Places
from pinnkit.problem.shapes import BOUNDARY, BOX
from pinnkit.problem.values import Values, check_known


def read_at(at: Any, places: Places, scope: Scope, values: Values) -> Iterator[Shape]:
    """What `at` names: `t = 0`, `boundary`, the name of a shape, a mapping of coordinates, or a list of these."""
    domain = places.domain
    names = (BOUNDARY, *places.shapes, *places.broken) if places.space else (BOUNDARY, BOX)
    if isinstance(at, Mapping) and at:
        for name in at:
            if name not in domain.coordinates:
                raise LanguageError(f"there is no coordinate '{name}'{suggestion(str(name), domain.coordinates)}")
        yield from _part(places, {name: constant(value) for name, value in at.items()})
    elif isinstance(at, str) and at.strip() in names:
        if not places.space:
            raise LanguageError("a problem in t alone has no boundary: write at: t = 0")
        parts = places.boundary if at.strip() == BOUNDARY else places.rim(at.strip())
        if not parts:
            raise LanguageError(_no_rim(at.strip(), domain), at)
        yield from parts
    elif isinstance(at, str) and (near := nearest(at.strip(), names)):
        raise LanguageError(f"unknown place '{at}'; did you mean '{near}'?")
    elif isinstance(at, str) and at.strip().isidentifier() and at.strip() not in scope.coordinates:
        named = ", ".join(name for name in names if name != BOX and places.space)
        raise LanguageError(f"there is no place '{at.strip()}'; valid are {named or 't = 0 and such'}")
    elif isinstance(at, str):
        name, position = assignment(at, scope)
        program = Program([position])
        check_known(program, values, at)
        yield from _part(places, {name: float(program(values)[0])}, at)
    elif isinstance(at, Sequence) and at:
        for one in at:
            yield from read_at(one, places, scope, values)
    else:
        raise LanguageError(f"{at!r} is no place: write t = 0, a list of such, boundary, or {{x: 0, y: 0}}")


def _no_rim(name: str, domain: Shape) -> str:
    if name == BOX:
        return f"the box does not bound the domain, {domain.description}; write {BOUNDARY}"
    if not domain.boundary(domain.coordinates):
        limit = "of a level set in more than three coordinates none are found"
        return f"there are no points of the boundary of the domain, {domain.description}: {limit}"
    return f"no part of the boundary of '{name}' lies in the domain, {domain.description}"


def _part(places: Places, values: Mapping[str, float], text: str = "") -> Iterator[Shape]:
    """The part of the domain with these coordinates: the parts of its boundary there, with normals, if it has any."""
    fixed = {name: _snapped(value, places.domain.bounds[name]) for name, value in values.items()}
    faces = [part for part in places.boundary if part.fixed == fixed]
    yield from faces
    if not faces:
        with _mistake_in(text):
            yield places.domain.at(**fixed)


def _snapped(value: float, ends: tuple[float, float]) -> float:
    """The end of the range that the value misses by rounding alone (1/3 in text and 1/3 in SymPy may), or the value."""
    slack = 1e-12 * max(abs(end) for end in ends)
    return next((end for end in ends if abs(value - end) <= slack), value)


@contextmanager
def _mistake_in(text: str) -> Iterator[None]:
    """Turn the ValueError of a shape into a mistake of the text."""
    try:
        yield
    except ValueError as error:
        raise LanguageError(str(error), text) from None


def read_where(
    text: Any, places: tuple[Shape, ...], scope: Scope, values: Values
) -> tuple[sympy.Basic, tuple[Shape, ...]]:
    """The inequality, and those of the places where it holds somewhere."""
    if not isinstance(text, str):
        raise LanguageError(f"{text!r} is not an inequality: write x > 0.5")
    condition = inequality(text, scope)
    program = Program([condition])
    unknown = [str(atom) for atom in program.atoms if atom not in values and str(atom) not in scope.coordinates]
    if unknown:
        raise LanguageError(f"{', '.join(unknown)} is not known before training", text)
    kept = tuple(place for place in places if np.any(inside(condition, probe_points(place), scope.coordinates, values)))
    if not kept:
        raise LanguageError("holds at no point of the condition's place", text)
    return condition, kept


def probe_points(place: Shape) -> np.ndarray:
    """Points (4096, d) at random in a place, always the same, to find out whether an inequality holds."""
    return random_points(place, 4096)


def random_points(shape: Shape, count: int) -> np.ndarray:
    """Points (count, d) at random in a shape, always the same."""
    return shape.draw(count, lambda drawn: np.random.default_rng(0).random((drawn, shape.dimension)))


def inside(condition: sympy.Basic, points: np.ndarray, coordinates: Sequence[str], values: Values) -> np.ndarray:
    """Mask (n,) of the points (n, d) where an inequality in the coordinates holds."""
    inputs = {symbol(name): points[:, index] for index, name in enumerate(coordinates)}
    (mask,) = Program([condition])({**values, **inputs})
    return np.broadcast_to(np.asarray(mask, dtype=bool), len(points))
