"""Ranges of coordinates, parameters and fields: [lower, upper]."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from pinnkit.language.calculus import symbol
from pinnkit.language.errors import LanguageError
from pinnkit.language.grammar import Scope
from pinnkit.problem.values import number

NARROW, LARGE = 1e-9, 1e30
"""The least length of a range, relative to its ends; the largest length, and one over the least."""


def read_range(
    ends: Any, parameters: Sequence[str] = (), known: Mapping[str, float] = MappingProxyType({})
) -> tuple[float, float]:
    """The lower and the upper end of a range.

    Args:
        parameters, known: the names of all parameters, and the values of those that its ends may hold.

    Raises:
        LanguageError: it is none, is empty, or too narrow or too wide for derivatives.
    """
    if not isinstance(ends, Sequence) or isinstance(ends, str) or len(ends) != 2:
        raise LanguageError(f"{ends!r} is not a range: write [lower, upper]")
    names, values = Scope((), parameters=tuple(parameters)), {symbol(name): one for name, one in known.items()}
    why = "has no fixed value, so it cannot bound a coordinate"
    lower, upper = (number(end, names, values, why) for end in ends)
    if lower >= upper:
        raise LanguageError(f"the range [{lower:g}, {upper:g}] is empty: the lower end comes first")
    if not (upper - lower > NARROW * max(abs(lower), abs(upper)) and 1 / LARGE < upper - lower < LARGE):
        raise LanguageError(
            f"the range [{lower!r}, {upper!r}] is too narrow or too wide for derivatives in floating point: "
            "choose other units, or another origin"
        )
    return lower, upper
