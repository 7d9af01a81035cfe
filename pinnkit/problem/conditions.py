"""Reading the conditions of a problem: where they hold, and the data that they use."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import sympy

from pinnkit.domains.box import Box
from pinnkit.language.calculus import field, symbol
from pinnkit.language.errors import LanguageError, Report, nearest, suggestion
from pinnkit.language.evaluate import Program
from pinnkit.language.grammar import CONSTANTS, FUNCTIONS, Scope, assignment, constant, inequality, meaning
from pinnkit.problem.equations import check_keys, is_label, read_equations, read_weight
from pinnkit.problem.parts import Condition, Equation
from pinnkit.problem.tables import Files, TableError, flatten, given, load

KEYS = ("at", "equations", "where", "weight", "data")


def read_conditions(
    config: Any, domain: Box, scope: Scope, values: Mapping[sympy.Symbol, float], files: Files, report: Report
) -> tuple[Condition, ...]:
    """The conditions by name; `values` are those of the parameters that are not learned."""
    if not isinstance(config, Mapping):
        report.add("conditions", f"{config!r} is not a mapping: write {{start: {{at: t = 0, equations: u = 1}}}}")
        return ()
    conditions = []
    for name, condition in config.items():
        key = f"conditions.{name}"
        if not isinstance(condition, Mapping):
            report.add(key, f"{condition!r} is not a mapping: write {{at: t = 0, equations: u = 1}}")
            continue
        if not is_label(str(name)):
            report.add(key, f"'{name}' cannot name a condition: use letters, digits, _ and -")
            continue
        check_keys(report, key, condition, KEYS)
        conditions.append(_read_condition(str(name), key, condition, domain, scope, values, files, report))
    return tuple(conditions)


def _read_condition(
    name: str,
    key: str,
    config: Mapping[str, Any],
    domain: Box,
    scope: Scope,
    values: Mapping[sympy.Symbol, float],
    files: Files,
    report: Report,
) -> Condition:
    data: Mapping[str, np.ndarray] = {}
    places: tuple[Box, ...] = ()
    where = None
    weight: sympy.Expr = sympy.S.One
    if "data" in config:
        with report.at(f"{key}.data"):
            named = list(_named([config.get("equations"), config.get("weight")]))
            data = _read_data(config["data"], domain, scope, files, named)
        if not data:  # the columns are unknown, so are the names in the equations
            return Condition(name, ())
        if "at" in config or "where" in config:
            report.add(key, "has data: its rows say where it holds, so leave out 'at' and 'where'")
    elif "at" not in config:
        if all(word in KEYS for word in config):  # else the unknown key, told already, is it misspelt
            report.add(key, "says neither 'at' nor 'data': write at: t = 0, or at: boundary")
    else:
        with report.at(f"{key}.at"):
            places = tuple(_places(config["at"], domain, scope, values))
    columns = tuple(column for column in data if column not in domain.coordinates)
    boundary = bool(places) and all(place.normal for place in places)
    inner = replace(scope, columns=columns, boundary=boundary)
    if "where" in config and places:
        with report.at(f"{key}.where"):
            where, places = _read_where(config["where"], places, scope, values)
    if "weight" in config:
        with report.at(f"{key}.weight"):
            weight = read_weight(config["weight"], inner)
    equations = read_equations(config.get("equations"), f"{key}.equations", name, inner, report, f"{name}_", weight)
    if config.get("equations") is None:
        equations = _fit(name, data, scope, weight)
        if not equations:
            report.add(f"{key}.equations", "are missing: write u = 0, or give data with a column for a field")
    return Condition(name, equations, places, where, data, str(config.get("data", "")))


def _places(at: Any, domain: Box, scope: Scope, values: Mapping[sympy.Symbol, float]) -> Iterator[Box]:
    """The boxes that `at` names: a face `t = 0`, `boundary`, a mapping of coordinates, or a list of these."""
    if isinstance(at, Mapping) and at:
        for name in at:
            if name not in domain.coordinates:
                raise LanguageError(f"there is no coordinate '{name}'{suggestion(str(name), domain.coordinates)}")
        with _mistake_in():
            fixed = {name: _snapped(constant(value), domain.bounds[name]) for name, value in at.items()}
            yield _face(domain, scope, fixed) or domain.at(**fixed)
    elif isinstance(at, str) and at.strip() == "boundary":
        if not scope.space:
            raise LanguageError("a problem in t alone has no boundary: write at: t = 0")
        yield from domain.faces(scope.space)
    elif isinstance(at, str) and nearest(at.strip(), ["boundary"]):
        raise LanguageError(f"unknown place '{at}'; did you mean 'boundary'?")
    elif isinstance(at, str):
        name, position = assignment(at, scope)
        program = Program([position])
        unknown = [str(atom) for atom in program.atoms if atom not in values]
        if unknown:
            raise LanguageError(f"{', '.join(unknown)} is learned, so it cannot say where a condition holds", at)
        value = _snapped(float(program(values)[0]), domain.bounds[name])
        with _mistake_in(at):
            yield _face(domain, scope, {name: value}) or domain.at(**{name: value})
    elif isinstance(at, Sequence) and at:
        for part in at:
            yield from _places(part, domain, scope, values)
    else:
        raise LanguageError(f"{at!r} is no place: write t = 0, a list of such, boundary, or {{x: 0, y: 0}}")


def _snapped(value: float, ends: tuple[float, float]) -> float:
    """The end of the range that the value misses by rounding alone (1/3 in text and 1/3 in SymPy may), or the value."""
    slack = 1e-12 * max(abs(end) for end in ends)
    return next((end for end in ends if abs(value - end) <= slack), value)


def _face(domain: Box, scope: Scope, values: Mapping[str, float]) -> Box | None:
    """The face in space that a single coordinate's value names, if it is one; only such a place has a normal."""
    ((name, value), *others) = values.items()
    return domain.face(name, value) if not others and name in scope.space and value in domain.bounds[name] else None


