"""Rises of the objective, on new points or where a stage began, that training went back from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pinnkit.optimizers.state_check import InvalidStateError, number, short, whole

KEY = "rises"
"""Of a checkpoint's rises."""
DOUBLINGS = 2
"""How often the points of the equations are doubled, at most."""


@dataclass(frozen=True)
class Rise:
    """The objective rose by a factor, seen at a step.

    Attributes:
        back_to: the step of the checkpoint that training went back to; None: it had gone back often enough, and went
            on.
    """

    step: int
    factor: float
    back_to: int | None = None


def doublings(rises: list[Rise]) -> int:
    """How often the points of the equations have been doubled after these rises."""
    return min(sum(one.back_to is not None for one in rises), DOUBLINGS)


def saved_rises(rises: list[Rise]) -> list[dict[str, Any]]:
    """Plain data, for a checkpoint or metrics.json."""
    return [asdict(one) for one in rises]


def loaded_rises(saved: Any) -> list[Rise]:
    """The rises of a checkpoint; None: it has none."""
    return [Rise(one["step"], float(one["factor"]), one["back_to"]) for one in saved or ()]


def check_rises(saved: Any) -> None:
    """Make sure that a part of a checkpoint holds rises.

    Raises:
        InvalidStateError: it does not.
    """
    if not isinstance(saved, list | None):
        raise InvalidStateError(f"{KEY}: is no list")
    for place, one in enumerate(saved or ()):
        where = f"{KEY}[{place}]"
        if not isinstance(one, Mapping) or set(one) != {"step", "factor", "back_to"}:
            raise InvalidStateError(f"{where}: is not whole")
        if not whole(one["step"]) or not (one["back_to"] is None or whole(one["back_to"])):
            raise InvalidStateError(f"{where}: {short(one['step'])}, {short(one['back_to'])} are no counts")
        number(f"{where}.factor", one["factor"])
