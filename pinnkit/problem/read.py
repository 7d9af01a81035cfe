"""From a mapping of words, as in a problem file, to the parts of a Problem."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import sympy

from pinnkit.domains.box import Box
from pinnkit.language.calculus import symbol
from pinnkit.language.errors import LanguageError, Report, suggestion
from pinnkit.language.grammar import Scope, check_name, constant, expression, meaning
from pinnkit.problem.conditions import read_conditions
from pinnkit.problem.coordinates import Coordinates
from pinnkit.problem.equations import check_keys, read_equations
from pinnkit.problem.parts import TRANSFORMS, Condition, Equation, Field, Parameter
from pinnkit.problem.tables import Files, TableError

KEYS = (
    "name", "description", "coordinates", "fields", "parameters", "equations", "conditions", "exact", "reference",
    "periodic", "transform",
)  # fmt: skip


NARROW, LARGE = 1e-9, 1e30
"""The least length of a range, relative to its ends; the largest length, and one over the least."""
TEXT = 2000
"""Characters of a name or a description."""
INVISIBLE = "\u00ad\u200b\u200e\u200f\u2060\ufeff"
"""Characters without a width, which are left out; those that join letters stay."""
BIDIRECTIONAL = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Characters that turn the direction of a text, so that it reads as another."""


def read(config: Mapping[str, Any], files: Files) -> dict[str, Any]:
    """The parts of the problem that the words describe, by the names of Problem's attributes.

    Raises:
        ProblemError: all mistakes together, each with the path of its key.
    """
    report = Report()
    check_keys(report, "", config, KEYS)
    names, domain = read_coordinates(config.get("coordinates"), report)
    axes = Coordinates.named(names)
    taken = list(names)
    fields = read_fields(config.get("fields"), config.get("transform") or {}, taken, report)
    parameters = read_parameters(config.get("parameters") or {}, taken, report)
    scope = Scope(
        coordinates=names,
        fields={field.name: field.coordinates for field in fields},
        parameters=tuple(taken[len(names) + len(fields) :]),  # those with a mistake of their own too
        ranges={**domain.bounds, **{one.name: (one.value, one.value) for one in parameters}},
        space=axes.space,
    )
    check_meanings(scope, report)
    equations: tuple[Equation, ...] = ()
    conditions: tuple[Condition, ...] = ()
    exact: dict[str, sympy.Expr] = {}
    if names and fields:  # without them every name below would be called unknown
        equations = read_equations(config.get("equations"), "equations", "equation", scope, report)
        if names == domain.coordinates:  # without a range no place could be told from a wrong one
            known = {symbol(parameter.name): parameter.value for parameter in parameters if not parameter.learn}
            conditions = read_conditions(config.get("conditions") or {}, domain, scope, known, files, report)
        if config.get("equations") is None and not _has_data(config.get("conditions")):
            report.add("equations", "are missing: they may be left out only where a condition has data")
        check_names_differ(equations, conditions, report)
        exact = read_exact(config.get("exact") or {}, scope, fields, parameters, report)
    periodic = read_periodic(config.get("periodic") or [], names, report) if names else ()
    reference = config.get("reference")
    if reference is not None and not (isinstance(reference, str) and _is_reference(reference)):
        report.add("reference", f"'{reference}' is neither 'spectral' nor a .npz or .csv file")
    elif reference not in (None, "spectral"):
        try:
            files.path(reference)
        except TableError as error:
            report.add("reference", str(error))
    name, description = (read_text(config.get(key), key, report) for key in ("name", "description"))
    report.raise_if_any()
    return {
        "name": name or "problem",
        "description": description,
        "axes": axes,
        "domain": domain,
        "fields": fields,
        "parameters": parameters,
        "equations": equations,
        "conditions": conditions,
        "exact": MappingProxyType(exact),
        "reference": reference,
        "periodic": periodic,
        "folder": files.folder,
        "config": config,
    }


