"""Reading what a problem declares: coordinates, fields and parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from pinnkit.domains.box import Box
from pinnkit.language.errors import LanguageError, Report, suggestion
from pinnkit.language.grammar import Scope, check_name, constant, meaning
from pinnkit.problem.equations import check_keys
from pinnkit.problem.parts import TRANSFORMS, Field, Parameter

NARROW, LARGE = 1e-9, 1e30
"""The least length of a range, relative to its ends; the largest length, and one over the least."""


def read_coordinates(config: Any, report: Report) -> tuple[tuple[str, ...], Box]:
    """The names of the coordinates, and the box of those whose range has no mistake."""
    names: list[str] = []
    bounds: dict[str, tuple[float, float]] = {}
    if not isinstance(config, Mapping) or not config:
        report.add("coordinates", f"{_what(config)}: write {{x: [-1, 1], t: [0, 1]}}, a name and its range")
        return (), Box({})
    for name, ends in config.items():
        with report.at(f"coordinates.{name}"):
            check_name(name, names)
            names.append(name)
            if not isinstance(ends, Sequence) or isinstance(ends, str) or len(ends) != 2:
                raise LanguageError(f"{ends!r} is not a range: write [lower, upper]")
            lower, upper = (constant(end) for end in ends)
            if lower >= upper:
                raise LanguageError(f"the range [{lower:g}, {upper:g}] is empty: the lower end comes first")
            if not (upper - lower > NARROW * max(abs(lower), abs(upper)) and 1 / LARGE < upper - lower < LARGE):
                raise LanguageError(
                    f"the range [{lower!r}, {upper!r}] is too narrow or too wide for derivatives in floating point: "
                    "choose other units, or another origin"
                )
            bounds[name] = (lower, upper)
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
            parts: tuple[str, ...] = ()
            if isinstance(depends, Mapping):
                check_keys(report, f"fields.{name}", depends, ("parts", "coordinates"))
                parts = _read_parts(name, depends.get("parts"))
                fields[-1:] = [
                    Field(f"{name}.{part}", coordinates, transforms.get(name), unknown=name, part=part)
                    for part in parts
                ]
                depends = depends.get("coordinates", coordinates)
            if not isinstance(depends, Sequence) or isinstance(depends, str) or (coordinates and not depends):
                raise LanguageError(f"{depends!r} is not a list of coordinates: write {name}: [x, t]")
            for coordinate in depends:
                if coordinate not in coordinates:
                    raise LanguageError(
                        f"there is no coordinate '{coordinate}'{suggestion(str(coordinate), coordinates)}"
                    )
            ordered = tuple(coordinate for coordinate in coordinates if coordinate in depends)
            count = len(parts) or 1
            fields[-count:] = [replace(one, coordinates=ordered) for one in fields[-count:]]
    return tuple(fields)


def _read_parts(name: str, config: Any) -> tuple[str, ...]:
    """The names of the shapes in each of which a field has a function of its own."""
    names = [config] if isinstance(config, str) else config
    if not isinstance(names, Sequence) or not names or not all(isinstance(one, str) for one in names):
        raise LanguageError(f"{config!r} is not a list of shapes: write {name}: {{parts: [left, right]}}")
    if twice := next((one for one in names if names.count(one) > 1), None):
        raise LanguageError(f"names the part '{twice}' twice")
    return tuple(names)


def read_parameters(config: Any, taken: list[str], report: Report) -> tuple[Parameter, ...]:
    if not isinstance(config, Mapping):
        report.add("parameters", f"{config!r} is not a mapping: write {{alpha: 0.1}}")
        return ()
    parameters = []
    for name, value in config.items():
        key = f"parameters.{name}"
        with report.at(key):
            check_name(name, taken)
            taken.append(name)
            if not isinstance(value, Mapping):
                parameters.append(Parameter(name, constant(value)))
                continue
            check_keys(report, key, value, ("learn", "positive"))
            positive = value.get("positive", False)
            if "learn" not in value or not isinstance(positive, bool):
                raise LanguageError("write a number, or {learn: 0.5, positive: true} for a parameter to be found")
            start = constant(value["learn"])
            if positive and start <= 0:
                raise LanguageError(f"starts at {start:g}, but a positive parameter starts above zero")
            parameters.append(Parameter(name, start, learn=True, positive=positive))
    return tuple(parameters)


def check_meanings(scope: Scope, report: Report) -> None:
    """Names that would hide a derivative or a normal, or that the arrays of a solution have: u_reference is u's."""
    for key, names in (("coordinates", scope.coordinates), ("fields", scope.fields), ("parameters", scope.parameters)):
        for name in names:
            with report.at(f"{key}.{name}"):
                if what := meaning(name, scope):
                    raise LanguageError(f"'{name}' is {what} and cannot be a name; write {name.replace('_', '')}")
                field = name.removesuffix("_reference")
                if key != "parameters" and field != name and field in scope.fields:
                    raise LanguageError(f"'{name}' is what a solution's file calls the reference of {field}: rename it")


def _what(config: Any) -> str:
    return f"{config!r} is no mapping or list" if config else "are missing"
