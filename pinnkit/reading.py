"""Settings dataclasses read from mappings, and written back.

The metadata of a field may hold `choices`, `minimum`, `maximum`, `above` and `below` (strict bounds). A field whose
metadata is that of `part` or `parts` holds settings of any class of a registry, told apart by the registry's tag.
"""

from __future__ import annotations

import dataclasses
import sys
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pinnkit.language.errors import SHOWN, Report, nearest, suggestion
from pinnkit.registry import Registry

MAXIMUM = 10**12
"""The largest whole number that a setting takes, where it names no other: more are no steps, points or bytes."""

TAGS = ("name", "method")
"""The keys that name parts, of one registry or another."""


def part(registry: Registry, other: type[Any] | None = None) -> Any:
    """The field of a settings dataclass for one part of a registry.

    Args:
        other: a class with a `name` that the field may hold besides, which is then the default.
    """
    default = other or (lambda: registry[str(registry.default)]())
    return dataclasses.field(default_factory=default, metadata={"registry": registry, "other": other})


def parts(registry: Registry, example: str) -> Any:
    """The field for a tuple of parts of a registry, or None; the example is for messages."""
    return dataclasses.field(default=None, metadata={"registry": registry, "example": example})


def classes(field: dataclasses.Field[Any]) -> dict[str, type[Any]]:
    """The classes by name that a field of `part` or `parts` may hold, the default one first; empty for other fields."""
    registry, other = field.metadata.get("registry"), field.metadata.get("other")
    if registry is None:
        return {}
    first = {other.name: other} if other else {}
    if registry.default:
        first[registry.default] = registry[registry.default]
    return {**first, **registry}


def read_as(kind: type[Any], config: Mapping[str, Any], report: Report) -> Any:
    """An instance of a settings dataclass from a mapping; what it leaves out keeps its default."""
    return _read(kind, "", config, report)


def config_of(settings: Any) -> dict[str, Any]:
    """The mapping that `read_as` reads these settings from: plain data, for config.yaml."""
    config: dict[str, Any] = {}
    for field in dataclasses.fields(settings):
        value, registry = getattr(settings, field.name), field.metadata.get("registry")
        if isinstance(value, tuple) and registry is None:
            value = list(value)
        elif registry is not None and isinstance(value, tuple):
            value = [{registry.tag: one.name, **config_of(one)} for one in value]
        elif registry is not None and value is not None:
            value = {registry.tag: value.name, **config_of(value)}
        elif dataclasses.is_dataclass(value):
            value = config_of(value)
        config[field.name] = value
    return config


def _read(kind: type[Any], path: str, config: Any, report: Report, tag: str | None = None) -> Any:
    """An instance of a settings dataclass from a mapping; `tag`: the key that named it, if one may."""
    if not isinstance(config, Mapping):
        report.add(path, f"{shown(config)} is not a mapping of settings")
        return kind()
    known = {field.name: field for field in dataclasses.fields(kind)}
    hints = typing.get_type_hints(kind)
    values = {}
    for name, value in config.items():
        key = f"{path}.{name}" if path else str(name)
        if name not in known:
            near = suggest_key_elsewhere(kind, str(name)) or suggest_tag(str(name), tag, known)
            if not near:
                near = suggestion(str(name), known) if known else f": {kind.name} has no settings of its own"
            report.add(key, f"unknown key '{name}'{near}")
        elif "example" in known[name].metadata:
            values[name] = _read_parts(known[name], key, value, report)
        elif "registry" in known[name].metadata:
            values[name] = _read_part(known[name], key, value, report)
        elif dataclasses.is_dataclass(hints[name]):
            values[name] = _read(hints[name], key, value, report)
        else:
            complaint = type_error(value, hints[name], known[name].metadata)
            if complaint:
                report.add(key, f"{shown(value)}: {complaint}")
            else:
                values[name] = _converted(value, hints[name])
    return kind(**values)


def _read_part(field: dataclasses.Field, path: str, config: Any, report: Report) -> Any:
    """The settings of one part from its name, or from a mapping with its name and its settings."""
    registry, valid = field.metadata["registry"], classes(field)
    usual = next(iter(valid))
    config = {registry.tag: config} if isinstance(config, str) else config
    name = config.get(registry.tag, registry.default) if isinstance(config, Mapping) else None
    if not isinstance(name, str):
        named = registry.default or next(iter(registry))
        example = f"write {named}, or {{{registry.tag}: {named}}} with settings of its own"
        report.add(path, f"{shown(config)} is no {registry.kind}: {example}")
        return valid[usual]()
    if name not in valid:
        report.add(f"{path}.{registry.tag}", registry.unknown(name, suggestion(name, valid)))
        return valid[usual]()
    rest = {key: value for key, value in config.items() if key != registry.tag}
    return _read(valid[name], path, rest, report, registry.tag)


