"""The options of one field, as `fields:` gives them: its coordinates, or a mapping of options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pinnkit.language.errors import LanguageError, Report, suggestion
from pinnkit.problem.bounds import BOUNDS, NO_BOUNDS, Bounds, read_bounds
from pinnkit.problem.equations import check_keys
from pinnkit.problem.intervals import read_range

OPTIONS = ("coordinates", "complex", "parts", "range", *BOUNDS)
"""The keys of a mapping of options."""
_VALUES = {"coordinates": "[x, t]", "parts": "[left, right]", "range": "[0, 1]", "min": "0.1", "max": "10"}
"""Their values in examples; those of the others are true."""


@dataclass(frozen=True)
class FieldOptions:
    """What a problem says of one field.

    Attributes:
        coordinates: on which it depends, in the order of the problem's.
        arguments: other fields of which it is a function.
        spans: the range of the values of each of these, None where none is given.
        bounds: between which its values stay.
        is_complex: whether its values are complex.
        parts: the shapes in each of which it has a function of its own.
    """

    coordinates: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    spans: tuple[tuple[float, float] | None, ...] = ()
    bounds: Bounds = NO_BOUNDS
    is_complex: bool = False
    parts: tuple[str, ...] = ()


def read_options(
    config: Any, name: str, coordinates: tuple[str, ...], report: Report, others: Sequence[str] = ()
) -> FieldOptions:
    """The options of a field from a list of coordinates, the word `complex`, or a mapping of options.

    Args:
        coordinates: all those of the problem, which a field has that names none.
        others: the names of all fields, which the list may hold too.

    Raises:
        LanguageError: naming what is wrong, for the key of the field.
    """
    if isinstance(config, str):
        if config != "complex":
            near = suggestion(config, ["complex"])
            if config in OPTIONS:
                near = f"; an option has a value, as in {name}: {{{config}: {_VALUES.get(config, 'true')}}}"
            report.add(f"fields.{name}", f"'{config}' is not a list of coordinates: write {name}: [x, t]{near}")
        config = {"complex": True}  # also where it is misspelt, so that one mistake makes one message
    options = config if isinstance(config, Mapping) else {"coordinates": config}
    check_keys(report, f"fields.{name}", options, OPTIONS)
    is_complex = options.get("complex", False)
    if not isinstance(is_complex, bool):
        report.add(f"fields.{name}.complex", f"is {is_complex!r}: write complex: true, or leave it out")
    depends, arguments = _depends(options.get("coordinates", coordinates), name, coordinates, others)
    bounds = read_bounds(options)
    if is_complex and bounds:
        report.add(f"fields.{name}", f"is complex, and only a real field is kept {bounds.description}")
        bounds = NO_BOUNDS
    parts = _read_parts(name, options["parts"]) if "parts" in options else ()
    if parts and (is_complex or arguments):
        what = "is complex" if is_complex else f"depends on {arguments[0]}"
        report.add(f"fields.{name}.parts", f"{name} {what}: only a real field of coordinates has parts")
        parts = ()
    return FieldOptions(
        coordinates=depends,
        arguments=arguments,
        spans=_spans(options.get("range"), arguments),
        bounds=bounds,
        is_complex=bool(is_complex),
        parts=parts,
    )


def _depends(
    given: Any, name: str, coordinates: tuple[str, ...], others: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The coordinates, and the fields, that a list names."""
    if not isinstance(given, Sequence) or isinstance(given, str) or (coordinates and not given):
        raise LanguageError(f"{given!r} is not a list of coordinates: write {name}: [x, t]")
    for one in given:
        if one not in coordinates and one not in others:
            raise LanguageError(f"there is no coordinate '{one}'{suggestion(str(one), (*coordinates, *others))}")
    fields = tuple(one for one in dict.fromkeys(given) if one not in coordinates)
    return tuple(one for one in coordinates if one in given), fields


def _spans(given: Any, arguments: tuple[str, ...]) -> tuple[tuple[float, float] | None, ...]:
    """The range of each argument: of the only one a list, of several a mapping by name."""
    if given is None:
        return (None,) * len(arguments)
    if not arguments:
        raise LanguageError("has a range, which is that of a field on which it depends, and it depends on none")
    if not isinstance(given, Mapping):
        if len(arguments) > 1:
            raise LanguageError(f"{given!r} is one range, and it depends on {', '.join(arguments)}: write a mapping")
        given = {arguments[0]: given}
    for name in given:
        if name not in arguments:
            hint = suggestion(str(name), arguments)
            raise LanguageError(f"has a range of '{name}', on which it does not depend{hint}")
    return tuple(read_range(given[name]) if name in given else None for name in arguments)


def _read_parts(name: str, config: Any) -> tuple[str, ...]:
    """The names of the shapes in each of which a field has a function of its own."""
    names = [config] if isinstance(config, str) else config
    if not isinstance(names, Sequence) or not names or not all(isinstance(one, str) for one in names):
        raise LanguageError(f"{config!r} is not a list of shapes: write {name}: {{parts: [left, right]}}")
    if twice := next((one for one in names if names.count(one) > 1), None):
        raise LanguageError(f"names the part '{twice}' twice")
    return tuple(names)
