"""The configuration that a run keeps, and whether it is the one that the run began with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from pinnkit.language.errors import Mistake, ProblemError, Report
from pinnkit.problem.problem import Problem
from pinnkit.reading import config_of
from pinnkit.reporting.folder_lock import FOLDER_KEY, FolderUnavailableError
from pinnkit.settings import Settings, read_settings

GROUPS = ("trainer", "callbacks", "checkpoint", "logger")
FREE = (*GROUPS, "overwrite", "reference_max_time")
"""What may change between the parts of a run: it bounds and watches it, and leaves its trajectory alone."""
PLACES = ("resume", "defaults", "hydra", "problem_folder")
"""Where things lie. Samples are compared by their content."""
MEASURES = ("reference", "outside_files", "pde.exact", "pde.reference", "pde.description")
"""What a trained network may be measured against, which does not change it."""

ALIASES = 20
"""References to other parts of a configuration at most: of references to references a short text makes gigabytes."""


@contextmanager
def refusing(resume: bool) -> Iterator[None]:
    """A folder that is refused is a mistake of the configuration."""
    try:
        yield
    except FolderUnavailableError as error:
        raise ProblemError([Mistake("resume" if resume else FOLDER_KEY, str(error))]) from None


def as_yaml(problem: Problem, settings: Settings) -> str:
    """config.yaml of a run from Python: callables and arrays, which YAML cannot hold, by their names alone."""

    def plain(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {str(key): plain(part) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return [plain(part) for part in value]
        if isinstance(value, str | int | float | bool | None):
            return value
        return f"given in Python: {getattr(value, '__name__', type(value).__name__)}"

    config = {"pde": plain(problem.config), **config_of(settings), "problem_folder": str(problem.folder.resolve())}
    config["outside_files"] = True  # what the user's own code named is found again by evaluate.py
    config["overwrite"] = False  # for one run, and not for those that repeat it
    return yaml.safe_dump(config, sort_keys=False, allow_unicode=True)


def check_same(now: str, began: str, checkpoint: Path, report: Report, free: Sequence[str] = FREE) -> None:
    """Make sure that a configuration is the one that a checkpoint was written with.

    Args:
        now, began: as YAML.
        report: is told each key that differs, with both values.
        free: keys that may differ.
    """
    for key, here, there in _differences(_config(now), _config(began)):
        if not any(key == one or key.startswith(f"{one}.") for one in (*free, *PLACES)):
            rule = "a run goes on as it began" if free is FREE else "a network is measured as it was trained"
            message = f"is {_shown(here)}, but {_shown(there)} in {checkpoint}: {rule}, and only"
            report.add(key, f"{message} {', '.join(one for one in free if one != 'overwrite')} may change")


def _config(text: str) -> dict[str, Any]:
    """A configuration with every setting: those that it leaves out, or an older version did not know, by default."""
    try:
        followed = sum(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader))
        config = yaml.safe_load(text) if followed <= ALIASES else None
    except (yaml.YAMLError, RecursionError):
        config = None
    if not isinstance(config, Mapping):
        return {}
    others = {key: value for key, value in config.items() if key not in ("pde", *PLACES)}
    report = Report()
    settings = read_settings(others, report)
    return {"pde": config.get("pde"), **(others if report.mistakes else config_of(settings))}


_ABSENT = object()


def _differences(here: Any, there: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Key and both values where they differ; _ABSENT for a value that is not there."""
    if isinstance(here, Mapping) and isinstance(there, Mapping):
        for key in dict.fromkeys((*here, *there)):
            below = f"{path}.{key}" if path else str(key)
            yield from _differences(here.get(key, _ABSENT), there.get(key, _ABSENT), below)
    elif here != there:
        yield path, here, there


def _shown(value: Any) -> str:
    text = "not given" if value is _ABSENT else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