def read_text(config: Any, key: str, report: Report) -> str:
    """A text that is printed and drawn, its lines joined."""
    if config is None:
        return ""
    if not isinstance(config, str):
        report.add(key, f"{config!r} is not a text")
        return ""
    text = " ".join(config.split())
    text = "".join(one for one in text if one not in INVISIBLE)
    if len(text) > TEXT:
        report.add(key, f"has {len(text)} characters; the most is {TEXT}")
    if steering := next((one for one in text if unicodedata.category(one) in ("Cc", "Cs") or one in BIDIRECTIONAL), ""):
        report.add(key, f"holds the control character {steering!a}: leave it out")
    return text


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
            if not isinstance(depends, Sequence) or isinstance(depends, str) or (coordinates and not depends):
                raise LanguageError(f"{depends!r} is not a list of coordinates: write {name}: [x, t]")
            for coordinate in depends:
                if coordinate not in coordinates:
                    raise LanguageError(
                        f"there is no coordinate '{coordinate}'{suggestion(str(coordinate), coordinates)}"
                    )
            ordered = tuple(coordinate for coordinate in coordinates if coordinate in depends)
            fields[-1] = replace(fields[-1], coordinates=ordered)
    return tuple(fields)


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


def check_names_differ(equations: tuple[Equation, ...], conditions: tuple[Condition, ...], report: Report) -> None:
    """Terms and point sets are told apart by name in weights, logs and metrics, and from the objective, their sum."""
    for equation in equations:
        if equation.name == "objective":
            report.add("equations.objective", "the name 'objective' is taken: it is the weighted sum of all terms")
    seen = {"equations", "objective"} | {equation.name for equation in equations}
    for condition in conditions:
        names = {condition.name} | {equation.name for equation in condition.equations}
        for name in sorted(names & seen):
            report.add(
                f"conditions.{condition.name}", f"the name '{name}' is taken: give each equation and condition its own"
            )
        seen |= names


def read_exact(
    config: Any, scope: Scope, fields: tuple[Field, ...], parameters: tuple[Parameter, ...], report: Report
) -> dict[str, sympy.Expr]:
    if not isinstance(config, Mapping):
        report.add("exact", f"{config!r} is not a mapping: write {{u: sin(pi*x)}}")
        return {}
    learned = [parameter.name for parameter in parameters if parameter.learn]
    names = [field.name for field in fields] + learned
    exact = {}
    plain = Scope(scope.coordinates, parameters=scope.parameters, space=scope.space)
    for name, text in config.items():
        with report.at(f"exact.{name}"):
            if name not in names:
                raise LanguageError(f"there is no field or learned parameter '{name}'{suggestion(str(name), names)}")
            exact[name] = expression(text, plain)
            open_ones = {str(one) for one in exact[name].free_symbols} & set(learned)
            if name in learned and open_ones:
                rule = "the value of a learned parameter is a number"
                raise LanguageError(f"depends on {min(open_ones)}, which is learned: {rule}", str(text))
            depends = next((field.coordinates for field in fields if field.name == name), ())
            others = {str(symbol) for symbol in exact[name].free_symbols} & set(scope.coordinates) - set(depends)
            if others:
                raise LanguageError(f"depends on {', '.join(sorted(others))}, but {name} does not", str(text))
    return exact


def read_periodic(config: Any, coordinates: tuple[str, ...], report: Report) -> tuple[str, ...]:
    names = [config] if isinstance(config, str) else config
    if not isinstance(names, Sequence):
        report.add("periodic", f"{config!r} is not a list of coordinates: write [x]")
        return ()
    for name in names:
        if name not in coordinates:
            report.add("periodic", f"there is no coordinate '{name}'{suggestion(str(name), coordinates)}")
    return tuple(name for name in coordinates if name in names)


def _what(config: Any) -> str:
    return f"{config!r} is no mapping or list" if config else "are missing"


def _has_data(conditions: Any) -> bool:
    """Whether a condition names data, readable or not: a missing file is told by its own key."""
    parts = conditions.values() if isinstance(conditions, Mapping) else ()
    return any(isinstance(part, Mapping) and "data" in part for part in parts)


def _is_reference(text: str) -> bool:
    return text == "spectral" or Path(text).suffix in (".npz", ".csv")
