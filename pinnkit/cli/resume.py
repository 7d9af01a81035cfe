"""The configuration of a run that goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from pinnkit.cli import yaml_files
from pinnkit.cli.quoting import unquoted
from pinnkit.language.errors import Mistake, ProblemError, Report
from pinnkit.reporting.artifacts import RunFolder, RunFolderError
from pinnkit.runs.configuration import FREE, GROUPS, contradicts, without_later_choices
from pinnkit.training.settings import Trainer

MACHINES = ("accelerator", "devices", "nodes")
"""The settings that a choice such as trainer=ddp_cpu is made for."""


def read_saved_config(folder: Path, key: str = "resume") -> dict[str, Any]:
    """The configuration that a run folder keeps; `key` is the argument that names the folder.

    Raises:
        ProblemError: the folder is no run folder, or its config.yaml is damaged.
    """
    run = RunFolder(folder)
    try:
        run.read_config()
    except RunFolderError as error:
        raise ProblemError([Mistake(key, str(error))]) from None
    config = yaml.safe_load(yaml_files.read(run.config, f"{key}: {run.config}"))
    if not config:
        raise ProblemError([Mistake(key, f"{run.config}: is empty")])
    for part in ("defaults", "hydra"):
        config.pop(part, None)
    report = Report()
    for part in GROUPS:
        if not isinstance(config.get(part, {}), Mapping):
            report.add(key, f"{run.config}: {part}: {config[part]!r} is not a mapping of settings")
    report.raise_if_any()
    return without_later_choices(config)


def resumed(config: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """The saved configuration with what this command line may change of it.

    Raises:
        ProblemError: the folder is no run folder or holds no checkpoint, or an override contradicts the saved run.
    """
    folder = Path(str(config["resume"]))
    kept = read_saved_config(folder)
    report = Report()
    run = RunFolder(folder)
    try:
        if not run.resumable:
            report.add("resume", f"{run.last_checkpoint}: there is no such checkpoint to go on from")
    except OSError as error:
        report.add("resume", str(error))
    for override in overrides:
        key, _, text = override.partition("=")
        key = key.lstrip("+~")
        top = key.split(".")[0]
        if key == "hydra.run.dir" and Path(unquoted(text)).resolve() != folder.resolve():
            report.add(key, f"a run goes on in its own folder, {folder}: leave this away")
        if top == "problem_folder":
            kept[top] = config[top]
        if top in ("resume", "hydra", "problem_folder"):
            continue
        if top in FREE:
            value = _get(config, key)
            if key == "trainer":  # the run keeps its limits, but for those that the choice names
                usual = asdict(Trainer())
                named = {one for one in value if one in MACHINES or value[one] != usual.get(one)}
                value = {**kept.get("trainer", {}), **{one: value[one] for one in named}}
            _set(kept, key, value)
        elif not contradicts(_get(config, key), _get(kept, key), key):
            _set(kept, key, _get(config, key))
        else:
            had = _get(kept, key)
            had = had.get("name", had) if isinstance(had, Mapping) else had
            report.add(
                key,
                f"is {had!r} in the run that goes on: only {', '.join(FREE)} may be changed on resuming",
            )
    report.raise_if_any()
    return {**kept, "resume": str(folder)}


def _get(config: Mapping[str, Any], key: str) -> Any:
    value: Any = config
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _set(config: dict[str, Any], key: str, value: Any) -> None:
    *path, last = key.split(".")
    for part in path:
        config = config.setdefault(part, {})
    config[last] = value
