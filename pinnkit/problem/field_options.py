"""The options of one field, as `fields:` gives them: its coordinates, or a mapping of options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pinnkit.language.errors import LanguageError, Report, suggestion
from pinnkit.problem.equations import check_keys

OPTIONS = ("coordinates", "complex")
"""The keys of a mapping of options."""


@dataclass(frozen=True)
class FieldOptions:
    """What a problem says of one field.

    Attributes:
        coordinates: on which it depends, in the order of the problem's.
        is_complex: whether its values are complex.
    """

    coordinates: tuple[str, ...]
    is_complex: bool = False


def read_options(config: Any, name: str, coordinates: tuple[str, ...], report: Report) -> FieldOptions:
    """The options of a field from a list of coordinates, the word `complex`, or a mapping of options.

    Args:
        coordinates: all those of the problem, which a field has that names none.

    Raises:
        LanguageError: naming what is wrong, for the key of the field.
    """
    if isinstance(config, str):
        if config != "complex":
            near = suggestion(config, ["complex"])
            report.add(f"fields.{name}", f"'{config}' is not a list of coordinates: write {name}: [x, t]{near}")
        config = {"complex": True}  # also where it is misspelt, so that one mistake makes one message
    options = config if isinstance(config, Mapping) else {"coordinates": config}
    check_keys(report, f"fields.{name}", options, OPTIONS)
    is_complex = options.get("complex", False)
    if not isinstance(is_complex, bool):
        report.add(f"fields.{name}.complex", f"is {is_complex!r}: write complex: true, or leave it out")
    return FieldOptions(_depends(options.get("coordinates", coordinates), name, coordinates), bool(is_complex))


def _depends(given: Any, name: str, coordinates: tuple[str, ...]) -> tuple[str, ...]:
    if not isinstance(given, Sequence) or isinstance(given, str) or (coordinates and not given):
        raise LanguageError(f"{given!r} is not a list of coordinates: write {name}: [x, t]")
    for one in given:
        if one not in coordinates:
            raise LanguageError(f"there is no coordinate '{one}'{suggestion(str(one), coordinates)}")
    return tuple(one for one in coordinates if one in given)
