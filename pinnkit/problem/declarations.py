"""Reading what a problem declares: coordinates, fields and parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from pinnkit.domains.box import Box
from pinnkit.language.errors import SHOWN, LanguageError, Report, suggestion
from pinnkit.language.grammar import Scope, check_name, constant, meaning
from pinnkit.problem.arguments import resolve_arguments
from pinnkit.problem.bounds import BOUNDS, NO_BOUNDS, read_bounds
from pinnkit.problem.equations import check_keys
from pinnkit.problem.field_options import read_options
from pinnkit.problem.intervals import read_range
from pinnkit.problem.parts import TRANSFORMS, Field, Parameter
from pinnkit.problem.values import plain_parameters


def read_coordinates(config: Any, parameters: Any, report: Report) -> tuple[tuple[str, ...], Box]:
    """The names of the coordinates, and the box of those whose range has no mistake.

    Args:
        parameters: those of the problem as configured: ranges may hold the ones that are plain numbers.
    """
    names: list[str] = []
    bounds: dict[str, tuple[float, float]] = {}
    if not isinstance(config, Mapping) or not config:
        report.add("coordinates", f"{_what(config)}: write {{x: [-1, 1], t: [0, 1]}}, a name and its range")
        return (), Box({})
    known = plain_parameters(parameters)
    declared = tuple(parameters) if isinstance(parameters, Mapping) else ()
    for name, ends in config.items():
        with report.at(f"coordinates.{name}"):
            check_name(name, names)
            names.append(name)
            bounds[name] = read_range(ends, declared, known)
    return tuple(names), Box(MappingProxyType(bounds))


def read_fields(config: Any, transforms: Any, taken: list[str], report: Report) -> tuple[Field, ...]:
    """The fields; one with a mistake in what it depends on is taken to depend on all coordinates."""
    coordinates = tuple(taken)
    if not isinstance(config, Mapping | Sequence) or isinstance(config, str) or not config:
        report.add("fields", f"{_what(config)}: write [u, v], or {{u: [x, t], k: [x]}} where k depends on x alone")
        return ()
    pairs = list(config.items()) if isinstance(config, Mapping) else [(name, coordinates) for name in config]
    names = [name for name, _ in pairs if isinstance(name, str)]
    if not isinstance(transforms, Mapping):
        report.add("transform", f"{transforms!r} is not a mapping: write {{u: softplus}}")
        transforms = {}
    for name, transform in transforms.items():
        if name not in names:
            report.add(f"transform.{name}", f"there is no field '{name}'{suggestion(str(name), names)}")
        if transform not in TRANSFORMS:
            report.add(f"transform.{name}", f"unknown transform '{transform}'{suggestion(str(transform), TRANSFORMS)}")
    fields = []
    for name, depends in pairs:
        with report.at(f"fields.{name}"):
            check_name(name, taken)
            taken.append(name)
            fields.append(Field(name, coordinates, transforms.get(name)))
            options = read_options(depends, name, coordinates, report, names)
            field = replace(
                fields.pop(),
                coordinates=options.coordinates,
                arguments=options.arguments,
                own=options.coordinates if options.arguments else (),
                spans=options.spans,
                bounds=options.bounds,
            )
            fields += _components(field, names, report) if options.is_complex else _in_parts(field, options.parts)
            if options.bounds and name in transforms:
                raise LanguageError(f"is kept {options.bounds.description} and has a transform: leave one of them out")
    return resolve_arguments(fields, coordinates, report)


def _components(field: Field, names: Sequence[str], report: Report) -> list[Field]:
    """The real functions of which a complex field is made; `names` are those of all fields."""
    parts = [f"{field.name}_{part}" for part in ("re", "im")]
    for part in set(parts) & set(names):
        report.add(f"fields.{part}", f"'{part}' is a part of the complex field {field.name}: rename one of them")
    if field.transform is not None:
        message = f"{field.name} is complex: only a real field has a transform"
        report.add(f"transform.{field.name}", message)
    if field.bounds:
        report.add(f"fields.{field.name}", "is complex: only a real field has bounds")
    return [replace(field, name=part, transform=None, bounds=NO_BOUNDS, component=part[-2:]) for part in parts]


def _in_parts(field: Field, parts: Sequence[str]) -> list[Field]:
    """The functions of which a field with parts is made, u.left and u.right; the field itself where it has none."""
    return [replace(field, name=f"{field.name}.{part}", part=part) for part in parts] or [field]


def names_of_fields(fields: Sequence[Field]) -> dict[str, tuple[str, ...]]:
    """What equations may call a field -> its coordinates: a complex field h as such, and its parts h_re and h_im."""
    return {name: one.coordinates for one in fields for name in (one.unknown, one.name)}


def complex_names(fields: Sequence[Field]) -> dict[str, tuple[str, str]]:
    """Complex field -> the names of its real and its imaginary part."""
    return {one.unknown: (f"{one.unknown}_re", f"{one.unknown}_im") for one in fields if one.component}


def read_parameters(config: Any, taken: list[str], report: Report) -> tuple[Parameter, ...]:
    """The parameters that are numbers: those with a range are coordinates, see `read_ranges`."""
    if not isinstance(config, Mapping):
        report.add("parameters", f"{config!r} is not a mapping: write {{alpha: 0.1}}")
        return ()
    parameters = []
    for name, value in config.items():
        key = f"parameters.{name}"
        if has_range(value):
            continue
        with report.at(key):
            check_name(name, taken)
            taken.append(name)
            if not isinstance(value, Mapping):
                parameters.append(Parameter(name, _plain(name, value, config)))
                continue
            check_keys(report, key, value, ("learn", *BOUNDS))
            if "learn" not in value:
                raise LanguageError(
                    "write a number, or {learn: 0.5, positive: true} for a parameter to be found, or "
                    "{range: [0.1, 1]} for an input of the network"
                )
            start, bounds = constant(value["learn"]), read_bounds(value)
            if start not in bounds:
                where = "above zero" if bounds.description == "positive" else bounds.description
                kind = "positive" if where == "above zero" else "bounded"
                raise LanguageError(f"starts at {start:g}, but a {kind} parameter starts {where}")
            parameters.append(Parameter(name, start, learn=True, bounds=bounds))
    return tuple(parameters)


def _plain(name: str, value: Any, others: Mapping[str, Any]) -> float:
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2:
        a, b = (f"{one:g}" if isinstance(one, int | float) else str(one)[:SHOWN] for one in value)
        rule = "as an input of the network it is {range: "
        raise LanguageError(f"{list(value)!r:.60} is no number; {rule}[{a}, {b}]}}, and to be found between them it is "
                            f"{{learn: START, min: {a}, max: {b}}}")  # fmt: skip
    try:
        return constant(value)
    except LanguageError as error:
        if found := [other for other in others if error.message.startswith(f"unknown name '{other}'")]:
            message = f"holds the parameter {found[0]}, and is to be a number: write define: {{{name}: {value}}}"
            raise LanguageError(message) from None
        if unit := re.fullmatch(r"\s*[-+]?[\d.]+(?:[eE][-+]?\d+)?\s+([A-Za-z%°]\S*(?: \S+)*)\s*", str(value)):
            message = f"is to be a number alone; its unit stands under units: {{{name}: {unit[1]}}}"
            raise LanguageError(message, error.text, error.position) from None
        raise


def has_range(parameter: Any) -> bool:
    """Whether a parameter, as configured, is an input of the network."""
    return isinstance(parameter, Mapping) and "range" in parameter


def check_meanings(scope: Scope, report: Report) -> None:
    """Names that would hide a derivative or a normal, or that the arrays of a solution have: u_reference is u's."""
    parts = {part: name for name, both in scope.complex.items() for part in both}
    for part, name in parts.items():
        called = f"'{part}', a part of the complex field {name},"
        if part in (*scope.coordinates, *scope.parameters, *scope.definitions):
            report.add(
                f"fields.{name}", f"{called} has the name of something else that is declared: rename one of them"
            )
        elif what := meaning(part, scope):
            report.add(f"fields.{name}", f"{called} is also {what}: rename {name} or the coordinates")
    declared = {"coordinates": scope.coordinates, "fields": scope.fields, "parameters": scope.parameters}
    for key, names in (declared | {"define": scope.definitions, "tables": scope.tables}).items():
        for name in filter(lambda one: one not in parts, names):
            with report.at(f"{key}.{name}"):
                if what := meaning(name, scope):
                    raise LanguageError(f"'{name}' is {what} and cannot be a name; write {name.replace('_', '')}")
                field = name.removesuffix("_reference")
                if key in ("coordinates", "fields") and field != name and field in scope.fields:
                    raise LanguageError(f"'{name}' is what a solution's file calls the reference of {field}: rename it")


def _what(config: Any) -> str:
    return f"{config!r} is no mapping or list" if config else "are missing"
