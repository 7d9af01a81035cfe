"""Semilinear form of an evolution: a linear part with constant coefficients, and a nonlinear part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sympy

from pinnkit.language import linear
from pinnkit.language.calculus import Partial, partials, replace
from pinnkit.language.errors import LanguageError
from pinnkit.references.evolution_system import EvolutionSystem

MAX_EXPANDED_OPERATIONS = 500  # of a rate that is multiplied out


@dataclass(frozen=True)
class SemilinearForm:
    """rates[f] = sum over (d, c) in linear[f] of c * d + nonlinear[f], with numbers c and partial derivatives d.

    `complete`: the nonlinear part has derivatives in space up to the first order only, so the stiff terms are all in
    the linear part.
    """

    linear: Mapping[str, Mapping[Partial, float]]
    nonlinear: Mapping[str, sympy.Expr]
    complete: bool


def semilinear_form(system: EvolutionSystem) -> SemilinearForm:
    """Linearise each rate about zero fields; slopes that are numbers form the linear part."""
    parts, nonlinear, complete = {}, {}, True
    for field, rate in system.rates.items():
        if rate.count_ops() < MAX_EXPANDED_OPERATIONS:
            rate = sympy.expand_mul(rate)
        unknowns = sorted(partials(rate), key=str)
        constants = {}
        for one, slope in zip(unknowns, linear.slopes(rate, unknowns), strict=True):
            number = _at_zero(slope)
            if number is not None and number != 0:
                constants[one] = number
        rest = rate - sum(number * one for one, number in constants.items())
        complete &= all(sum(name != system.time for name in one.derivative) <= 1 for one in partials(rest))
        parts[field] = {one: float(number) for one, number in constants.items()}
        nonlinear[field] = rest
    return SemilinearForm(parts, nonlinear, complete)


def _at_zero(slope: sympy.Expr) -> sympy.Expr | None:
    try:
        value = replace(slope, dict.fromkeys(partials(slope), sympy.S.Zero))
    except LanguageError:  # such as a division by zero
        return None
    return value if value.is_number and value.is_real and value.is_finite else None
