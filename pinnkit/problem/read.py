"""Reading a problem: from a mapping, as in a problem file, to the parts of a Problem."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import sympy

from pinnkit.domains.shape import Shape
from pinnkit.language.calculus import symbol
from pinnkit.language.errors import LanguageError, Report, suggestion
from pinnkit.language.grammar import Scope, expression
from pinnkit.language.known import Known
from pinnkit.problem.arguments import exact_by_coordinates
from pinnkit.problem.closed_forms import read_closed_form
from pinnkit.problem.conditions import read_conditions
from pinnkit.problem.conserved import read_conserved
from pinnkit.problem.coordinates import Coordinates
from pinnkit.problem.covering import check_equations_cover, check_parts, check_periodic_parts
from pinnkit.problem.data import named
from pinnkit.problem.declarations import (
    check_meanings,
    complex_names,
    names_of_fields,
    read_coordinates,
    read_fields,
    read_parameters,
)
from pinnkit.problem.definitions import known_values, read_definitions
from pinnkit.problem.equations import check_keys, read_equations
from pinnkit.problem.functions_of_parts import Parts, exact_in_parts
from pinnkit.problem.geometry import Places, check_used, read_places
from pinnkit.problem.integral_places import read_rims
from pinnkit.problem.known_columns import columns_of_tables
from pinnkit.problem.localise import localise_conditions, localise_equations
from pinnkit.problem.parts import Condition, Equation, Field, Parameter
from pinnkit.problem.periods import with_periods
from pinnkit.problem.ranges import read_ranges
from pinnkit.problem.shapes import BOUNDARY
from pinnkit.problem.split_texts import joined
from pinnkit.problem.table_functions import check_covered, read_tables
from pinnkit.problem.tables import Files, TableError
from pinnkit.problem.units import read_units

KEYS = (
    "name", "description", "coordinates", "fields", "parameters", "equations", "conditions", "exact", "reference",
    "periodic", "transform", "shapes", "domain", "define", "tables", "quadrature", "units", "conserve",
)  # fmt: skip

COMPUTED = ("spectral", "fem")
"""Values of `reference` that are no files."""

TEXT = 2000
"""Characters of a name or a description."""
HIGHEST = 9
"""The order of the derivatives of a table with a mistake: what its equations ask for is no second one."""
NODES = 200
"""Nodes along each coordinate of an integral at most."""
INVISIBLE = "\u00ad\u200b\u200e\u200f\u2060\ufeff"
"""Characters without a width, which are left out; those that join letters stay."""
BIDIRECTIONAL = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Characters that turn the direction of a text, so that it reads as another."""


