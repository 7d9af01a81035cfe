"""Conversion of Python values to JSON and back."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np


def to_json(mapping: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """A mapping in plain dictionaries, lists, numbers and text, and the dotted names of what was not finite.

    NumPy scalars and arrays become numbers and lists, a Path its text, NaN and +-inf None (JSON has no word
    for them). Raises TypeError, naming the dotted key, for a value of any other type.

    >>> to_json({"loss": np.float32(0.5), "relative_l2": {"u": float("nan")}})
    ({'loss': 0.5, 'relative_l2': {'u': None}}, ['relative_l2.u'])
    """
    not_finite: list[str] = []

    def plain(value: Any, key: str) -> Any:
        if isinstance(value, np.ndarray | np.generic):
            value = value.tolist()
        if value is None or isinstance(value, bool | int | str):
            return value
        if isinstance(value, float):
            if math.isfinite(value):
                return value
            not_finite.append(key)
            return None
        if isinstance(value, Path):
            return str(value)
        if isinstance(value, Mapping):
            return {str(name): plain(item, f"{key}.{name}" if key else str(name)) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [plain(item, f"{key}.{index}") for index, item in enumerate(value)]
        raise TypeError(
            f"{key} = {value!r} is a {type(value).__name__}: expected a number, text, a path, an array, "
            "a list or a mapping of these"
        )

    return plain(mapping, ""), not_finite


def parse_json(text: str) -> Any:
    """JSON by the standard: the words NaN and Infinity, which Python's json would take, are a ValueError.

    So is what is nested too deeply.
    """

    def refuse(word: str) -> None:
        raise ValueError(f"{word} is not JSON")

    try:
        return json.loads(text, parse_constant=refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None
