"""Bounds of learned numbers and learned functions: `positive`, `min` and `max`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pinnkit.language.errors import LanguageError
from pinnkit.language.grammar import constant

BOUNDS = ("positive", "min", "max")
"""The keys that bound a learned number or function."""


@dataclass(frozen=True)
class Bounds:
    """An open interval of values; infinite ends bound nothing."""

    lower: float = -math.inf
    upper: float = math.inf

    def __bool__(self) -> bool:
        """Whether there is a bound."""
        return math.isfinite(self.lower) or math.isfinite(self.upper)

    def __contains__(self, value: float) -> bool:
        return self.lower < value < self.upper

    @property
    def description(self) -> str:
        """The bounds as text.

        >>> Bounds(0.1, 10).description, Bounds(0).description, Bounds(upper=2).description
        ('between 0.1 and 10', 'positive', 'below 2')
        """
        if math.isfinite(self.lower) and math.isfinite(self.upper):
            return f"between {self.lower:g} and {self.upper:g}"
        if not math.isfinite(self.lower):
            return f"below {self.upper:g}" if self else "not bounded"
        return "positive" if self.lower == 0 else f"above {self.lower:g}"


NO_BOUNDS = Bounds()


def read_bounds(config: Mapping[str, Any]) -> Bounds:
    """The bounds that the keys `positive`, `min` and `max` give.

    Raises:
        LanguageError: one is no number, `positive` is no truth value, or they leave no value.
    """
    positive = config.get("positive", False)
    if not isinstance(positive, bool):
        raise LanguageError(f"positive is {positive!r}: true or false is needed")
    lower = constant(config["min"]) if "min" in config else -math.inf
    upper = constant(config["max"]) if "max" in config else math.inf
    if positive and upper <= 0:
        raise LanguageError(f"max is {upper:g}, but what is positive lies above zero: leave one of them out")
    if lower >= upper:
        raise LanguageError(f"min is {lower:g} and max {upper:g}: the lower bound comes first")
    return Bounds(max(lower, 0.0) if positive else lower, upper)
