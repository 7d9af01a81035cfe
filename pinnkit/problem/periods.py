"""Periods that hard conditions such as u(x=-1) = u(x=1) ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import sympy

from pinnkit.domains.shape import Shape
from pinnkit.language.calculus import partials
from pinnkit.language.errors import LanguageError
from pinnkit.language.linear import NotLinearError, coefficients
from pinnkit.problem.parts import Condition, Equation, Field

ROUNDING = 1e-12
"""By how much the place in the text may miss the end of the range, relative to the ends."""


def with_periods(fields: Sequence[Field], conditions: Sequence[Condition], domain: Shape) -> tuple[Field, ...]:
    """The fields, each with the coordinates in which hard conditions make it periodic."""
    found: dict[str, set[str]] = {field.name: set() for field in fields}
    for condition in conditions:
        for equation in condition.equations:
            pair = period_of(equation, domain) if condition.hard else None
            if pair is not None and pair[0] in found:
                found[pair[0]].add(pair[1])
    return tuple(
        replace(one, periodic=tuple(name for name in one.coordinates if name in found[one.name])) for one in fields
    )


def period_of(equation: Equation, domain: Shape) -> tuple[str, str] | None:
    """The field and the coordinate of an equation c f(p=a) = c f(p=b), a and b the ends of the range of p.

    f may be a derivative of the field; None for any other equation.
    """
    residual = equation.residual
    pair = sorted(partials(residual), key=str) if isinstance(residual, sympy.Basic) else []
    if len(pair) != 2 or pair[0].field != pair[1].field or pair[0].derivative != pair[1].derivative:
        return None
    one, other = (dict(partial.at) for partial in pair)
    moved = [name for name in domain.coordinates if one.get(name) != other.get(name)]
    if len(moved) != 1 or set(one) | set(other) != set(moved) or not domain.spans(moved[0]):
        return None
    ends: list[Any] = [values.get(moved[0]) for values in (one, other)]
    if None in ends or not all(end.is_number for end in ends):
        return None
    lower, upper = domain.bounds[moved[0]]
    if not np.allclose(sorted(map(float, ends)), (lower, upper), rtol=0, atol=ROUNDING * max(abs(lower), abs(upper))):
        return None
    try:
        (factor, opposite), rest = coefficients(residual, pair)
    except (NotLinearError, LanguageError):
        return None
    same = factor != 0 and rest == 0 and factor + opposite == 0 and not partials(factor)
    return (pair[0].field, moved[0]) if same else None
