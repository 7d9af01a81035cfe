"""Reading of history.jsonl, the measurements of a run."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pinnkit.reporting.json_values import parse_json


def read_measurements(path: Path) -> list[dict[str, Any]]:
    """The lines of a history.jsonl in their order; none where there is no such file.

    Incomplete lines are skipped.
    """
    rows = []
    for line in path.read_bytes().splitlines() if path.is_file() else ():
        try:
            row = parse_json(line.decode("utf-8"))
        except ValueError:
            continue
        if _is_measurement(row):
            rows.append(row)
    return rows


def _is_measurement(row: Any) -> bool:
    if not isinstance(row, dict) or not isinstance(row.get("errors"), dict) or type(row.get("step")) is not int:
        return False
    values = (row.get("objective"), *row["errors"].values())
    return _is_number(row.get("time_s")) and all(one is None or _is_number(one) for one in values)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def error_or_objective(row: Mapping[str, Any]) -> float:
    """The worst relative L2 error of a measurement, or its objective without a reference; infinite if not finite.

    >>> error_or_objective({"step": 5, "objective": 1e-3, "errors": {"u": 0.25, "v": 0.5}})
    0.5
    >>> error_or_objective({"step": 5, "objective": None, "errors": {}})
    inf
    """
    judged = list(row.get("errors", {}).values()) or [row.get("objective")]
    return max(math.inf if one is None else float(one) for one in judged)


def least_error(rows: Iterable[Mapping[str, Any]]) -> float:
    """The least `error_or_objective` of a run; infinite if nothing finite was measured."""
    return min(map(error_or_objective, rows), default=math.inf)


def without_repeats(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The measurements by ascending step, the last ones where a run repeated steps."""
    kept: list[Mapping[str, Any]] = []
    for row in rows:
        while kept and kept[-1]["step"] >= row["step"]:
            kept.pop()
        kept.append(row)
    return kept
