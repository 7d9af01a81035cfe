"""report.html of a run: its problem, its settings and how to repeat it, as plain data."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pinnkit.language.mathml import mathml
from pinnkit.problem.problem import Problem
from pinnkit.problem.statement import Line, Statement, statement
from pinnkit.reading import classes
from pinnkit.reporting.artifacts import RunFolder, RunFolderError
from pinnkit.reporting.report import Contents, Formula, write_report
from pinnkit.runs.configuration import CHOSEN, parse, python_values
from pinnkit.settings import Settings

SHOWN = 200
"""Characters of a setting's value."""
TRAIN = ("pinnkit", "train")
CHOSEN_HERE = "chosen for this problem"
"""In the place of a default that depends on the problem."""


def report(folder: RunFolder, problem: Problem, settings: Settings, metrics: Mapping[str, Any], run: RunFolder) -> None:
    """Write report.html into a folder: the run's own, or the one of its evaluation.

    Args:
        settings: as used.
        metrics: what metrics.json of that folder holds.
        run: the run folder, with config.yaml.
    """
    try:
        config = run.read_config()
    except RunFolderError:
        config = ""
    given = metrics.get("overrides")
    overrides = [str(one) for one in given] if isinstance(given, list) else []
    said = statement(problem, settings.manufactured)
    rows = list(changed_settings(settings, overrides))
    contents = Contents(
        said.name,
        said.description,
        metrics,
        [_formula(one, said, closed=False) for one in said.equations],
        [_formula(one, said, closed=False) for one in said.conditions],
        [_formula(one, said, closed=True) for one in said.definitions],
        [_formula(one, said, closed=True) for one in said.exact],
        said.facts,
        [row for row in rows if row[2] != CHOSEN_HERE],
        [row[:2] for row in rows if row[2] == CHOSEN_HERE],
        config,
        _commands(run, config, overrides),
    )  # fmt: skip
    write_report(folder, contents, run)


def _formula(line: Line, said: Statement, closed: bool) -> Formula:
    """A line of the statement; a closed form has its name on the left."""
    text = f"{line.name} = {line.text}" if closed else line.text
    math = mathml(text, said.names, said.coordinates) if line.is_text else None
    first = line.name if not closed else ""
    first = f"{first}: {line.where}" if line.where else first
    notes = (*([first] if first else []), *line.notes)
    if not line.is_text:
        notes = (*notes, "a residual given in Python")
    return Formula(text, math, notes)


def changed_settings(settings: Settings, overrides: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """(key, value, default) of each setting that differs from its default; those of the command line come first."""
    rows = list(_differing(settings, Settings(), ""))
    named = [one.lstrip("+").partition("=")[0] for one in overrides]

    def given(key: str) -> bool:
        return any(key == one or key.startswith((f"{one}.", f"{one}[")) for one in named)

    for key, value, usual in sorted(rows, key=lambda row: not given(row[0])):
        chosen = usual in ("null", "auto") and not given(key) and any(
            key == one or key.startswith((f"{one}.", f"{one}[")) for one in CHOSEN
        )  # fmt: skip
        yield key, value, CHOSEN_HERE if chosen else usual


def _differing(settings: Any, usual: Any, path: str) -> Iterator[tuple[str, str, str]]:
    for field in dataclasses.fields(settings):
        key = f"{path}.{field.name}" if path else field.name
        value, default = getattr(settings, field.name), getattr(usual, field.name)
        if isinstance(value, tuple) and "example" in field.metadata:
            yield key, "; ".join(map(_described, value)), "auto"
        elif classes(field) and value is not None:
            if type(value) is not type(default):
                yield key, value.name, getattr(default, "name", "null")
                default = type(value)()
            yield from _differing(value, default, key)
        elif dataclasses.is_dataclass(value):
            yield from _differing(value, default, key)
        elif value != default and value not in ({}, None):
            yield key, _short(value), _short(default)


def _described(part: Any) -> str:
    """A part of a registry by its name and its settings that differ from their defaults."""
    own = [f"{key} = {value}" for key, value, _ in _differing(part, type(part)(), "")]
    return f"{part.name}{f' ({chr(44).join(own)})' if own else ''}".replace(",", ", ")


def _short(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(str, value))}]"
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}... ({len(text)} characters)"


def _again(overrides: Sequence[str], config: Mapping[str, Any]) -> list[str]:
    """A run's overrides for a new one: without its folder, and with the path of a problem file of the user's own."""
    found = []
    for one in overrides:
        key, _, value = one.lstrip("+").partition("=")
        if key in ("resume", "overwrite", "problem_folder") or key.startswith("hydra."):
            continue
        own = Path(str(config.get("problem_folder"))) / f"{value}.yaml"
        found.append(str(own) if key == "pde" and own.is_file() else one)
    return found


def _commands(run: RunFolder, config: str, overrides: Sequence[str]) -> list[tuple[str, str]]:
    """(explanation, command or "") by which a run is repeated."""
    commands = []
    content = parse(config) if config else None
    if given := _again(overrides, content or {}):
        commands.append(("A new run with the settings that this one was started with:", shlex.join([*TRAIN, *given])))
    if not content:
        return [*commands, ("There is no config.yaml, from which it could be repeated otherwise.", "")]
    given = [f"{path} ({name})" for path, name in python_values(content.get("pde"))]
    given += [f"network ({content['custom_network']})"] if content.get("custom_network") else []
    if given:
        text = "Parts of this run were given in Python, so that a script of yours repeats it: "
        return [*commands, (f"{text}{', '.join(given)}.", "")]
    again = shlex.join([*TRAIN, "--config-dir", str(run.path.resolve()), "--config-name", "config"])
    return [*commands, ("The same run again, with all that its config.yaml says:", again)]
