"""The options of one field, as `fields:` gives them: its coordinates, or a mapping of options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pinnkit.language.errors import LanguageError, Report, suggestion
from pinnkit.problem.bounds import BOUNDS, NO_BOUNDS, Bounds, read_bounds
from pinnkit.problem.equations import check_keys

OPTIONS = ("coordinates", *BOUNDS)
"""The keys of a mapping of options."""


@dataclass(frozen=True)
class FieldOptions:
    """What a problem says of one field.

    Attributes:
        coordinates: on which it depends, in the order of the problem's.
        bounds: between which its values stay.
    """

    coordinates: tuple[str, ...]
    bounds: Bounds = NO_BOUNDS


def read_options(config: Any, name: str, coordinates: tuple[str, ...], report: Report) -> FieldOptions:
    """The options of a field from a list of coordinates, or from a mapping with `coordinates` and other options.

    Args:
        coordinates: all those of the problem, which a field has that names none.

    Raises:
        LanguageError: naming what is wrong, for the key of the field.
    """
    options = config if isinstance(config, Mapping) else {"coordinates": config}
    check_keys(report, f"fields.{name}", options, OPTIONS)
    return FieldOptions(
        coordinates=_depends(options.get("coordinates", coordinates), name, coordinates),
        bounds=read_bounds(options),
    )


def _depends(given: Any, name: str, coordinates: tuple[str, ...]) -> tuple[str, ...]:
    if not isinstance(given, Sequence) or isinstance(given, str) or (coordinates and not given):
        raise LanguageError(f"{given!r} is not a list of coordinates: write {name}: [x, t]")
    for one in given:
        if one not in coordinates:
            raise LanguageError(f"there is no coordinate '{one}'{suggestion(str(one), coordinates)}")
    return tuple(one for one in coordinates if one in given)
