"""The data of a condition: columns of a table, by the names that equations use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from pinnkit.domains.shape import Shape
from pinnkit.language.errors import LanguageError
from pinnkit.language.grammar import CONSTANTS, FUNCTIONS, Scope, meaning
from pinnkit.problem.tables import Files, TableError, flatten, given, load

SLACK = 1e-6
"""How far outside the domain a row may lie, relative to the ranges of the coordinates."""


def named(config: Any) -> Iterator[str]:
    """The names that equations and weights hold, but for those of functions that they call; of a callable, "*"."""
    if isinstance(config, str):
        for name, called in re.findall(r"([^\W\d]\w*)(\s*\()?", config):
            if not (called and name in FUNCTIONS):
                yield name
    elif isinstance(config, Mapping):
        yield from named(list(config.values()))
    elif isinstance(config, Sequence):
        for part in config:
            yield from named(part)
    elif callable(config):
        yield "*"


def read_data(
    config: Any, domain: Shape, scope: Scope, files: Files, wanted: Sequence[str]
) -> Mapping[str, np.ndarray]:
    """Columns (n,) of a table; a column named like a field f is called f_data, to be distinct from it.

    One whose name means something else is left out, and a mistake where it is among those `wanted`.
    """
    try:
        if isinstance(config, Mapping):
            table = given(config)
        elif isinstance(config, str):
            table = load(files.path(config), split=bool(scope.complex))
        else:
            raise LanguageError(f"{config!r} is no data: write the name of a .csv or .npz file")
        columns = flatten(table, domain.coordinates)
    except TableError as error:
        raise LanguageError(str(error)) from None
    _check_inside(columns, domain)
    renamed = {f"{name}_data" if name in scope.fields else name: values for name, values in columns.items()}
    if len(renamed) < len(columns):
        twice = next(name for name in scope.fields if name in columns and f"{name}_data" in columns)
        raise LanguageError(f"the columns {twice} and {twice}_data would both be called {twice}_data: rename one")
    hidden = {name: what for name in renamed if (what := _hidden(name, scope))}
    for name, what in hidden.items():
        if name in wanted or "*" in wanted:
            raise LanguageError(f"the column {name} has the name of a {what}: rename it, such as {name}_data")
    return MappingProxyType({name: values for name, values in renamed.items() if name not in hidden})


def complex_columns(columns: Iterable[str], scope: Scope) -> dict[str, tuple[str, str]]:
    """Complex columns -> those of their real and imaginary parts, in a problem with complex fields.

    A pair S_re and S_im is S; that of a complex field h, which are h_re_data and h_im_data, is h_data.
    """
    found = {}
    if scope.complex:
        names = set(columns)
        for end in ("", "_data"):
            for name in (one.removesuffix(f"_re{end}") for one in columns if one.endswith(f"_re{end}")):
                pair = (f"{name}_re{end}", f"{name}_im{end}")
                if set(pair) <= names and f"{name}{end}" not in names and not _hidden(f"{name}{end}", scope):
                    found[f"{name}{end}"] = pair
    return found


def _check_inside(columns: Mapping[str, np.ndarray], domain: Shape) -> None:
    """Refuse rows outside the domain."""
    for name in domain.coordinates:
        lower, upper = domain.bounds[name]
        slack = SLACK * (upper - lower)
        outside = np.flatnonzero((columns[name] < lower - slack) | (columns[name] > upper + slack))
        if len(outside):
            value = columns[name][outside[0]]
            raise LanguageError(
                f"row {outside[0] + 1} has {name} = {value:g}, outside the domain [{lower:g}, {upper:g}]"
            )
    points = np.stack([columns[name] for name in domain.coordinates], axis=1)
    outside = np.flatnonzero(~domain.contains(points, SLACK * (domain.upper - domain.lower)))
    if len(outside):
        place = ", ".join(f"{name} = {columns[name][outside[0]]:g}" for name in domain.coordinates)
        raise LanguageError(f"row {outside[0] + 1} has {place}, outside the domain: {domain.description}")


def _hidden(name: str, scope: Scope) -> str:
    """What else a column's name means in an equation, if anything."""
    taken = {"table": scope.tables, "parameter": (*scope.parameters, *scope.definitions)}
    taken |= {"constant": CONSTANTS, "function": FUNCTIONS}
    for what, names in taken.items():
        if name in names:
            return what
    known = meaning(name, scope)
    return "normal" if "normal's" in known else "derivative" if known else ""
