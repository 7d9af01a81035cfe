"""Mistakes of the command line or of a file, from Hydra's errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml
from hydra.errors import ConfigCompositionException, MissingConfigException, OverrideParseException

from pinnkit.cli.yaml_files import options
from pinnkit.language.errors import Mistake, suggestion
from pinnkit.reading import settings_class, suggest_key_elsewhere, suggest_tag
from pinnkit.settings import Settings

LAUNCHER = "hydra/launcher="
NO_CHOICE = "No match in the defaults list"
"""What Hydra says where a configuration chooses no file of a group."""
MISSING = r"Could not \w+ '([^']+)/([^'/]+)'"
"""What Hydra says of a group's option that no file has."""

METHODS = {
    ("network", "features"): "random features are solved for, not trained: write method=features in its place",
    ("optimizer", "least_squares"): "it solves for random features: write method=features in its place",
}
"""What is meant by options that no group has."""


def as_mistake(error: Exception, folders: Sequence[Path], keys: Callable[[str], Any]) -> Mistake:
    """The mistake that an error of Hydra's, OmegaConf's or YAML's is about.

    Args:
        keys: gives the part of the configuration below a key, for a suggestion.
    """
    text = str(error)
    if isinstance(error, yaml.YAMLError):
        return Mistake("YAML", text)
    if isinstance(error, MissingConfigException) and (found := re.search(MISSING, text)):
        group, name = found.groups()
        return _missing_option(group, name, folders)
    if isinstance(error, OverrideParseException):
        return unreadable(text)
    if found := re.search(r"Could not override '([^']+)'", text):
        return _unknown_key(found.group(1), text, keys)
    if isinstance(error, ConfigCompositionException) and text and "full_key: " not in text:
        return unreadable(text)
    reason, *rest = (text or str(error.__cause__)).splitlines()
    file = re.match(r"In '([^']+)': .* raised while composing config:$", reason)
    if file and rest:
        reason, *rest = rest
    key = next((line.split()[1] for line in rest if re.match(r"\s*full_key: \S", line)), None)
    return Mistake(key or (f"{file[1]}.yaml" if file else "configuration"), reason)


def unreadable(text: str) -> Mistake:
    """An override that Hydra cannot read."""
    hint = "quote a value that holds spaces, commas or an = : 'pde.equations.heat=\"u_t = u_xx\"'"
    return Mistake("command line", f"{text.split(chr(10) + 'See')[0]}\n{hint}")


def _missing_option(group: str, name: str, folders: Sequence[Path]) -> Mistake:
    known = options(folders, group)
    message = f"there is no '{name}'{suggestion(name, known)}"
    if f"{group}=" == LAUNCHER:
        message += "; if it is one of Hydra's: pip install 'pinnkit[launchers]', or hydra-ray-launcher"
    elif hint := METHODS.get((group, name)):
        message = f"there is no '{name}': {hint}"
    elif group == "pde" and name.endswith((".yaml", ".yml")):
        message = f"there is no file '{name}', nor a problem of that name{suggestion(Path(name).stem, known)}"
    return Mistake(group, message)


def _unknown_key(key: str, text: str, keys: Callable[[str], Any]) -> Mistake:
    """An override of a key that does not exist, with the nearest that does."""
    if NO_CHOICE in text:
        return Mistake(key, f"the configuration chooses no file of conf/{key}: leave {key}= out, or set its keys")
    parent, _, last = key.rpartition(".")
    above, _, group = parent.rpartition(".")
    if parent and group not in (known := keys(above) or {group: None}):
        near = suggestion(group, [str(name) for name in known])
        return Mistake(parent, f"unknown key '{group}'{near}")
    config = keys(parent)
    valid = [str(name) for name in config] if isinstance(config, dict) else []
    if parent == "optimizer" and config == {"name": "auto"}:
        return Mistake(key, "optimizer=auto chooses its settings itself: name an optimizer too, such as optimizer=adam")
    if last in valid and "No match in the defaults list" in text:
        return Mistake(key, f"this configuration chooses no file of conf/{key}: write +{key}=NAME to add one")
    if last in valid:  # the key exists, its new value does not fit
        return unreadable(text)
    if not parent:
        return Mistake(key, f"unknown key '{last}'{suggest_key_elsewhere(Settings, last) or suggestion(last, valid)}")
    kind, tag = settings_class(Settings, parent, config) if isinstance(config, dict) else (None, None)
    known = [field.name for field in fields(kind)] if kind is not None else []
    if last in known:
        file = f"conf/{parent}/{config[tag]}.yaml" if tag else f"the file in conf/{parent}/"
        return Mistake(key, f"'{last}' is not in the configuration file: write +{key}=..., or add it to {file}")
    return Mistake(key, f"unknown key '{last}'{suggest_tag(last, tag, valid) or suggestion(last, [*valid, *known])}")
