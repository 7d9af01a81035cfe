"""Paths of problem files in the place of a problem's name: `my_problem.yaml`, `pde=path/to/my_problem.yaml`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, QuotedString
from hydra.errors import HydraException

from pinnkit.cli.quoting import quoted, unquoted
from pinnkit.language.errors import Mistake, ProblemError, nearest

ENDINGS = (".yaml", ".yml")
OVERRIDE = re.compile(r"(~|\+\+?)?[\w@:/.$-]+=")
"""The start of KEY=VALUE."""
QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
PLAIN = re.compile(r"(?!(?:null|true|false|nan|inf)$)[A-Za-z_][\w-]*", re.ASCII | re.IGNORECASE)
"""Names that Hydra reads as text without quotes."""


def separate(arguments: Sequence[str]) -> tuple[list[str], dict[str, Path]]:
    """Overrides in which names stand for the paths of problem files, and the file of each name.

    `my_problem.yaml` and `pde=folder/my_problem.yaml` become `pde=my_problem`.

    Raises:
        ProblemError: there is no such file, or an argument is neither KEY=VALUE nor the path of a problem file.
    """
    files: dict[str, Path] = {}
    overrides = []
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if argument.startswith("-") or (argument.startswith("~") and not _is_path(argument)):
            overrides.append(argument)
        elif not OVERRIDE.match(argument) or argument.startswith(("/", "./", "../")) or _is_problem(argument):
            overrides.append(f"pde={_named(_positional(argument), files)}")
        elif key == "pde" and equals:
            overrides.append(f"pde={_replaced(value, files)}")
        else:
            overrides.append(argument)
    _check_single(arguments, overrides)
    return overrides, files


def _check_single(arguments: Sequence[str], overrides: Sequence[str]) -> None:
    pairs = zip(arguments, overrides, strict=True)
    named = [argument for argument, override in pairs if override.startswith("pde=")]
    if len(named) > 1 and any(not one.startswith("pde=") for one in named):  # of keys alone Hydra takes the last
        message = f"names {len(named)} problems, {' and '.join(named)}: write one; -m pde=A,B makes a run for each"
        raise ProblemError([Mistake("command line", message)])


def with_paths(overrides: Sequence[str], files: Mapping[str, Path]) -> list[str]:
    """The overrides with paths in the place of names again, for a process that knows nothing of the names."""
    found = []
    for override in overrides:
        name = unquoted(override.removeprefix("pde="))
        is_file = override.startswith("pde=") and name in files
        found.append(f"pde={quoted(files[name])}" if is_file else override)
    return found


def _is_path(text: str) -> bool:
    return text.endswith(ENDINGS) or ("/" in text and _is_folder(text))


def _is_folder(text: str) -> bool:
    try:
        return Path(text).is_dir()
    except (OSError, ValueError):  # too long, or a character that no path has
        return False


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False


def _is_problem(text: str) -> bool:
    return text.endswith(ENDINGS) and _is_file(text)


def _positional(argument: str) -> Path:
    """The problem file that an argument without a key names."""
    if _is_path(argument) or _is_folder(argument):
        return _checked(argument)
    if _is_file(argument):
        message = f"'{argument}': the name of a problem file ends in .yaml"
    elif ending := next((one for one in ENDINGS if _is_file(argument + one)), None):
        message = f"'{argument}': the file is called '{argument}{ending}'; write the whole name"
    else:
        message = f"'{argument}': write KEY=VALUE, such as pde=heat, or the path of a problem file (.yaml)"
    raise ProblemError([Mistake("command line", message)])


def _replaced(value: str, files: dict[str, Path]) -> str:
    """The value of a `pde=` override, with names in the place of paths."""
    values = _values(value)
    # What is no file may be the name of a shipped problem: Hydra takes pde=heat.yaml for pde=heat.
    paths = [one for one in values if _is_problem(one) or (_is_path(one) and "/" in one)]
    if not paths:
        return value
    text = ",".join(_named(_checked(one), files) if one in paths else one for one in values)
    return f"choice({text})" if value.startswith("choice(") else text


def _values(value: str) -> list[str]:
    """The texts of a value: one, or those of a sweep."""
    if QUOTED.fullmatch(value):
        return [unquoted(value)]
    if _is_file(value) or not re.search(r",|^choice\(", value):
        return [value]
    try:
        parsed = OverridesParser.create().parse_override(f"pde={value}").value()
    except HydraException:
        return [one.strip() for one in value.split(",")]
    if not isinstance(parsed, ChoiceSweep):
        return [value]
    return [one.text if isinstance(one, QuotedString) else str(one) for one in parsed.list]


def _checked(text: str) -> Path:
    """The path of a file that is there.

    Raises:
        ProblemError: it is missing, or a folder.
    """
    if _is_folder(text):
        message = f"'{text}' is a folder: name a problem file in it, such as {Path(text) / 'my_problem.yaml'}"
        raise ProblemError([Mistake("pde", message)])
    if not _is_file(text):
        if os.path.lexists(text):
            raise ProblemError([Mistake("pde", f"'{text}' is no regular file: name a problem file")])
        try:
            beside = [path.name for path in sorted(Path(text).parent.iterdir()) if _is_problem(str(path))]
        except (OSError, ValueError):
            beside = []
        near = nearest(Path(text).name, beside)
        hint = f"; did you mean '{near}'?" if near else ""
        raise ProblemError([Mistake("pde", f"there is no file '{text[:200]}'{hint}")])
    return Path(text)


def _named(path: Path, files: dict[str, Path]) -> str:
    """The name of a problem file in Hydra's syntax; it is added to the files, and is that of no other."""
    stem = re.sub(r"[^\w.-]+", "_", path.stem).strip("._-") or "problem"
    name, number = stem, 1
    while files.setdefault(name, path.resolve()) != path.resolve():
        number += 1
        name = f"{stem}_{number}"
    return name if PLAIN.fullmatch(name) else quoted(name)
