"""The configuration of a run folder: its text, and its comparison with the one that a run began with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from pinnkit.language.errors import Mistake, ProblemError, Report
from pinnkit.problem.problem import Problem
from pinnkit.reading import config_of, shown
from pinnkit.reporting.folder_lock import FOLDER_KEY, FolderUnavailableError
from pinnkit.runs.shipped import portable
from pinnkit.settings import Settings, read_settings

GROUPS = ("trainer", "callbacks", "checkpoint", "logger")
FREE = (*GROUPS, "polish", "overwrite", "reference_max_time")
"""What may change between the parts of a run: it bounds and watches it, and leaves its trajectory alone."""
PLACES = ("resume", "defaults", "hydra", "problem_folder")
"""Where things lie. Samples are compared by their content."""
MEASURES = ("reference", "outside_files", "pde.exact", "pde.reference", "pde.description", "pde.units")
"""What a trained network may be measured against, which does not change it."""
CHOSEN = (
    "network.width", "network.widths", "network.activation", "sampling.equations", "sampling.equations_by_residual",
    "sampling.equations_doublings", "sampling.conditions", "sampling.conditions_doublings", "sampling.residual_power",
    "sampling.residual_power_late", "sampling.residual_floor", "trainer.devices", "trainer.default_reduction", "phases",
    "reference", "weighting.scales",
)  # fmt: skip
"""Keys whose null, or absence, means that a run chooses the value; config.yaml has what it chose."""
CUSTOM_NETWORK = "custom_network"
"""The key of config.yaml with the class of a network that was given in Python."""
IN_PYTHON = "given in Python: "
"""The beginning of a text that stands for a value given in Python."""

ALIASES = 20
"""References to other parts of a configuration at most: of references to references a short text makes gigabytes."""


@contextmanager
def folder_errors_as_mistakes(resume: bool) -> Iterator[None]:
    """Turn a folder that is refused into a mistake of the configuration."""
    try:
        yield
    except FolderUnavailableError as error:
        raise ProblemError([Mistake("resume" if resume else FOLDER_KEY, str(error))]) from None


def repeatable(config: Mapping[str, Any], name: str | None) -> str:
    """The text of config.yaml with Hydra's part, so that `--config-dir RUN --config-name config` runs it again.

    Args:
        name: of the folder in outputs/ for the new run; None: the problem's.
    """
    name = name or config["pde"].get("name", "run")
    head = {
        "defaults": ["_self_", {"override hydra/job_logging": "none"}, {"override hydra/hydra_logging": "none"}],
        "hydra": {"run": {"dir": f"outputs/{name}/${{now:%Y-%m-%d_%H-%M-%S}}"}, "output_subdir": None},
    }
    again: dict[str, Any] = {"overwrite": False}  # it is for one run, and not for those that repeat it
    if isinstance(config.get("problem_folder"), str):
        again["problem_folder"] = portable(config["problem_folder"])
    return yaml.safe_dump({**head, **config, **again}, sort_keys=False, allow_unicode=True)


def as_yaml(problem: Problem, settings: Settings, network: Any = None) -> str:
    """config.yaml of a run from Python: callables and arrays, which YAML cannot hold, by their names alone.

    Args:
        network: one of the user's own.
    """

    def plain(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {str(key): plain(part) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return [plain(part) for part in value]
        if isinstance(value, str | int | float | bool | None):
            return value
        return f"{IN_PYTHON}{getattr(value, '__name__', type(value).__name__)}"

    config = {"pde": plain(problem.config), **config_of(settings), "problem_folder": str(problem.folder.resolve())}
    config["outside_files"] = True  # what the user's own code named is found again by evaluate.py
    if network is not None:
        config[CUSTOM_NETWORK] = type(network).__name__
    return repeatable(config, re.sub(r"[^\w.-]+", "_", problem.name).strip("._") or "problem")


def with_settings(config: str, settings: Settings) -> str:
    """The text of a configuration with these settings in the place of its own; `overwrite` stays."""
    content = yaml.safe_load(config)
    content |= {**config_of(settings), "overwrite": content.get("overwrite", False)}
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def python_values(config: Any, path: str = "pde") -> Iterator[tuple[str, str]]:
    """Path and name of each value that was given in Python."""
    if isinstance(config, Mapping):
        for key, part in config.items():
            yield from python_values(part, f"{path}.{key}")
    elif isinstance(config, list):
        for number, part in enumerate(config, start=1):
            yield from python_values(part, f"{path}[{number}]")
    elif isinstance(config, str) and config.startswith(IN_PYTHON):
        yield path, config.removeprefix(IN_PYTHON)


def check_no_python_values(config: Any, report: Report) -> None:
    """Report each part of a saved problem that was given in Python, which config.yaml holds by its name alone."""
    for path, name in python_values(config):
        message = f"was given in Python ({name}), and config.yaml cannot hold it"
        report.add(path, f"{message}: pass problem= to pinnkit.load, or the problem to pinnkit.solve")


def contradicts(given: Any, kept: Any, path: str) -> bool:
    """Whether a value of a command line is another than the one that a run keeps.

    A null of `CHOSEN` is compared later, when the run has chosen a value for it.
    """
    if given is None and any(path == one or path.startswith(f"{one}.") for one in CHOSEN):
        return False
    if isinstance(given, Mapping) and isinstance(kept, Mapping):
        keys = dict.fromkeys((*given, *kept))
        return any(contradicts(given.get(key), kept.get(key), f"{path}.{key}") for key in keys)
    return given != kept


def check_same(now: str, began: str, checkpoint: Path, report: Report, free: Sequence[str] = FREE) -> None:
    """Make sure that a configuration is the one that a checkpoint was written with.

    Args:
        now, began: as YAML.
        report: gets each key that differs, with both values.
        free: keys that may differ.
    """
    for key, here, there in _differences(_config(now), _config(began)):
        if not any(key == one or key.startswith(f"{one}.") for one in (*free, *PLACES)):
            rule = "a run goes on as it began" if free is FREE else "a network is measured as it was trained"
            message = f"is {_given(here)}, but {_given(there)} in {checkpoint}: {rule}, and only"
            report.add(key, f"{message} {', '.join(one for one in free if one != 'overwrite')} may change")


def parse(text: str) -> dict[str, Any] | None:
    """The content of a saved configuration; None where it is no mapping in YAML, or one of too many aliases."""
    try:
        followed = sum(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader))
        config = yaml.safe_load(text) if followed <= ALIASES else None
    except (yaml.YAMLError, RecursionError):
        return None
    return without_later_choices(config) if isinstance(config, dict) else None


def without_later_choices(config: dict[str, Any]) -> dict[str, Any]:
    """A saved configuration with what a run that is older than a choice did in its place: it scaled no equations."""
    weighting = config.get("weighting")
    if isinstance(weighting, Mapping) and "scales" not in weighting:
        return {**config, "weighting": {**weighting, "scales": False}}
    return config


def _config(text: str) -> dict[str, Any]:
    """A configuration with every setting; those that it leaves out have their defaults."""
    config = parse(text)
    if config is None:
        return {}
    others = {key: value for key, value in config.items() if key not in ("pde", CUSTOM_NETWORK, *PLACES)}
    report = Report()
    settings = read_settings(others, report)
    problem = {key: config.get(key) for key in ("pde", CUSTOM_NETWORK)}
    return {**problem, **(others if report.mistakes else config_of(settings))}


_ABSENT = object()


def _differences(here: Any, there: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Key and both values where they differ; _ABSENT for a value that is not there."""
    if isinstance(here, Mapping) and isinstance(there, Mapping):
        for key in dict.fromkeys((*here, *there)):
            below = f"{path}.{key}" if path else str(key)
            yield from _differences(here.get(key, _ABSENT), there.get(key, _ABSENT), below)
    elif here != there:
        yield path, here, there


def _given(value: Any) -> str:
    return "not given" if value is _ABSENT else shown(value, kept=80)
