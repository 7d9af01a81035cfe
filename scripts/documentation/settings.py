"""The page of the settings: every key with its type, its default and its meaning, from the settings' classes."""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import itertools
import json
import re
import textwrap
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from documentation.markdown import code, table
from pinnkit.cli.evaluate import Request
from pinnkit.cli.sweep import Sweep
from pinnkit.reading import classes
from pinnkit.runs import shipped
from pinnkit.settings import Settings

HEAD = """\
# Settings

Every key can be given on the command line (`pinnkit train pde=heat network.width=40`), in a configuration file
(`--config-dir FOLDER`), in an experiment (`experiment=NAME`), or from Python as a mapping
(`pinnkit.solve(problem, folder, {"network": {"width": 40}})`). A key that nothing reads is an error. A group has files
in `conf/`, one for each of its choices: `trainer=gpu`. `null` stands for a value that is chosen, or a limit that is not
there; `config.yaml` in the run folder has the values as used.

`python scripts/make_documentation.py` makes this page from the settings' classes.
"""
COMMAND_LINE = [
    ("`pde`", "`heat`", "A shipped problem (`pinnkit list`), or the path of a problem file."),
    ("`experiment`", "`null`", "Several settings under one name: `quick`, `accurate`, or a file of your own."),
    ("`resume`", "`null`", "A run folder: training goes on from its last checkpoint."),
    ("`problem_folder`", "the problem's", "Where the files that the problem names are, if they have been moved."),
    ("`hydra.run.dir`", "`outputs/NAME/DATE`", "The run folder."),
    ("`hydra.sweep.dir`", "`outputs/multirun/DATE`", "The folder of a multirun (`-m`), with `summary.csv`."),
    ("`hydra/launcher`", "`basic`", "How the runs of a multirun start: `workers`, `slurm`, `ray_workers`."),
]


LARGE = 10**5
"""Bounds from here on are not shown: they only keep mistakes out."""


def page() -> str:
    """The page as Markdown."""
    single = [one for one in dataclasses.fields(Settings) if not _is_group(one)]
    parts = [HEAD, "## Single keys", _rows(Settings, single), _command_line()]
    for field in dataclasses.fields(Settings):
        if _is_group(field):
            parts.append(f"## `{field.name}`")
            parts.extend(_group(field))
    parts += ["## `pinnkit evaluate`", _rows(Request, dataclasses.fields(Request))]
    parts += ["## `pinnkit sweep`", _rows(Sweep, dataclasses.fields(Sweep), "sweep.")]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def text(kind: type, name: str) -> str:
    """What a settings class says of a field: the text below it, or `help` in its metadata, or nothing."""
    for one in kind.__mro__:
        if dataclasses.is_dataclass(one) and (found := _texts(one).get(name)):
            return found
    field = next(one for one in dataclasses.fields(kind) if one.name == name)
    return field.metadata.get("help", "")


@functools.cache
def _texts(kind: type) -> dict[str, str]:
    """The texts that stand below the fields of a class, not those of its bases."""
    if not inspect.get_annotations(kind):  # it may be made by make_dataclass, and has no source then
        return {}
    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0].body
    return {
        field.target.id: " ".join(below.value.value.split())
        for field, below in itertools.pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
    }


def _is_group(field: dataclasses.Field) -> bool:
    hint = typing.get_type_hints(Settings)[field.name]
    return field.name not in ("phases", "stages") and (bool(classes(field)) or dataclasses.is_dataclass(hint))


def _group(field: dataclasses.Field) -> Iterator[str]:
    """The paragraphs of a group: what it is, its choices, its keys, and those of its parts."""
    parts = classes(field)
    if not parts:
        kind = typing.get_type_hints(Settings)[field.name]
        yield inspect.getdoc(kind)
        yield from _files(field.name, kind)
        yield _rows(kind, dataclasses.fields(kind), f"{field.name}.")
        return
    tag = field.metadata["registry"].tag
    usual = next(iter(parts))
    choices = [(code(f"{field.name}={name}"), first_paragraph(one)) for name, one in parts.items()]
    yield f"The key `{field.name}.{tag}` names one of these; the default is `{usual}`."
    yield table(("choice", "what it is"), choices)
    owners: dict[tuple[str, ...], list[str]] = {}
    for name, one in parts.items():
        for row in map(functools.partial(_row, one, prefix=f"{field.name}."), dataclasses.fields(one)):
            owners.setdefault(row, []).append(name)
    many = sum(bool(dataclasses.fields(one)) for one in parts.values())
    if all(len(names) == many for names in owners.values()):
        yield table(("key", "type", "default", "meaning"), owners)
        return
    rows = [(row[0], "all" if len(names) == many else ", ".join(names), *row[1:]) for row, names in owners.items()]
    yield table(("key", "of", "type", "default", "meaning"), sorted(rows, key=lambda row: row[0]))


