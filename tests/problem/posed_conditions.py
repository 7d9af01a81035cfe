"""Conditions of a problem in a box."""

from __future__ import annotations

from typing import Any

import pytest

from pinnkit.language.calculus import field, symbol
from pinnkit.language.errors import ProblemError
from pinnkit.problem.parts import Condition
from pinnkit.problem.problem import Problem

U = field("u", ("x", "y", "t"))
X, Y, T = (symbol(name) for name in ("x", "y", "t"))


def posed(condition: Any, **changes: Any) -> Problem:
    words = {
        "coordinates": {"x": [-1, 2], "y": [0, "pi/3"], "t": [0, 4]},
        "fields": ["u", "v"],
        "parameters": {"edge": 2, "a": {"learn": 1.0}},
        "equations": ["u_t = a*laplacian(u)", "v_t = laplacian(v)"],
        **changes,
    }
    return Problem(conditions={"c": condition}, **{key: value for key, value in words.items() if value is not None})


def read(condition: Any, **changes: Any) -> Condition:
    (found,) = posed(condition, **changes).conditions
    return found


def refused(condition: Any, **changes: Any) -> dict[str, str]:
    with pytest.raises(ProblemError) as caught:
        posed(condition, **changes)
    return {mistake.key: mistake.message for mistake in caught.value.mistakes}


def bounds(condition: Condition) -> list[dict[str, tuple[float, float]]]:
    return [dict(place.bounds) for place in condition.places]
