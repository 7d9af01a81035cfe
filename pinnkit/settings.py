"""The typed top level of the configuration.

Every part of pinnkit declares its settings as a frozen dataclass beside the code that reads them; here they come
together, and a mapping (from Hydra, or from Python) is read into them: unknown keys, wrong types and values out of
range are reported with the path of the key and the nearest right thing.
"""

from __future__ import annotations

import dataclasses
import sys
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pinnkit.language.errors import SHOWN, Report, suggestion
from pinnkit.losses.settings import Weighting
from pinnkit.networks.settings import Network
from pinnkit.operators.settings import Operators
from pinnkit.optimizers.settings import OPTIMIZERS, FirstOrder
from pinnkit.sampling.settings import Sampling
from pinnkit.training.settings import Callbacks, Checkpoint, Logger, Trainer

MAXIMUM = 10**12
"""The largest whole number that a setting takes, where it names no other: more are no steps, points or bytes."""


@dataclass(frozen=True)
class PhaseSettings:
    """One optimizer: its name, and its settings (None for `auto`)."""

    name: str
    settings: Any = None


@dataclass(frozen=True)
class Settings:
    """How a problem is solved; the problem itself stands apart."""

    seed: int = field(default=0, metadata={"minimum": 0, "maximum": 2**63 - 1})
    dtype: str = field(default="float64", metadata={"choices": ("float64", "float32")})
    network: Network = field(default_factory=Network)
    sampling: Sampling = field(default_factory=Sampling)
    operators: Operators = field(default_factory=Operators)
    optimizer: PhaseSettings = field(default_factory=lambda: PhaseSettings("auto"))
    phases: tuple[PhaseSettings, ...] | None = None
    weighting: Weighting = field(default_factory=Weighting)
    trainer: Trainer = field(default_factory=Trainer)
    checkpoint: Checkpoint = field(default_factory=Checkpoint)
    callbacks: Callbacks = field(default_factory=Callbacks)
    logger: Logger = field(default_factory=Logger)
    reference: str | None = None
    reference_max_time: float = field(default=60.0, metadata={"above": 0.0})
    outside_files: bool = False
    manufactured: dict[str, str] | None = None
    overwrite: bool = False


def read_settings(config: Mapping[str, Any], report: Report) -> Settings:
    """Settings from a mapping; what it leaves out keeps its default. Mistakes go to the report."""
    return read_as(Settings, config, report)


def config_of(settings: Any) -> dict[str, Any]:
    """The mapping that `read_settings` reads these settings from: plain data, for config.yaml."""
    config: dict[str, Any] = {}
    for one in dataclasses.fields(settings):
        value = getattr(settings, one.name)
        if isinstance(value, tuple):
            value = [_phase_config(phase) for phase in value]
        elif isinstance(value, PhaseSettings):
            value = _phase_config(value)
        elif dataclasses.is_dataclass(value):
            value = config_of(value)
        config[one.name] = value
    return config


def _phase_config(phase: PhaseSettings) -> dict[str, Any]:
    return {"name": phase.name, **(config_of(phase.settings) if phase.settings is not None else {})}


def read_as(kind: type, config: Mapping[str, Any], report: Report) -> Any:
    """An instance of any settings dataclass from a mapping, under the same rules."""
    return _read(kind, "", config, report)


def _read(kind: type, path: str, config: Any, report: Report) -> Any:
    """An instance of a settings dataclass from a mapping."""
    if not isinstance(config, Mapping):
        report.add(path, f"{config!r} is not a mapping of settings")
        return kind()
    known = {one.name: one for one in dataclasses.fields(kind)}
    hints = typing.get_type_hints(kind)
    values = {}
    for name, value in config.items():
        key = f"{path}.{name}" if path else str(name)
        if name not in known:
            near = nested(str(name)) if kind is Settings else ""
            report.add(key, f"unknown key '{name}'{near or suggestion(str(name), known)}")
        elif name == "optimizer" and kind is Settings:
            values[name] = _phase(key, value, report)
        elif name == "phases":
            values[name] = _phases(key, value, report)
        elif dataclasses.is_dataclass(hints[name]):
            values[name] = _read(hints[name], key, value, report)
        else:
            complaint = complain(value, hints[name], known[name].metadata)
            if complaint:
                report.add(key, f"{_shown(value)}: {complaint}")
            else:
                values[name] = _converted(value, hints[name])
    return kind(**values)


