"""Reading the shapes of a problem, and the domain that they make."""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import sympy

from pinnkit.domains.box import Box
from pinnkit.domains.product import Product
from pinnkit.domains.registry import SHAPES
from pinnkit.domains.shape import Shape, ShapeError
from pinnkit.language.errors import LanguageError, Report, suggestion
from pinnkit.language.evaluate import Program
from pinnkit.language.grammar import Scope, check_name, expression
from pinnkit.problem.equations import check_keys

BOX = "box"
"""The name of the box of the coordinates' ranges."""
BOUNDARY = "boundary"
"""The name of all that bounds the domain."""
RESERVED = (BOX, BOUNDARY, "domain")
ROUNDING = 1e-12
"""How far a shape may pass the end of a coordinate's range, relative to its size."""

Values = Mapping[sympy.Symbol, float]


def read_domain(
    config: Mapping[str, Any],
    space: tuple[str, ...],
    box: Box,
    parameters: tuple[str, ...],
    values: Values,
    taken: Iterable[str],
    report: Report,
) -> tuple[str, Shape]:
    """The name and the shape of the domain: the box, or one of `shapes` times the ranges of the other coordinates.

    Args:
        config: the problem, of which `shapes` and `domain` are read.
        parameters, values: the names of all parameters, and the values of those that are known before training.
        taken: the names that mean something else.
    """
    described = config.get("shapes") or {}
    if not isinstance(described, Mapping):
        report.add("shapes", f"{described!r} is not a mapping: write {{part: {{disk: {{center: [0, 0], radius: 1}}}}}}")
        described = {}
    shapes = _read_shapes(described, space, parameters, values, taken, report)
    former = len(report.mistakes)
    chosen, domain = _choose(config.get("domain"), shapes, list(map(str, described)), box, report)
    for name in shapes:
        if name != chosen and len(report.mistakes) == former:  # else domain may mean it
            report.add(f"shapes.{name}", f"is used nowhere: write domain: {name}, or leave it out")
    return chosen, domain


def _read_shapes(
    config: Mapping[Any, Any],
    space: tuple[str, ...],
    parameters: tuple[str, ...],
    values: Values,
    taken: Iterable[str],
    report: Report,
) -> dict[str, Shape]:
    """The shapes without a mistake by name, each in all space coordinates."""
    shapes: dict[str, Shape] = {}
    for name, description in config.items():
        key = f"shapes.{name}"
        with report.at(key):
            check_name(name, taken)
            if name in RESERVED:
                raise LanguageError(f"'{name}' has a meaning of its own: give the shape another name")
            if not isinstance(description, Mapping) or len(description) != 1:
                raise LanguageError(f"{description!r} is no shape: write {{disk: {{center: [0, 0], radius: 1}}}}")
            ((kind, settings),) = description.items()
            if kind not in SHAPES:
                raise LanguageError(SHAPES.unknown(kind, suggestion(str(kind), SHAPES)))
            shape = _read_shape(str(kind), settings, f"{key}.{kind}", space, parameters, values, report)
            if shape is not None:
                shapes[name] = shape
    return shapes


def _choose(
    config: Any, shapes: Mapping[str, Shape], declared: Sequence[str], box: Box, report: Report
) -> tuple[str, Shape]:
    """The shape that `domain` names; `declared`: the names of all shapes, those with mistakes too."""
    name = BOX if config is None else config
    with report.at("domain"):
        known = (*declared, BOX)
        if not isinstance(name, str):
            raise LanguageError(f"{name!r} is no name of a shape: write one of {', '.join(known)}")
        name = name.strip()
        if name not in known:
            if any(sign in name for sign in "+-&()"):
                rule = "a domain is a single shape: several cannot be joined, cut or intersected here"
                raise LanguageError(f"{rule}; write one of {', '.join(known)}", name)
            raise LanguageError(f"there is no shape '{name}'{suggestion(name, known)}")
        if name in shapes:
            return name, _in_ranges(name, shapes[name], box)
    return str(name), box


def _in_ranges(name: str, shape: Shape, box: Box) -> Shape:
    for coordinate, (lower, upper) in shape.bounds.items():
        least, most = box.bounds[coordinate]
        slack = ROUNDING * (upper - lower)
        if lower < least - slack or upper > most + slack:
            raise LanguageError(
                f"the shape '{name}' reaches from {coordinate} = {lower:g} to {upper:g}, beyond the range "
                f"[{least:g}, {most:g}] of {coordinate}: give {coordinate} a wider range, or make the shape smaller"
            )
    others = [one for one in box.coordinates if one not in shape.coordinates]
    if not others:
        return shape
    return Product((shape, box.only(others)), box.coordinates)


def _read_shape(
    kind: str,
    settings: Any,
    key: str,
    space: tuple[str, ...],
    parameters: tuple[str, ...],
    values: Values,
    report: Report,
) -> Shape | None:
    """The shape, None where it has a mistake: its settings are the fields of its class, but for the coordinates."""
    types = typing.get_type_hints(SHAPES[kind])
    fields = [field for field in dataclasses.fields(SHAPES[kind]) if field.name != "names"]
    if not isinstance(settings, Mapping):
        example = ", ".join(f"{field.name}: {_written(SHAPES[kind].example[field.name])}" for field in fields)
        report.add(key, f"{settings!r} is not a mapping of settings: write {{{kind}: {{{example}}}}}")
        return None
    former = len(report.mistakes)
    check_keys(report, key, settings, [field.name for field in fields])
    read: dict[str, Any] = {}
    for field in fields:
        if field.name in settings:
            with report.at(f"{key}.{field.name}"):
                read[field.name] = _setting(settings[field.name], types[field.name], parameters, values)
        elif field.default is dataclasses.MISSING:
            report.add(f"{key}.{field.name}", "is missing")
    if len(report.mistakes) > former:
        return None
    try:
        shape = SHAPES[kind](names=space, **read)
    except ShapeError as error:
        report.add(f"{key}.{error.setting}" if error.setting else key, str(error))
        return None
    for part in shape.boundary(space):
        part.project(part.sample(np.full((1, part.dimension), 0.5)))  # raises where the class is not complete
    return shape


def _written(value: Any) -> str:
    return f"[{', '.join(map(_written, value))}]" if isinstance(value, tuple) else f"{value:g}"


def _setting(config: Any, kind: Any, parameters: tuple[str, ...], values: Values) -> Any:
    """A number, or a tuple of numbers, by the type of the field."""
    if kind is float:
        return number(config, Scope((), parameters=parameters), values)
    if isinstance(config, str) or not isinstance(config, Sequence):
        raise LanguageError(f"{config!r} is not a list of numbers: write [0, 0]")
    return tuple(number(one, Scope((), parameters=parameters), values) for one in config)


def number(config: Any, scope: Scope, values: Values) -> float:
    """The finite number that a text with parameters writes.

    Raises:
        LanguageError: also where it holds a parameter that is learned.
    """
    program = Program([expression(config, scope)])
    check_known(program, values, str(config))
    value = float(program(values)[0])
    if not math.isfinite(value):
        raise LanguageError(f"is {value}, not a finite number", str(config))
    return value


def check_known(program: Program, values: Values, text: str) -> None:
    """Raise LanguageError where an expression of parameters holds one without a value before training."""
    unknown = [str(atom) for atom in program.atoms if atom not in values]
    if unknown:
        raise LanguageError(f"{', '.join(unknown)} is learned, so it cannot say where a condition holds", text)
