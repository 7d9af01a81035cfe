"""A solution in one file: its configuration, its weights, its metrics, and the data files that the problem names.

The file is a ZIP archive of tensors and texts as torch writes it, read with `weights_only`: nothing in it is executed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from pinnkit.optimizers.state_check import InvalidStateError
from pinnkit.problem.shape_files import FILES
from pinnkit.problem.tables import Files
from pinnkit.reporting.atomic import atomic
from pinnkit.reporting.json_values import parse_json, to_json
from pinnkit.runs.configuration import as_yaml, parse
from pinnkit.settings import Settings
from pinnkit.training.checkpoint_reader import DamagedCheckpoint, read_tensors
from pinnkit.training.feature_state import KEY as FEATURES
from pinnkit.training.feature_state import WINDOWS, check_features, check_windows, saved_state
from pinnkit.training.module import PINN
from pinnkit.versions import versions

KEY = "pinnkit_solution"
FORMAT = 1
"""The version of what a file holds; another number is not read."""


@dataclass(frozen=True)
class Saved:
    """The content of a file.

    Attributes:
        config: that of config.yaml.
        status, metrics: of the run.
        state: the parameters and the features of the module.
        files: name in the configuration -> the bytes of a data file.
    """

    config: dict[str, Any]
    status: str
    metrics: dict[str, Any]
    state: dict[str, Any]
    files: dict[str, bytes]

    def unpack(self, folder: Path) -> None:
        """Write the data files into a folder."""
        for name, content in self.files.items():
            (folder / name).write_bytes(content)


def write(path: Path, module: PINN, settings: Settings, status: str, metrics: Mapping[str, Any]) -> Path:
    """Write a solution to one file, which appears whole or not at all.

    Raises:
        OSError: it cannot be written, or a data file of the problem cannot be read any more.
    """
    problem = module.problem.replace(config=_with_lists(module.problem.config))
    config = yaml.safe_load(as_yaml(problem, settings, module.network.own))
    found = Files(problem.folder)
    names = dict.fromkeys([*_file_names(config["pde"]), *_table(config, "reference")])
    stored = {name: f"{number}_{Path(name).name}" for number, name in enumerate(names, start=1)}
    config["pde"] = _renamed(config["pde"], stored)
    config["reference"] = stored.get(config.get("reference"), config.get("reference"))
    config["outside_files"] = False  # all of them are in this file
    files = {stored[name]: np.frombuffer(found.path(name).read_bytes(), dtype=np.uint8).copy() for name in names}
    content = {
        KEY: FORMAT,
        "config": yaml.safe_dump(config, sort_keys=False, allow_unicode=True),
        "status": status,
        "metrics": json.dumps(to_json(metrics)[0]),
        "versions": versions(),
        **saved_state(module, module.model),
        "files": {name: torch.from_numpy(content) for name, content in files.items()},
    }
    with atomic(path) as temporary:
        torch.save(content, temporary)
    return path


def read(path: Path) -> Saved:
    """The content of a file, after checking that every byte is as it was written, and every part of its kind.

    Raises:
        DamagedCheckpoint: it is missing, cut short, altered, of another format, or holds more than numbers and texts.
    """
    content = read_tensors(path)
    had = content.get(KEY) if isinstance(content, dict) else None
    if had is None:
        raise DamagedCheckpoint(path, "is no saved solution of pinnkit: it has no 'pinnkit_solution'")
    if not isinstance(had, int) or had != FORMAT:
        raise DamagedCheckpoint(path, f"has the format {had!r}, and this version of pinnkit reads {FORMAT}")
    kinds = {"config": str, "status": str, "metrics": str, "state_dict": Mapping, "files": Mapping}
    for key, kind in kinds.items():
        if not isinstance(content.get(key), kind):
            raise DamagedCheckpoint(path, f"is no saved solution of pinnkit: '{key}' is no {kind.__name__.lower()}")
    config = parse(content["config"])
    if config is None or not isinstance(config.get("pde"), dict):
        raise DamagedCheckpoint(path, "is damaged: its configuration is no mapping with the key pde")
    for key in ("state_dict", "files"):
        if not all(isinstance(name, str) and isinstance(one, torch.Tensor) for name, one in content[key].items()):
            raise DamagedCheckpoint(path, f"is damaged: '{key}' is no mapping of names to tensors")
    files = {}
    for name, one in content["files"].items():
        if one.dtype != torch.uint8 or one.ndim != 1 or Path(name).name != name:
            raise DamagedCheckpoint(path, f"is damaged: the data file '{name[:60]}' in it is none")
        files[name] = one.numpy().tobytes()
    try:
        metrics = parse_json(content["metrics"])
    except ValueError as error:
        raise DamagedCheckpoint(path, f"is damaged: its metrics are no JSON ({error})") from None
    if not isinstance(metrics, dict):
        raise DamagedCheckpoint(path, "is damaged: its metrics are no mapping")
    parts = {key: content.get(key) for key in (FEATURES, WINDOWS)}
    state = {"state_dict": dict(content["state_dict"]), **parts}
    return Saved(config, content["status"], metrics, state, files)


def check_weights(path: Path, state: Mapping[str, Any], module: PINN) -> None:
    """Make sure that weights are those of a module, and that the features can be added to it.

    Raises:
        DamagedCheckpoint: they are not.
    """
    try:
        check_features(state[FEATURES], module.model)
        check_windows(state[WINDOWS], module.model)
    except InvalidStateError as error:
        raise DamagedCheckpoint(path, f"is damaged: {error}") from None
    weights, own = state["state_dict"], module.state_dict()
    shapes = [{name: (value.shape, value.dtype) for name, value in one.items()} for one in (weights, own)]
    if shapes[0] != shapes[1]:
        different = sorted(name for name in {*weights, *own} if shapes[0].get(name) != shapes[1].get(name))
        raise DamagedCheckpoint(path, f"holds other networks than its problem and its settings make: {different[0]}")


def _with_lists(config: Any) -> Any:
    """A configuration with lists of numbers in the place of arrays, which YAML can hold."""
    if isinstance(config, Mapping):
        return {key: _with_lists(value) for key, value in config.items()}
    return config.tolist() if isinstance(config, np.ndarray) else config


def _file_names(config: Mapping[str, Any]) -> Iterator[str]:
    """The names of the data files in a problem's configuration."""
    places = [(one, "data") for one in _mappings(config.get("conditions"))]
    places += [(one, "file") for one in _mappings(config.get("tables"))]
    places += [(one, kind) for one in _mappings(config.get("shapes")) for kind in FILES]
    places.append((config, "reference"))
    for one, key in places:
        yield from _table(one, key)


def _table(config: Mapping[str, Any], key: str) -> Iterator[str]:
    """The name of a data file under a key, where there is one."""
    name = config.get(key)
    if isinstance(name, str) and Path(name).suffix:
        yield name


def _mappings(config: Any) -> list[Mapping[str, Any]]:
    return [one for one in config.values() if isinstance(one, Mapping)] if isinstance(config, Mapping) else []


def _renamed(config: Any, names: Mapping[str, str], key: str = "") -> Any:
    """The configuration with other names of files."""
    if isinstance(config, Mapping):
        return {one: _renamed(value, names, one) for one, value in config.items()}
    is_file = isinstance(config, str) and key in ("data", "file", "reference", *FILES)
    return names.get(config, config) if is_file else config
