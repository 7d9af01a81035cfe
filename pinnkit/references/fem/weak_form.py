"""Weak form of a second-order system, with the mixed derivatives split as the boundary conditions need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sympy

from pinnkit.language.calculus import Budget, differentiate
from pinnkit.language.errors import LanguageError
from pinnkit.references.fem.second_order import SecondOrderEquation, SecondOrderSystem
from pinnkit.references.fem.words import unsupported

MAX_OPERATIONS = 50_000

Mixed = tuple[str, str, str, str]
"""An equation, a field and two different coordinates: a mixed derivative."""


@dataclass(frozen=True)
class WeakEquation:
    """integral of (value v + sum_i flux[i] v_i) + boundary integral of q v = 0 for all test functions v of `field`.

    q = -sum_i flux[i] n_i is the conormal derivative sum_ij a_ij f_j n_i.
    """

    name: str
    field: str
    region: str
    value: sympy.Expr
    flux: tuple[sympy.Expr, ...]


def mixed_derivatives(system: SecondOrderSystem) -> tuple[Mixed, ...]:
    """The mixed derivatives f_ij, whose coefficient c is a_ij + a_ji: how it is shared is free."""
    return tuple((one.name, *key) for one in system.equations for key in one.second if key[1] != key[2])


def shared(equation: SecondOrderEquation, shares: Mapping[Mixed, float]) -> dict[tuple[str, str, str], sympy.Expr]:
    """(f, i, j) -> a_ij, with a_ij = c (1/2 + s), a_ji = c (1/2 - s) for a mixed derivative with the share s."""
    found = {}
    for (field, i, j), factor in equation.second.items():
        if i == j:
            found[field, i, i] = factor
        else:
            share = sympy.Float(shares.get((equation.name, field, i, j), 0.0))
            found[field, i, j] = factor * (sympy.Rational(1, 2) + share)
            found[field, j, i] = factor * (sympy.Rational(1, 2) - share)
    return found


def weak_form(system: SecondOrderSystem, shares: Mapping[Mixed, float]) -> tuple[WeakEquation, ...]:
    """Each equation times a test function, its second derivatives integrated by parts.

    a_ij f_ij = (a_ij f_j)_i - (a_ij)_i f_j, and the integral of (a_ij f_j)_i v is that of -a_ij f_j v_i, plus the
    boundary integral of a_ij f_j n_i v.
    """
    return tuple(_weak(system, one, shares) for one in system.equations)


def _weak(system: SecondOrderSystem, equation: SecondOrderEquation, shares: Mapping[Mixed, float]) -> WeakEquation:
    value = equation.rest
    flux = dict.fromkeys(system.space, sympy.S.Zero)
    budget = Budget(MAX_OPERATIONS)
    try:
        for (field, i, j), factor in shared(equation, shares).items():
            slope = system.fields[field].differentiated(j)
            flux[i] -= factor * slope
            value -= differentiate(factor, i, budget=budget) * slope
    except LanguageError as error:
        raise unsupported(f"{equation.words}: {error}") from None
    return WeakEquation(equation.name, equation.field, equation.region, value, tuple(flux.values()))
