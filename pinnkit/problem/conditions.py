"""Reading the conditions of a problem: where they hold, and the data that they use."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import sympy

from pinnkit.domains.narrowed import narrowed
from pinnkit.domains.shape import Shape
from pinnkit.language.errors import Report
from pinnkit.language.grammar import Scope
from pinnkit.problem.at import read_at, read_where
from pinnkit.problem.data import complex_columns, named, read_data
from pinnkit.problem.equations import check_keys, is_label, read_equations, read_weight
from pinnkit.problem.geometry import Places
from pinnkit.problem.integral_places import needed_coordinates
from pinnkit.problem.parts import Condition, Equation
from pinnkit.problem.tables import Files
from pinnkit.problem.values import Values

KEYS = ("at", "equations", "where", "weight", "data", "hard")


def read_conditions(
    config: Any, within: Places, scope: Scope, values: Values, files: Files, report: Report
) -> tuple[Condition, ...]:
    """The conditions by name.

    Args:
        within: the domain and what bounds it.
        values: the parameters that are not learned.
    """
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
        conditions.append(_read_condition(str(name), key, condition, within, scope, values, files, report))
    return tuple(conditions)


def _read_condition(
    name: str,
    key: str,
    config: Mapping[str, Any],
    within: Places,
    scope: Scope,
    values: Values,
    files: Files,
    report: Report,
) -> Condition:
    data: Mapping[str, np.ndarray] = {}
    places: tuple[Shape, ...] = ()
    where = None
    weight: sympy.Expr = sympy.S.One
    hard = config.get("hard", False)
    if not isinstance(hard, bool):
        report.add(f"{key}.hard", f"{hard!r} is neither true nor false")
        hard = False
    if hard and "weight" in config:
        report.add(
            f"{key}.weight", "weighs nothing: a hard condition is no term of the loss, so leave out weight or hard"
        )
    if "data" in config:
        with report.at(f"{key}.data"):
            wanted = list(named([config.get("equations"), config.get("weight")]))
            data = read_data(config["data"], within.domain, scope, files, wanted)
        if not data:  # the columns are unknown, so are the names in the equations
            return Condition(name, ())
        if "at" in config or "where" in config:
            report.add(key, "has data: its rows say where it holds, so leave out 'at' and 'where'")
    elif "at" not in config:
        if _holds_integral(config.get("equations")):
            places = (within.domain,)
        elif all(word in KEYS for word in config):  # else the unknown key, reported already, is it misspelt
            report.add(key, "says neither 'at' nor 'data': write at: t = 0, or at: boundary")
    else:
        with report.at(f"{key}.at"):
            places = tuple(read_at(config["at"], within, scope, values))
    columns = tuple(column for column in data if column not in scope.coordinates)
    boundary = not data and all(place.has_normals for place in places)  # no place: that is a mistake of its own
    pairs = complex_columns(columns, scope)
    inner = replace(scope, columns=(*columns, *pairs), boundary=boundary, complex={**scope.complex, **pairs})
    if "where" in config and places:
        with report.at(f"{key}.where"):
            where, places = read_where(config["where"], places, scope, values)
    if "weight" in config:
        with report.at(f"{key}.weight"):
            weight = read_weight(config["weight"], inner)
    equations = read_equations(config.get("equations"), f"{key}.equations", name, inner, report, f"{name}_", weight)
    needed = None if where is not None else needed_coordinates(equations, scope.coordinates)
    if "at" not in config and places and equations and needed is None:
        report.add(key, "says neither 'at' nor 'data', and not all of its equations have integrals: write at: t = 0")
    if needed is not None:
        places = tuple(narrowed(place, needed) for place in places)
    if config.get("equations") is None:
        equations = _fit(name, key, inner, report, weight)
        if not equations:
            report.add(f"{key}.equations", "are missing: write u = 0, or give data with a column for a field")
    return Condition(name, equations, places, where, data, str(config.get("data", "")), hard)


def _holds_integral(equations: Any) -> bool:
    """Whether a text among the equations calls integral, also misspelt, so that they may say where they hold."""
    if isinstance(equations, Mapping):
        equations = list(equations.values())
    texts = [equations] if isinstance(equations, str) else equations if isinstance(equations, Sequence) else []
    return any(re.search(r"\bint\w*\s*\(", one) if isinstance(one, str) else _holds_integral(one) for one in texts)


def _fit(name: str, key: str, scope: Scope, report: Report, weight: sympy.Expr) -> tuple[Equation, ...]:
    """The equations f = f_data for each field with a column: what data without equations means."""
    found = [known for known in scope.fields if f"{known}_data" in scope.columns]
    parts = {part for known in found for part in scope.complex.get(known, ())}
    found = [known for known in found if known not in parts]
    texts = {known if len(found) > 1 else "": f"{known} = {known}_data" for known in found}
    named = {f"{name}_{known}" if known else name: text for known, text in texts.items()}
    return read_equations(named, key, name, scope, report, weight=weight) if named else ()