def _read_parts(field: dataclasses.Field, path: str, config: Any, report: Report) -> tuple[Any, ...] | None:
    if config is None:
        return None
    if isinstance(config, str) or not isinstance(config, Sequence) or not config:
        report.add(path, f"{shown(config)} is not a list of {field.name}: write {field.metadata['example']}")
        return None
    return tuple(_read_part(field, f"{path}[{number}]", one, report) for number, one in enumerate(config, start=1))


def suggest_tag(name: str, tag: str | None, known: Iterable[str]) -> str:
    """What to append to a message about an unknown key of a part that was probably meant to name it.

    >>> suggest_tag("name", "method", ["pool"]), suggest_tag("poo", "method", ["pool"])
    ("; did you mean 'method'?", '')
    """
    meant = tag is not None and (name in TAGS or nearest(name, [*known, tag]) == tag)
    return f"; did you mean '{tag}'?" if meant else ""


def settings_class(kind: type, group: str, config: Mapping[str, Any]) -> tuple[type[Any] | None, str | None]:
    """The class that a group of settings, or a part as configured, is read into, and the key that names a part."""
    field = next((one for one in dataclasses.fields(kind) if one.name == group), None)
    if field is None or "example" in field.metadata:
        return None, None
    if "registry" in field.metadata:
        tag = field.metadata["registry"].tag
        return classes(field).get(str(config.get(tag))), tag
    hint: type[Any] = typing.get_type_hints(kind)[group]
    is_group = dataclasses.is_dataclass(hint)
    return (hint if is_group else None), None


def suggest_key_elsewhere(kind: type, name: str) -> str:
    """What to append to a message about a key that is one of a group of settings, or of a part.

    >>> from pinnkit.settings import Settings
    >>> suggest_key_elsewhere(Settings, "max_time"), suggest_key_elsewhere(Settings, "nothing")
    ("; did you mean 'trainer.max_time'?", '')
    >>> suggest_key_elsewhere(Settings, "learning_rate")
    "; did you mean 'optimizer=adam optimizer.learning_rate'?"
    """
    hints, fields = typing.get_type_hints(kind), dataclasses.fields(kind)
    for field in fields:
        if "example" in field.metadata:
            continue
        usual = next(iter(classes(field).values()), hints[field.name])
        if dataclasses.is_dataclass(usual) and name in _names(usual):
            return f"; did you mean '{field.name}.{name}'?"
    for field in fields:
        for part_name, one in classes(field).items():
            if "example" not in field.metadata and name in _names(one):
                return f"; did you mean '{field.name}={part_name} {field.name}.{name}'?"
    return ""


def _names(kind: type) -> set[str]:
    return {field.name for field in dataclasses.fields(kind)}


def type_error(value: Any, hint: Any, rule: Mapping[str, Any]) -> str:
    """What is wrong with a value, or an empty text. `rule` may hold choices, minimum, maximum, above, below."""
    if hint is Any:  # what it may be depends on the problem
        return ""
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if value is None:
        return "" if type(None) in options else "a value is needed"
    (kind,) = [option for option in options if option is not type(None)]
    origin = typing.get_origin(kind) or kind
    if origin is dict:
        if not isinstance(value, Mapping):
            return "a mapping is needed"
        inner = typing.get_args(kind)[1]
        wrong = [f"{name}: {complaint}" for name, one in value.items() if (complaint := type_error(one, inner, rule))]
        return "; ".join(wrong)
    if origin is tuple:
        inner = typing.get_args(kind)[0]
        accepted = (int, float) if inner is float else inner
        ones = [value] if isinstance(value, accepted) else value
        if isinstance(ones, str) or not isinstance(ones, Sequence) or not ones:
            return (
                f"a list is needed, of {', '.join(map(str, rule['choices']))}"
                if "choices" in rule
                else "a list is needed"
            )
        return next((complaint for one in ones if (complaint := type_error(one, inner, rule))), "")
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
        meant = meant if "did you mean" in meant else ""  # all of them are listed
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


def shown(value: Any, kept: int = 20) -> str:
    """A value in a message; of a long one the first `kept` characters, and how many there are."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:kept]}... ({len(text)} characters)"


def _converted(value: Any, hint: Any) -> Any:
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if float in options and isinstance(value, int):
        return float(value)
    if value is not None and any(typing.get_origin(option) is tuple for option in options):
        ones = [value] if isinstance(value, str | int | float) else value
        floats = any(typing.get_args(option)[:1] == (float,) for option in options)
        return tuple(dict.fromkeys(float(one) if floats else one for one in ones))
    return dict(value) if isinstance(value, Mapping) else value
