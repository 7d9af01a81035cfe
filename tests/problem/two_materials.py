"""Problems of two materials, with a network in each."""

from __future__ import annotations

from typing import Any

import pytest

from pinnkit.language.errors import ProblemError
from pinnkit.problem.checks import check
from pinnkit.problem.problem import Problem

ROD = {
    "coordinates": {"x": [-1, 1]},
    "shapes": {"left": {"box": {"lower": [-1], "upper": [0]}}, "right": {"box": {"lower": [0], "upper": [1]}}},
    "fields": {"u": {"parts": ["left", "right"]}},
    "parameters": {"k1": 1, "k2": 4},
    "equations": {
        "left": {"equation": "k1*u_xx = -2", "in": "left"},
        "right": {"equation": "diff(k2*u_x, x) = -2", "in": "right"},
    },
    "conditions": {
        "ends": {"at": ["x = -1", "x = 1"], "equations": "u = 0"},
        "contact": {"at": "left", "equations": ["u.left = u.right", "k1*u.left_n = k2*u.right_n"]},
    },
    "exact": {"u": "2/5 - (x^2 + 3*x/5)/where(x < 0, k1, k2)"},
}
"""-(k u_x)_x = 2: a parabola on each side, with k u_x = -2 x - 3/5."""

PLATE = {
    "coordinates": {"x": [-1, 1], "y": [-1, 1]},
    "shapes": {"inner": {"disk": {"center": [0, 0], "radius": 0.5}}, "outer": "box - inner"},
    "fields": {"u": {"parts": ["inner", "outer"]}},
    "parameters": {"k1": 3, "k2": 1},
    "equations": {
        "inner": {"equation": "-div(k1*u_x, k1*u_y) = 0", "in": "inner"},
        "outer": {"equation": "laplacian(u.outer) = 0", "in": "outer"},
    },
    "conditions": {
        "sides": {"at": "box", "equations": "u = x - x/(8*(x^2 + y^2))"},
        "contact": {"at": "inner", "equations": ["u.inner = u.outer", "k1*u.inner_n = k2*u.outer_n"]},
    },
    "exact": {"u": "where(x^2 + y^2 < 1/4, x/2, x - x/(8*(x^2 + y^2)))"},
}
"""A disk in a square: the field is uniform inside, that of a dipole outside."""


def rod(**changes: Any) -> Problem:
    return Problem(**{**ROD, **changes})


def refused(words: dict[str, Any], **changes: Any) -> dict[str, str]:
    """Key -> message of what reading or checking a problem refuses."""
    with pytest.raises(ProblemError) as caught:
        check(Problem(**{**words, **changes})).raise_if_any()
    found: dict[str, str] = {}
    for one in caught.value.mistakes:
        found[one.key] = f"{found.get(one.key, '')}{one.message}\n"
    return found
