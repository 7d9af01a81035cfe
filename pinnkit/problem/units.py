"""Units of coordinates, fields and parameters: labels, by which nothing is converted."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from typing import Any

from pinnkit.language.errors import Report, suggestion

LONGEST = 40
"""Characters of a unit."""


def read_units(config: Any, names: Collection[str], report: Report) -> dict[str, str]:
    """The units by the names of what has them; mistakes go to the report.

    Args:
        config: name -> text such as `m/s^2`; 1 for what has no unit.
        names: coordinates, fields, parameters and what is derived from these.

    >>> read_units({"x": "m", "u": 1}, ["x", "u"], Report())
    {'x': 'm', 'u': '1'}
    """
    if not isinstance(config, Mapping):
        report.add("units", f"{config!r} is not a mapping: write {{x: m, t: s}}")
        return {}
    units = {}
    for name, unit in config.items():
        key = f"units.{name}"
        if name not in names:
            message = f"there is no coordinate, field or parameter '{name}'"
            report.add(key, f"{message}{suggestion(str(name), names)}")
        elif unit == 1 and not isinstance(unit, bool):
            units[name] = "1"
        elif not isinstance(unit, str) or not unit.strip():
            report.add(key, f"{unit!r} is no unit: write a text such as m/s^2, or 1 where there is none")
        elif len(unit) > LONGEST:
            report.add(key, f"has {len(unit)} characters; the most is {LONGEST}")
        elif wrong := next((one for one in unit if unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp")), ""):
            report.add(key, f"holds the control character {wrong!a}: leave it out")
        else:
            units[name] = " ".join(unit.split())
    return units


def unit_behind(units: Mapping[str, str], name: str) -> str:
    """The unit of a name behind a value, with a space; nothing where there is none.

    >>> unit_behind({"x": "m"}, "x"), unit_behind({"x": "1"}, "x"), unit_behind({}, "x")
    (' m', '', '')
    """
    unit = units.get(name, "1")
    return "" if unit == "1" else f" {unit}"
