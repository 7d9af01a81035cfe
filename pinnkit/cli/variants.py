"""The values of a sweep, as the overrides of single runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, Override
from hydra.errors import OverrideParseException

from pinnkit.cli import yaml_files
from pinnkit.cli.hydra_errors import unreadable
from pinnkit.language.errors import Mistake, ProblemError, suggestion


def variants(overrides: Sequence[str], folders: Sequence[Path]) -> Iterator[list[str]]:
    """The overrides of single runs that between them hold every value of a sweep.

    Raises:
        ProblemError: an override that cannot be read.
    """
    try:
        parsed = OverridesParser.create().parse_overrides(list(overrides))
    except OverrideParseException as error:
        raise ProblemError([unreadable(str(error))]) from None
    choices = [_values(override, folders) for override in parsed]
    first = [values[0] for values in choices]
    yield first
    for place, values in enumerate(choices):
        for value in values[1:]:
            yield [*first[:place], value, *first[place + 1 :]]


def _values(override: Override, folders: Sequence[Path]) -> list[str]:
    """An override for each value of a sweep; the override itself where it is none."""
    key = override.get_key_element()
    value = override.value()
    if isinstance(value, Glob):  # glob(*) of the files of a group
        names = yaml_files.options(folders, key)
        matching = value.filter(names)
        if not matching:
            raise ProblemError([Mistake(key, f"no file matches {override.input_line}{suggestion('', names)}")])
        return [f"{key}={name}" for name in matching]
    if not override.is_sweep_override() or not override.is_discrete_sweep():
        return [cast(str, override.input_line)]
    return [f"{key}={one}" for one in override.sweep_string_iterator()]