def _files(group: str, kind: type) -> Iterator[str]:
    """The choices of a group without parts: its files, and what they change."""
    usual, choices = kind(), []
    for file in sorted((shipped.conf() / group).glob("*.yaml")):
        words = yaml.safe_load(file.read_text(encoding="utf-8"))
        base = [one for one in words.pop("defaults", []) if one != "_self_"]
        default = dict(_flat(dataclasses.asdict(usual)))
        changed = {key: value for key, value in _flat(words) if value != _plain(default[key])}
        sets = ", ".join(f"`{group}.{key}={json.dumps(value).strip(chr(34))}`" for key, value in changed.items())
        parent = f"as `{group}={base[0]}`" if base and base[0] not in ("default", "cpu") else ""
        choices.append(
            (code(f"{group}={file.stem}"), ", and ".join(filter(None, (parent, sets))) or "the defaults below")
        )
    if choices:
        yield table(("choice", "what it sets"), choices)


def _flat(words: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Values by dotted keys."""
    for key, value in words.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _plain(value: Any) -> Any:
    """A value as a file writes it."""
    return list(value) if isinstance(value, tuple) else value


def _rows(kind: type, fields: Iterable[dataclasses.Field], prefix: str = "") -> str:
    return table(("key", "type", "default", "meaning"), _listed(kind, fields, prefix))


def _listed(kind: type, fields: Iterable[dataclasses.Field], prefix: str) -> Iterator[tuple[str, ...]]:
    """A row for each field; a field that holds settings itself has one for each of theirs."""
    for one in fields:
        inner = typing.get_type_hints(kind)[one.name]
        if dataclasses.is_dataclass(inner):
            yield from _listed(inner, dataclasses.fields(inner), f"{prefix}{one.name}.")
        else:
            yield _row(kind, one, prefix)


def _row(kind: type, field: dataclasses.Field, prefix: str = "") -> tuple[str, ...]:
    """Key, type, default and meaning of a field."""
    hint = typing.get_type_hints(kind)[field.name]
    return code(f"{prefix}{field.name}"), _type(hint, field), _default(field), _meaning(text(kind, field.name))


def _command_line() -> str:
    return "Keys of the command line alone:\n\n" + table(("key", "default", "meaning"), COMMAND_LINE)


def _type(hint: Any, field: dataclasses.Field) -> str:
    """The type of a field and its bounds, in words."""
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    null = ", or `null`" if type(None) in options else ""
    kind = next(one for one in options if one is not type(None))
    rule = field.metadata
    origin = typing.get_origin(kind) or kind
    if "choices" in rule:
        listed = "list of " if origin is tuple else ""
        return listed + " \\| ".join(f"`{one}`" for one in rule["choices"]) + null
    if "example" in rule:
        return "list of optimizers" + null
    if origin is tuple:
        return "list of texts" + null
    inner = typing.get_args(kind)[1] if origin is dict else origin
    names = {int: "whole number", float: "number", str: "text", bool: "`true` \\| `false`", Any: "value"}
    named = f"mapping of {names[inner]}s" if origin is dict else names[inner]
    bounds = [
        f"{words} {_number(rule[key])}"
        for key, words in (("minimum", "from"), ("above", "above"), ("maximum", "to"), ("below", "below"))
        if key in rule and rule[key] < LARGE
    ]
    return f"{named} {' '.join(bounds)}".strip() + null


def _default(field: dataclasses.Field) -> str:
    missing = field.default is dataclasses.MISSING
    value = field.default_factory() if missing else field.default
    if value == "":
        return "needed"
    if isinstance(value, bool) or value is None:
        return code({True: "true", False: "false", None: "null"}[value])
    if isinstance(value, tuple):
        return code(f"[{', '.join(map(str, value))}]")
    return code(_number(value) if isinstance(value, float | int) else str(value))


def _number(value: float) -> str:
    return f"{value:g}" if isinstance(value, float) or abs(value) < 10**6 else f"{value:.3g}"


def _meaning(text: str) -> str:
    """The text of a field as a sentence, in which null is called null."""
    symbol = re.match(r"\w\b|\w+:", text)
    text = text.replace("|", "\\|").rstrip(".") + "."
    return re.sub(r"\b(None|null)\b", "`null`", text if symbol else text[:1].upper() + text[1:])


def first_paragraph(kind: type) -> str:
    """The first paragraph of the docstring of a class, in one line."""
    return " ".join(inspect.getdoc(kind).split("\n\n")[0].split())
