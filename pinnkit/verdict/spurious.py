"""Signs of an answer that solves nothing: residuals as large as their terms, or a constant that breaks a condition."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from pinnkit.verdict.balance import Balance
from pinnkit.verdict.judge import Worst, shortcomings
from pinnkit.verdict.words import shortcoming

LARGE = 0.5
"""Ratio of residual to terms, in the domain or in a tenth of it, from which on an equation is not solved at all."""


def spurious(
    equations: Mapping[str, Balance], conditions: Mapping[str, Balance], flat: Sequence[tuple[str, str]] = ()
) -> str | None:
    """Why an answer that no longer changes solves nothing; None: it may.

    Args:
        equations, conditions: the balance of each at points that training has not seen.
        flat: fields, each with a coordinate along which it is constant.

    >>> found = Balance(rms=0.9, scale=1.0, ratio=0.9)
    >>> spurious({"decay": found}, {})
    'the residual of decay is 90 % of the size of its terms'
    """
    unmet, violated = shortcomings(equations, conditions)
    if unmet and not _ratio(unmet) < LARGE:
        return shortcoming(unmet, None)
    if flat and violated:
        field, coordinate = flat[0]
        return f"{field} is constant along {coordinate}, and {shortcoming(None, violated)}"
    return None


def misfit(equations: Mapping[str, Balance], conditions: Mapping[str, Balance]) -> float:
    """By which answers are compared: the largest ratio of residual to terms, in the domain or a tenth of it.

    Those of measured data do not count. Infinity where one is not finite.
    """
    ratios = [one.ratio for one in (*equations.values(), *conditions.values()) if not one.measured]
    ratios += [one.worst.ratio for one in equations.values() if one.worst]
    return max((one if math.isfinite(one) else math.inf for one in ratios), default=math.inf)


def _ratio(unmet: Worst) -> float:
    return unmet.slab.ratio if unmet.slab else unmet.ratio
