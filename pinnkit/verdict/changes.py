"""Changes of the answer between measurements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

Answer = tuple[int, Mapping[str, np.ndarray]]
"""The step of a measurement, and each field (n,) at points that stay the same."""


def change(former: Mapping[str, np.ndarray], latter: Mapping[str, np.ndarray]) -> dict[str, float]:
    """|latter - former| / |latter| of each field, of norms over its finite points; NaN where the field is zero.

    >>> change({"u": np.array([3.0, 3.5])}, {"u": np.array([3.0, 4.0])})
    {'u': 0.1}
    """
    found = {}
    for name, values in latter.items():
        finite = np.isfinite(values) & np.isfinite(former[name])
        size = np.linalg.norm(values[finite])
        found[name] = float(np.linalg.norm((values - former[name])[finite]) / size) if size > 0 else np.nan
    return found


def last_change(answers: Sequence[Answer]) -> dict[str, float]:
    """The change between the last two measurements; empty where there are fewer."""
    return change(answers[-2][1], answers[-1][1]) if len(answers) > 1 else {}


def late_change(answers: Sequence[Answer]) -> float | None:
    """The largest change of a field since two thirds of the steps; None where no measurement is that old."""
    if len(answers) < 2:
        return None
    before = [one for one in answers if one[0] <= 2 / 3 * answers[-1][0]]
    found = change((before or answers)[-1 if before else 0][1], answers[-1][1])
    return float(np.nanmax(list(found.values()))) if before and np.isfinite(list(found.values())).any() else None
