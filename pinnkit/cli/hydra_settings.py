"""Keys of Hydra's own that a configuration may set."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import resources
from typing import Any

import yaml

from pinnkit.language.errors import Report

LOGS = ("none", "disabled", "stdout")
"""Hydra's own ways to log; pinnkit logs by itself."""
SHELL = "set the variables in the shell, before the command"
NO_PLACE = {
    "job.env_set": SHELL,
    "job.env_copy": SHELL,
    "sweeper.params": "give the values of a sweep on the command line, such as -m seed=1,2",
}
"""Keys of Hydra's own that nothing may set, and what does the same."""


def check(config: Mapping[str, Any], multirun: bool, report: Report) -> None:
    """Refuse what would run something else, write elsewhere, or end in an error of Hydra's or Python's.

    Args:
        config: as composed, nothing resolved.
        multirun: whether the command line asks for a sweep.
    """
    hydra = config.get("hydra") or {}
    for key, instead in NO_PLACE.items():
        group, name = key.split(".")
        if (hydra.get(group) or {}).get(name):
            report.add(f"hydra.{key}", f"has no place in a file: {instead}")
    if (hydra.get("job") or {}).get("chdir"):
        report.add("hydra.job.chdir", "true: paths of the command line would name other files; leave it out")
    mode = getattr(hydra.get("mode"), "name", hydra.get("mode"))
    if mode is not None and (mode == "MULTIRUN") != multirun:
        report.add("hydra.mode", f"{mode}: a sweep is asked for by -m, and by nothing else; leave it out")
    subdir = hydra.get("output_subdir")
    plain = isinstance(subdir, str) and subdir not in (".", "..") and re.fullmatch(r"[^/$]+", subdir)
    if subdir is not None and not plain:
        report.add("hydra.output_subdir", f"{subdir!r}: the name of a folder in the run folder is needed, or null")
    verbose = hydra.get("verbose")
    if not isinstance(verbose, bool | str) and not (
        isinstance(verbose, list) and all(isinstance(one, str) for one in verbose)
    ):
        report.add("hydra.verbose", f"{verbose!r}: true, false, or names of loggers are needed")
    reported = " ".join(mistake.key for mistake in report.mistakes)
    choices = (hydra.get("runtime") or {}).get("choices") or {}
    for name in ("job_logging", "hydra_logging"):
        if f"hydra.{name}" not in reported and not _unchanged(name, choices.get(f"hydra/{name}"), hydra.get(name)):
            report.add(f"hydra.{name}", f"is not one of {', '.join(LOGS)} as Hydra has them: leave it out")


def _unchanged(name: str, choice: Any, config: Any) -> bool:
    if choice not in LOGS:
        return False
    file = resources.files("hydra") / "conf" / "hydra" / name / f"{choice}.yaml"
    return config == yaml.safe_load(file.read_text(encoding="utf-8"))
