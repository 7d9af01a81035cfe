"""A problem to be checked, and what its report says."""

from __future__ import annotations

from typing import Any

from pinnkit.language.errors import Report
from pinnkit.problem.problem import Problem


def posed(**changes: Any) -> Problem:
    words = {
        "coordinates": {"x": [-1, 1], "t": [0, 1]},
        "fields": ["u"],
        "parameters": {"alpha": 0.1},
        "equations": {"heat": "u_t = alpha * u_xx"},
        "conditions": {
            "initial": {"at": "t = 0", "equations": "u = sin(pi*x)"},
            "ends": {"at": ["x = -1", "x = 1"], "equations": "u = 0"},
        },
        "exact": {"u": "exp(-alpha*pi^2*t) * sin(pi*x)"},
        **changes,
    }
    return Problem(**{key: value for key, value in words.items() if value is not None})


def told(report: Report) -> list[tuple[str, str]]:
    return [(mistake.key, mistake.message) for mistake in report.mistakes]
