"""The record of training as arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from pinnkit.reporting.history_figure import History


def history(rows: Sequence[Mapping[str, Any]], phases: Sequence[str], fields: Iterable[str]) -> History:
    """The record of training as arrays."""
    terms = [name for name in dict.fromkeys(one for row in rows for one in row["losses"]) if name != "objective"]
    starts: list[tuple[int, str]] = []
    for number, row in enumerate(rows):
        if number == 0 or row["phase"] != rows[number - 1]["phase"]:
            starts.append((rows[number - 1]["step"] if number else 0, phases[row["phase"]]))
    return History(
        steps=np.array([row["step"] for row in rows]),
        time_s=np.array([row["time_s"] for row in rows]),
        loss=np.array([row["losses"].get("objective", np.nan) for row in rows]),
        terms={term: np.array([row["losses"].get(term, np.nan) for row in rows]) for term in terms},
        errors={field: np.array([row["errors"].get(field, np.nan) for row in rows]) for field in fields},
        phases=starts,
        learned=_learned(rows),
    )


def _learned(rows: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """Learned parameter -> its value in each row, NaN where an older run has none."""
    names = dict.fromkeys(name for row in rows for name in row.get("learned", {}))
    return {name: np.array([row.get("learned", {}).get(name, np.nan) for row in rows]) for name in names}
