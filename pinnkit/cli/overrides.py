"""Overrides that Hydra would answer by an error of its own, or by running code."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import OverrideParseException

from pinnkit.cli.hydra_settings import NO_PLACE
from pinnkit.cli.sources import SEARCHPATH, check_searchpath
from pinnkit.cli.yaml_files import NUMBER, options
from pinnkit.language.errors import Mistake, ProblemError, suggestion


def check(given: Sequence[str], folders: Sequence[Path]) -> None:
    """Refuse a number without an end, a group set to no file, a searchpath that is no folder, and keys of `NO_PLACE`.

    Raises:
        ProblemError: naming the key and its value.
    """
    for override in given:
        if digits := re.search(rf"\d{{{NUMBER + 1},}}", override):
            message = f"holds a number of {len(digits[0])} digits; the most is {NUMBER}"
            raise ProblemError([Mistake(override.split("=")[0][:60], message)])
    try:
        parsed = OverridesParser.create().parse_overrides(list(given))
    except OverrideParseException:
        return  # Hydra says what cannot be read
    for one in parsed:
        key = one.get_key_element().lstrip("+~")
        if key == "hydra":
            raise ProblemError([Mistake(key, "one key of it can be set, such as hydra.run.dir=FOLDER")])
        for barred, instead in NO_PLACE.items():
            if f"{key}.".startswith(f"hydra.{barred}.") and not one.is_delete():
                raise ProblemError([Mistake(key, f"cannot be set: {instead}")])
        if key == "pde" and isinstance(one.value(), list):
            raise ProblemError([Mistake(key, "one problem is solved in a run: -m pde=heat,wave makes a run for each")])
        if key == SEARCHPATH:
            check_searchpath(one.value(), SEARCHPATH)
        elif not one.is_delete() and not one.is_sweep_override():
            _check_group(key.split("@")[0], one.value(), folders)


def _check_group(key: str, value: Any, folders: Sequence[Path]) -> None:
    files = options(folders, key) if "." not in key else []
    names = value if isinstance(value, list) else [value]
    if files and not ((names and all(isinstance(name, str) and name for name in names)) or isinstance(value, dict)):
        shown = {None: "null", "": "an empty text"}.get(value, value) if not isinstance(value, list) else value
        raise ProblemError([Mistake(key, f"{shown} names no file{suggestion('', files)}")])