def read(config: Mapping[str, Any], files: Files) -> dict[str, Any]:
    """The parts of the problem by the names of Problem's attributes.

    Raises:
        ProblemError: all mistakes together, each with the path of its key.
    """
    report = Report()
    config = joined(config, "", report)
    check_keys(report, "", config, KEYS)
    names, box = read_coordinates(config.get("coordinates"), config.get("parameters"), report)
    names, box, ranged = read_ranges(config.get("parameters"), names, box, report)
    axes = Coordinates.named(names, ranged, box.logarithmic)
    taken = list(names)
    fields = read_fields(config.get("fields"), config.get("transform") or {}, taken, report)
    count = len(taken)
    parameters = read_parameters(config.get("parameters") or {}, taken, report)
    declared = tuple(taken[count:])  # the parameters, those with a mistake of their own too
    known = {symbol(parameter.name): parameter.value for parameter in parameters if not parameter.learn}
    definitions = read_definitions(config.get("define") or {}, Scope(names, parameters=declared), known, taken, report)
    derived = {symbol(name): value for name, value in known_values(definitions, known).items()}
    count = len(taken)
    tables = read_tables(config.get("tables") or {}, names, files, taken, report)
    broken = {name: Known(name, names, HIGHEST) for name in taken[count:] if name not in tables}  # reported already
    complete = bool(names) and names == box.coordinates  # without a range no place can be checked
    places = Places(box, ())
    if complete:
        numbers, values = (*declared, *map(str, derived)), known | derived
        if _shapes_with_ranges(config, ranged, report):
            places = read_places({}, axes.space, box, numbers, values, taken, files, report)
            places = replace(places, broken=tuple(map(str, config["shapes"])))
        else:
            places = read_places(config, axes.space, box, numbers, values, taken, files, report)
    domain, regions = places.domain, MappingProxyType(places.regions)
    whole = not complete or check_parts(fields, places, report)
    parts = Parts.of_fields(fields, regions, domain)
    if complete:
        check_covered(tables, domain, report)
    scope = Scope(
        coordinates=names,
        fields=names_of_fields(fields),
        parameters=declared,
        ranges={**domain.bounds, **{one.name: (one.value, one.value) for one in parameters}},
        space=axes.space,
        complex=complex_names(fields),
        definitions=definitions,
        parts={unknown: tuple(ones) for unknown, ones in parts.of.items()},
        tables={name: one.atom for name, one in tables.items()} | broken,
        regions=("domain", *places.regions) if places.space else (),
        rims=(BOUNDARY, *places.shapes) if places.space else (),
    )
    check_meanings(scope, report)
    equations: tuple[Equation, ...] = ()
    conditions: tuple[Condition, ...] = ()
    conserved: tuple[Equation, ...] = ()
    exact: dict[str, sympy.Expr] = {}
    columns: Mapping[str, Known] = {}
    if names and fields and whole:  # without them every name below would be called unknown
        equations = read_equations(
            config.get("equations"), "equations", "equation", scope, report, regions=regions, outside=places.outside
        )
        if complete:
            equations = localise_equations(equations, parts, report)
            check_equations_cover(equations, fields, regions, domain, report)
        if complete:
            conditions = read_conditions(config.get("conditions") or {}, places, scope, known, files, report)
            conditions = localise_conditions(conditions, parts, names, known, report)
        if config.get("equations") is None and not _has_data(config.get("conditions")):
            report.add("equations", "are missing: they may be left out only where a condition has data")
        check_names_differ(equations, conditions, report)
        equations, conditions, columns = columns_of_tables(equations, conditions, tables, report)
        exact = read_exact(config.get("exact") or {}, scope, fields, parameters, report)
        exact = exact_in_parts(exact, parts, names, known)
        conserved = read_conserved(config.get("conserve") or {}, scope, axes.time, ranged, report)
    own = tuple(name for name in names if name not in ranged)
    periodic = read_periodic(config.get("periodic") or [], own, domain, report) if names else ()
    if whole:
        check_periodic_parts(periodic, fields, regions, domain, report)
    fields = with_periods(fields, conditions, domain)
    reference = config.get("reference")
    if reference is not None and not (isinstance(reference, str) and _is_reference(reference)):
        report.add("reference", f"'{reference}' is neither 'spectral', 'fem' nor a .npz or .csv file")
    elif reference not in (None, *COMPUTED):
        try:
            files.path(reference)
        except TableError as error:
            report.add("reference", str(error))
    quadrature = read_quadrature(config.get("quadrature"), report)
    rims = read_rims((*equations, *conserved), conditions, places, report)
    labelled = [*_labelled(taken, fields), *(one.name for one in conserved)]
    units = read_units(config.get("units") or {}, labelled, report)
    name, description = (read_text(config.get(key), key, report) for key in ("name", "description"))
    check_used(config, places, report)
    report.raise_if_any()
    return {
        "name": name or "problem",
        "description": description,
        "axes": axes,
        "domain": domain,
        "regions": regions,
        "rims": MappingProxyType(rims),
        "quadrature": quadrature,
        "fields": fields,
        "parameters": parameters,
        "definitions": definitions,
        "tables": tables,
        "columns": columns,
        "equations": equations,
        "conditions": conditions,
        "exact": MappingProxyType(exact),
        "reference": reference,
        "units": MappingProxyType(units),
        "conserve": MappingProxyType({one.name: one.text for one in conserved}),
        "periodic": periodic,
        "folder": files.folder,
        "config": config,
    }


def read_quadrature(config: Any, report: Report) -> int | None:
    """Nodes along each coordinate of an integral; None: by their number."""
    if config is not None and (not isinstance(config, int) or isinstance(config, bool) or not 2 <= config <= NODES):
        report.add("quadrature", f"{config!r} is no number of nodes: write a whole number from 2 to {NODES}")
        return None
    return config


