"""Ranges of coordinates, parameters and fields: [lower, upper]."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pinnkit.language.errors import LanguageError
from pinnkit.language.grammar import constant

NARROW, LARGE = 1e-9, 1e30
"""The least length of a range, relative to its ends; the largest length, and one over the least."""


def read_range(ends: Any) -> tuple[float, float]:
    """The lower and the upper end of a range.

    Raises:
        LanguageError: it is none, is empty, or too narrow or too wide for derivatives.
    """
    if not isinstance(ends, Sequence) or isinstance(ends, str) or len(ends) != 2:
        raise LanguageError(f"{ends!r} is not a range: write [lower, upper]")
    lower, upper = (constant(end) for end in ends)
    if lower >= upper:
        raise LanguageError(f"the range [{lower:g}, {upper:g}] is empty: the lower end comes first")
    if not (upper - lower > NARROW * max(abs(lower), abs(upper)) and 1 / LARGE < upper - lower < LARGE):
        raise LanguageError(
            f"the range [{lower!r}, {upper!r}] is too narrow or too wide for derivatives in floating point: "
            "choose other units, or another origin"
        )
    return lower, upper
