"""A configuration of the heat equation, and the mistakes in its changes."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from pinnkit.language.errors import ProblemError
from pinnkit.problem.problem import Problem

HEAT = """
name: heat
description: A rod that cools.
coordinates: {x: [-1, 1], t: [0, 1]}
fields: [u]
parameters: {alpha: 0.1}
equations:
  heat: u_t = alpha * u_xx
conditions:
  initial: {at: t = 0, equations: u = sin(pi*x)}
  ends: {at: [x = -1, x = 1], equations: u = 0}
exact: {u: exp(-alpha*pi^2*t) * sin(pi*x)}
"""


def words(**changes: Any) -> dict[str, Any]:
    """The words of the heat problem with some replaced; None leaves a word out."""
    return {key: value for key, value in {**yaml.safe_load(HEAT), **changes}.items() if value is not None}


def mistakes(**changes: Any) -> dict[str, str]:
    """Key -> message of every mistake in the heat problem with some words replaced."""
    with pytest.raises(ProblemError) as caught:
        Problem(**words(**changes))
    found = caught.value.mistakes
    assert len({mistake.key for mistake in found}) == len(found), "a key is told twice"
    return {mistake.key: mistake.message for mistake in found}