@contextmanager
def _mistake_in(text: str = "") -> Iterator[None]:
    """Turn the ValueError of a box into a mistake of the text."""
    try:
        yield
    except ValueError as error:
        raise LanguageError(str(error), text) from None


def _read_where(
    text: Any, places: tuple[Box, ...], scope: Scope, values: Mapping[sympy.Symbol, float]
) -> tuple[sympy.Basic, tuple[Box, ...]]:
    """The inequality, and those of the places where it holds somewhere."""
    if not isinstance(text, str):
        raise LanguageError(f"{text!r} is not an inequality: write x > 0.5")
    condition = inequality(text, scope)
    program = Program([condition])
    unknown = [str(atom) for atom in program.atoms if atom not in values and str(atom) not in scope.coordinates]
    if unknown:
        raise LanguageError(f"{', '.join(unknown)} is not known before training", text)
    kept = tuple(place for place in places if np.any(inside(condition, spread(place), scope.coordinates, values)))
    if not kept:
        raise LanguageError("holds at no point of the condition's place", text)
    return condition, kept


def spread(place: Box) -> np.ndarray:
    """Points (4096, d) at random in a place, always the same: enough to tell whether an inequality holds anywhere."""
    return place.points(np.random.default_rng(0).random((4096, len(place.free))))


def inside(
    condition: sympy.Basic, points: np.ndarray, coordinates: Sequence[str], values: Mapping[sympy.Symbol, float]
) -> np.ndarray:
    """Mask (n,) of the points (n, d) where an inequality in the coordinates holds."""
    inputs = {symbol(name): points[:, index] for index, name in enumerate(coordinates)}
    (mask,) = Program([condition])({**values, **inputs})
    return np.broadcast_to(np.asarray(mask, dtype=bool), len(points))


def _named(config: Any) -> Iterator[str]:
    """The names that equations and weights hold, but for those of functions that they call; of a callable, "*"."""
    if isinstance(config, str):
        for name, called in re.findall(r"([^\W\d]\w*)(\s*\()?", config):
            if not (called and name in FUNCTIONS):
                yield name
    elif isinstance(config, Mapping):
        yield from _named(list(config.values()))
    elif isinstance(config, Sequence):
        for part in config:
            yield from _named(part)
    elif callable(config):
        yield "*"


def _read_data(config: Any, domain: Box, scope: Scope, files: Files, named: Sequence[str]) -> Mapping[str, np.ndarray]:
    """Columns (n,) of a table; a column named like a field f is called f_data, so that it can be told from it.

    One whose name means something else is left out, and a mistake where it is among those `named`.
    """
    try:
        if isinstance(config, Mapping):
            table = given(config)
        elif isinstance(config, str):
            table = load(files.path(config))
        else:
            raise LanguageError(f"{config!r} is no data: write the name of a .csv or .npz file")
        columns = flatten(table, domain.coordinates)
    except TableError as error:
        raise LanguageError(str(error)) from None
    for name in domain.coordinates:
        lower, upper = domain.bounds[name]
        slack = 1e-6 * (upper - lower)
        outside = np.flatnonzero((columns[name] < lower - slack) | (columns[name] > upper + slack))
        if len(outside):
            value = columns[name][outside[0]]
            raise LanguageError(
                f"row {outside[0] + 1} has {name} = {value:g}, outside the domain [{lower:g}, {upper:g}]"
            )
    renamed = {f"{name}_data" if name in scope.fields else name: values for name, values in columns.items()}
    if len(renamed) < len(columns):
        twice = next(name for name in scope.fields if name in columns and f"{name}_data" in columns)
        raise LanguageError(f"the columns {twice} and {twice}_data would both be called {twice}_data: rename one")
    hidden = {name: what for name in renamed if (what := _hidden(name, scope))}
    for name, what in hidden.items():
        if name in named or "*" in named:
            raise LanguageError(f"the column {name} has the name of a {what}: rename it, such as {name}_data")
    return MappingProxyType({name: values for name, values in renamed.items() if name not in hidden})


def _hidden(name: str, scope: Scope) -> str:
    """What else a column's name means in an equation, if anything."""
    for what, names in (("parameter", scope.parameters), ("constant", CONSTANTS), ("function", FUNCTIONS)):
        if name in names:
            return what
    known = meaning(name, scope)
    return "normal" if "normal's" in known else "derivative" if known else ""


def _fit(name: str, data: Mapping[str, np.ndarray], scope: Scope, weight: sympy.Expr) -> tuple[Equation, ...]:
    """The equations f = f_data for each field with a column: what data without equations means."""
    found = [known for known in scope.fields if f"{known}_data" in data]
    return tuple(
        Equation(
            name if len(found) == 1 else f"{name}_{known}",
            f"{known} = {known}_data",
            field(known, scope.fields[known]) - symbol(f"{known}_data"),
            weight,
        )
        for known in found
    )