def _shapes_with_ranges(config: Mapping[str, Any], ranged: Sequence[str], report: Report) -> bool:
    """Whether a shape's numbers hold a parameter with a range, which is reported."""
    found = sorted(set(named(config.get("shapes"))) & set(ranged))
    if found:
        message = f"hold {found[0]}, which has a range: the domain is one and the same for all its values"
        report.add("shapes", message)
    return bool(found)


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


def check_names_differ(equations: tuple[Equation, ...], conditions: tuple[Condition, ...], report: Report) -> None:
    """Check that no two terms or point sets have one name in weights, logs and metrics, nor that of the objective."""
    names = [equation.name for equation in equations]
    for twice in sorted({name for name in names if names.count(name) > 1}):
        report.add("equations", f"two are called {twice}, which may be a part of a complex equation: rename one")
    for equation in equations:
        if equation.name == "objective":
            report.add("equations.objective", "the name 'objective' is taken: it is the weighted sum of all terms")
    seen: set[str] = {"equations", "objective"} | {equation.name for equation in equations}
    for condition in conditions:
        own = {condition.name} | {equation.name for equation in condition.equations}
        for name in sorted(own & seen):
            report.add(
                f"conditions.{condition.name}", f"the name '{name}' is taken: give each equation and condition its own"
            )
        seen |= own


def read_exact(
    config: Any, scope: Scope, fields: tuple[Field, ...], parameters: tuple[Parameter, ...], report: Report
) -> dict[str, sympy.Expr]:
    if not isinstance(config, Mapping):
        report.add("exact", f"{config!r} is not a mapping: write {{u: sin(pi*x)}}")
        return {}
    learned = [parameter.name for parameter in parameters if parameter.learn]
    names = list(dict.fromkeys(field.unknown for field in fields)) + learned
    exact: dict[str, Any] = {}
    plain = replace(scope, fields={}, ranges={}, tables={})
    for name, text in config.items():
        with report.at(f"exact.{name}"):
            if name not in names:
                raise LanguageError(f"there is no field or learned parameter '{name}'{suggestion(str(name), names)}")
            if name not in learned:
                allowed = replace(plain, fields=_arguments(name, fields))
                exact |= read_closed_form(text, name, fields, allowed)
                continue
            exact[name] = expression(text, plain)
            varying = {str(symbol) for symbol in exact[name].free_symbols}
            if open_ones := varying & set(learned):
                rule = "the value of a learned parameter is a number"
                raise LanguageError(f"depends on {min(open_ones)}, which is learned: {rule}", str(text))
            if others := varying & set(scope.coordinates):
                raise LanguageError(f"depends on {', '.join(sorted(others))}, but {name} does not", str(text))
    return exact_by_coordinates(exact, report)


def _arguments(unknown: str, fields: tuple[Field, ...]) -> dict[str, tuple[str, ...]]:
    """The fields of which an unknown is a function: its exact solution may be written in them."""
    known = {name for one in fields if one.unknown == unknown for name in one.arguments}
    return {one.name: one.coordinates for one in fields if one.name in known}


def read_periodic(config: Any, coordinates: tuple[str, ...], domain: Shape, report: Report) -> tuple[str, ...]:
    names = [config] if isinstance(config, str) else config
    if not isinstance(names, Sequence):
        report.add("periodic", f"{config!r} is not a list of coordinates: write [x]")
        return ()
    for name in names:
        if name not in coordinates:
            report.add("periodic", f"there is no coordinate '{name}'{suggestion(str(name), coordinates)}")
        elif name in domain.coordinates and not domain.spans(name):
            report.add("periodic", f"{name} has no two opposite ends in the domain: {domain.description}")
    return tuple(name for name in coordinates if name in names)


def _labelled(taken: Sequence[str], fields: tuple[Field, ...]) -> list[str]:
    """The names that may have a unit: of fields those in the problem, not those of their parts."""
    components = {one.name for one in fields if one.name != one.unknown}
    unknowns = [one.unknown for one in fields]
    return list(dict.fromkeys([*(name for name in taken if name not in components), *unknowns]))


def _has_data(conditions: Any) -> bool:
    """Whether a condition names data, readable or not: a missing file is reported by its own key."""
    parts = conditions.values() if isinstance(conditions, Mapping) else ()
    return any(isinstance(part, Mapping) and "data" in part for part in parts)


def _is_reference(text: str) -> bool:
    return text in COMPUTED or Path(text).suffix in (".npz", ".csv")