def nested(name: str) -> str:
    """What to append to a message about a key at the top that is one of a group, or of an optimizer.

    >>> nested("max_time"), nested("learning_rate"), nested("nothing")
    ("; did you mean 'trainer.max_time'?", "; did you mean 'optimizer=adam optimizer.learning_rate'?", '')
    """
    for group in dataclasses.fields(Settings):
        kind = typing.get_type_hints(Settings)[group.name]
        if dataclasses.is_dataclass(kind) and kind is not PhaseSettings and name in _names(kind):
            return f"; did you mean '{group.name}.{name}'?"
    for optimizer, kind in OPTIMIZERS.items():
        if name in _names(kind):
            return f"; did you mean 'optimizer={optimizer} optimizer.{name}'?"
    return ""


def _names(kind: type) -> set[str]:
    return {one.name for one in dataclasses.fields(kind)}


def complain(value: Any, hint: Any, rule: Mapping[str, Any]) -> str:
    """What is wrong with a value, or an empty text. `rule` may hold choices, minimum, maximum, above, below."""
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if value is None:
        return "" if type(None) in options else "a value is needed"
    (kind,) = [option for option in options if option is not type(None)]
    origin = typing.get_origin(kind) or kind
    if origin is dict:
        if not isinstance(value, Mapping):
            return "a mapping is needed"
        inner = typing.get_args(kind)[1]
        wrong = [f"{name}: {complaint}" for name, one in value.items() if (complaint := complain(one, inner, rule))]
        return "; ".join(wrong)
    names = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
    accepted = (int, float) if origin is float else origin
    if not isinstance(value, accepted) or (isinstance(value, bool) and origin is not bool):
        return f"{names[origin]} is needed"
    if origin is float and not (abs(value) <= sys.float_info.max):
        return "a finite number is needed"
    if value == "":
        return "a text is needed, or null" if type(None) in options else "a text is needed"
    if "choices" in rule and value not in rule["choices"]:
        meant = suggestion(value, rule["choices"]) if isinstance(value, str) else ""
        return f"one of {', '.join(map(str, rule['choices']))} is needed{meant}"
    if "minimum" in rule and value < rule["minimum"]:
        return f"at least {rule['minimum']} is needed"
    if "maximum" in rule or origin is int:
        most = rule.get("maximum", MAXIMUM)
        if value > most:
            return f"at most {most} is possible"
    if "above" in rule and value <= rule["above"]:
        return f"more than {rule['above']} is needed"
    if "below" in rule and value >= rule["below"]:
        return f"less than {rule['below']} is needed"
    return ""


def _shown(value: Any) -> str:
    """A value in a message; the digits of a long one are cut."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:20]}... ({len(text)} characters)"


def _converted(value: Any, hint: Any) -> Any:
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if float in options and isinstance(value, int):
        return float(value)
    return dict(value) if isinstance(value, Mapping) else value


def _phases(path: str, config: Any, report: Report) -> tuple[PhaseSettings, ...] | None:
    if config is None:
        return None
    if isinstance(config, str) or not isinstance(config, Sequence) or not config:
        report.add(path, f"{config!r} is not a list of phases: write [{{name: adam, steps: 300}}, ssbroyden]")
        return None
    phases = tuple(_phase(f"{path}[{number}]", one, report) for number, one in enumerate(config, start=1))
    for number, phase in enumerate(phases[:-1], start=1):
        if isinstance(phase.settings, FirstOrder) and phase.settings.steps is None:
            message = f"a phase of {phase.name} ends only by its steps: write {{name: {phase.name}, steps: 300}}"
            report.add(f"{path}[{number}].steps", message)
    return phases


def _phase(path: str, config: Any, report: Report) -> PhaseSettings:
    """An optimizer from its name, or from a mapping with its name and its settings."""
    config = {"name": config} if isinstance(config, str) else config
    if not isinstance(config, Mapping) or not isinstance(config.get("name"), str):
        report.add(path, f"{config!r} is no optimizer: write adam, or {{name: adam, steps: 300}}")
        return PhaseSettings("auto")
    name = config["name"]
    rest = {key: value for key, value in config.items() if key != "name"}
    valid = list(OPTIMIZERS) if path.startswith("phases") else ["auto", *OPTIMIZERS]
    if name not in valid:
        report.add(f"{path}.name", f"unknown optimizer '{name}'{suggestion(name, valid)}")
        return PhaseSettings("auto")
    if name == "auto":
        for key in rest:
            report.add(f"{path}.{key}", "auto has no settings: it chooses them; name an optimizer to set its own")
        return PhaseSettings("auto")
    return PhaseSettings(name, _read(OPTIMIZERS[name], path, rest, report))
