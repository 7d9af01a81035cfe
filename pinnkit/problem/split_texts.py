"""Expressions that YAML has split at a comma, put together again so that one mistake makes one message."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from pinnkit.language.errors import SHOWN, Report

SPLIT = "inside {...} and [...] YAML takes a comma for a separator; quote the expression"


def joined(config: Any, path: str, report: Report) -> Any:
    """The configuration with every split expression in one piece; each is reported with its quoted text.

    A mapping `{n: f(a, b)}` is read as the text `f(a` and a key `b)` without value, a list `[f(a, b)]` as two texts.
    A text whose brackets stay open is joined with what follows until they are closed, if they ever are.

    >>> report = Report()
    >>> joined({"u": "max(x", 0: None, "t)": None, "v": "x"}, "exact", report)
    {'u': 'max(x, 0, t)', 'v': 'x'}
    >>> print(report.mistakes[0].key, report.mistakes[0].message)
    exact.u inside {...} and [...] YAML takes a comma for a separator; quote the expression: "max(x, 0, t)"
    """
    if isinstance(config, Mapping):
        entries = list(config.items())
        found: dict[Any, Any] = {}
        while entries:
            key, value = entries.pop(0)
            tail = [str(name) for name in _without_values(entries)]
            text, count = _closed(value, tail)
            if count:
                report.add(f"{path}.{key}" if path else str(key), _message(text))
                del entries[:count]
            found[key] = text if count else joined(value, f"{path}.{key}" if path else str(key), report)
        return found
    if isinstance(config, list | tuple):
        pieces: list[Any] = []
        values = list(config)
        while values:
            value, place = values.pop(0), f"{path}[{len(pieces) + 1}]"
            tail = [str(one) for one in values if isinstance(one, str | int | float)]
            text, count = _closed(value, tail) if len(tail) == len(values) else (value, 0)
            if count:
                report.add(place, _message(text))
                del values[:count]
            pieces.append(text if count else joined(value, place, report))
        return pieces
    return config


def _without_values(entries: list[tuple[Any, Any]]) -> list[Any]:
    """The keys of the first entries that have no value."""
    return [key for key, _ in itertools.takewhile(lambda entry: entry[1] is None, entries)]


def _closed(value: Any, tail: list[str]) -> tuple[Any, int]:
    """The text with so many of the texts behind it that its brackets are closed, and their number: 0, if none helps."""
    if not isinstance(value, str) or _open(value) <= 0:
        return value, 0
    for count in range(1, len(tail) + 1):
        text = ", ".join([value, *tail[:count]])
        if _open(text) == 0:
            return text, count
    return value, 0


def _open(text: str) -> int:
    return text.count("(") - text.count(")")


def _message(text: str) -> str:
    return f'{SPLIT}: "{text[:SHOWN]}{"..." if len(text) > SHOWN else ""}"'
