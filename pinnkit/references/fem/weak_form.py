"""Weak form of a second-order system, with the mixed derivatives split as the boundary conditions need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sympy

from pinnkit.language import linear
from pinnkit.language.calculus import Budget, differentiate, partials
from pinnkit.language.errors import LanguageError
from pinnkit.references.fem.second_order import SecondOrderEquation, SecondOrderSystem
from pinnkit.references.fem.unsupported import unsupported

MAX_OPERATIONS = 50_000

Share = tuple[str, str, str, str]
"""An equation, a field and two coordinates. Different ones: a mixed derivative of the field. One twice, of a pressure:
the derivative by it of the equation that is paired with the pressure."""


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


def free_shares(system: SecondOrderSystem) -> tuple[Share, ...]:
    """The numbers that a weak form leaves free.

    The coefficient c of a mixed derivative f_ij is a_ij + a_ji: how it is shared is free. To an equation that holds the
    gradient of a pressure any multiple of the gradient of the divergence, which is zero, may be added.
    """
    found = [(one.name, *key) for one in system.equations for key in one.second if key[1] != key[2]]
    for one in system.with_flux:
        for atom in sorted(partials(one.rest), key=str):
            if (
                atom.field in system.pressures
                and len(atom.derivative) == 1
                and has_constant_divergence(system, atom.field)
            ):
                found.append((one.name, atom.field, *atom.derivative * 2))
    return tuple(found)


def divergence(system: SecondOrderSystem, pressure: str) -> dict[tuple[str, str], sympy.Expr]:
    """(f, j) -> the coefficient of f_j in the equation of a pressure."""
    residual = system.equation_of(pressure).rest
    atoms = [one for one in sorted(partials(residual), key=str) if len(one.derivative) == 1]
    return dict(zip(((one.field, *one.derivative) for one in atoms), linear.slopes(residual, atoms), strict=True))


def has_constant_divergence(system: SecondOrderSystem, pressure: str) -> bool:
    """Whether the equation of a pressure is sum_j c_j f_j = 0 with numbers c_j."""
    terms = [factor * system.fields[f].differentiated(j) for (f, j), factor in divergence(system, pressure).items()]
    whole = sympy.expand(system.equation_of(pressure).rest - sympy.Add(*terms)) == 0
    return whole and all(factor.is_number for factor in divergence(system, pressure).values())


def shared(
    system: SecondOrderSystem, equation: SecondOrderEquation, shares: Mapping[Share, float]
) -> dict[tuple[str, str, str], sympy.Expr]:
    """(f, i, j) -> a_ij, with a_ij = c (1/2 + s), a_ji = c (1/2 - s) for a mixed derivative with the share s.

    A share s of the derivative by i of sum_j c_j f_j = 0 adds s c_j to the coefficient of f_i v_j.
    """
    found = {}
    for (field, i, j), factor in equation.second.items():
        if i == j:
            found[field, i, i] = factor
        else:
            share = sympy.Float(shares.get((equation.name, field, i, j), 0.0))
            found[field, i, j] = factor * (sympy.Rational(1, 2) + share)
            found[field, j, i] = factor * (sympy.Rational(1, 2) - share)
    for (name, pressure, i, j), share in shares.items():
        if name == equation.name and i == j and share:
            for (field, along), factor in divergence(system, pressure).items():
                key = field, along, i
                found[key] = found.get(key, sympy.S.Zero) + sympy.Float(share) * factor
    return found


def weak_form(system: SecondOrderSystem, shares: Mapping[Share, float]) -> tuple[WeakEquation, ...]:
    """Each equation times a test function, its second derivatives integrated by parts.

    a_ij f_ij = (a_ij f_j)_i - (a_ij)_i f_j, and the integral of (a_ij f_j)_i v is that of -a_ij f_j v_i, plus the
    boundary integral of a_ij f_j n_i v.
    """
    return tuple(_weak(system, one, shares) for one in system.equations)


def _weak(system: SecondOrderSystem, equation: SecondOrderEquation, shares: Mapping[Share, float]) -> WeakEquation:
    value = equation.rest
    flux = dict.fromkeys(system.space, sympy.S.Zero)
    budget = Budget(MAX_OPERATIONS)
    try:
        for (field, i, j), factor in shared(system, equation, shares).items():
            slope = system.fields[field].differentiated(j)
            flux[i] -= factor * slope
            value -= differentiate(factor, i, budget=budget) * slope
    except LanguageError as error:
        raise unsupported(f"{equation.words}: {error}") from None
    return WeakEquation(equation.name, equation.field, equation.region, value, tuple(flux.values()))
