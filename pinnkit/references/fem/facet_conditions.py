"""What the conditions give on a group of facets: values, ties between two regions, conormal derivatives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sympy

from pinnkit.language import linear
from pinnkit.language.calculus import Partial, normal_symbol, partials
from pinnkit.references.fem.boundary_data import BoundaryEquation
from pinnkit.references.fem.facets import FacetGroup
from pinnkit.references.fem.second_order import SecondOrderEquation, SecondOrderSystem
from pinnkit.references.fem.unsupported import unsupported


@dataclass(frozen=True)
class Balance:
    """Conormal derivatives that are tested together: that of one equation, or of two that meet at an interface.

    Attributes:
        field: whose functions test them.
        terms: pairs (equation, sign); the sign is -1 on the outer side, whose outward normal is the opposite one.
    """

    field: str
    terms: tuple[tuple[SecondOrderEquation, int], ...]

    @property
    def words(self) -> str:
        return " and ".join(one.words for one, _ in self.terms)


@dataclass(frozen=True)
class GroupConditions:
    """What holds on a group of facets.

    Attributes:
        values: field -> expression of its prescribed values.
        joined: field -> (another one, an expression): the field is the other one plus the expression.
        pressures: pressure -> expression of the value that stands in the conormal derivative.
        fluxes: the conditions that hold derivatives.
        free: the conormal derivatives that they give.
    """

    group: FacetGroup
    values: Mapping[str, sympy.Expr]
    joined: Mapping[str, tuple[str, sympy.Expr]]
    pressures: Mapping[str, sympy.Expr]
    fluxes: tuple[BoundaryEquation, ...]
    free: tuple[Balance, ...]


def sort_conditions(system: SecondOrderSystem, group: FacetGroup, normal: np.ndarray | None) -> GroupConditions:
    """The values and the fluxes that a group of facets has; `normal` (d,) where all have one.

    Raises:
        UnsupportedProblem: there are too few or too many for the equations, or values that cannot be read.
    """
    _expect_living(system, group)
    joined, plain = _joined(system, group)
    fluxes = tuple(one for one in group.equations if not one.prescribes_values)
    values = _values(system, plain, normal)
    for name in values:
        if name in system.local:
            raise unsupported(f"{system.equation_of(name).words} needs no condition for {name} on {group.description}")
    pressures = {name: values.pop(name) for name in system.pressures if name in values}
    free = _balances(system, group, values, joined)
    for name in pressures:
        if not any(coupling(system, equation, name) for one in free for equation, _ in one.terms):
            raise unsupported(f"on {group.description} {name} is given beside all other fields: leave it out there")
    if len(fluxes) + len(pressures) < len(free):
        lacking = free[-1]
        for candidate in free:
            if not any(atom.field == candidate.field for flux in fluxes for atom in flux.slopes):
                lacking = candidate
        such = f"such as {lacking.field} = 0 or {lacking.field}_n = 0"
        raise unsupported(f"{lacking.words} lacks a condition on {group.description}, {such}")
    if len(fluxes) > len(free):
        names = ", ".join(f"'{one.name}'" for one in group.equations)
        raise unsupported(f"on {group.description} there are more conditions ({names}) than the equations can meet")
    return GroupConditions(group, values, joined, pressures, fluxes, free)


def _expect_living(system: SecondOrderSystem, group: FacetGroup) -> None:
    living = set(system.patterns[group.inner].fields)
    if group.outer is not None:
        living |= set(system.patterns[group.outer].fields)
    for one in group.equations:
        held = {atom.field for atom in [*one.slopes, *partials(one.rest)]}
        if not held <= living:
            raise unsupported(f"{one.words} holds {min(held - living)} on {group.description}, where it is not defined")


def _joined(
    system: SecondOrderSystem, group: FacetGroup
) -> tuple[dict[str, tuple[str, sympy.Expr]], list[BoundaryEquation]]:
    """The conditions that tie a field of one side to one of the other, and the other conditions on values."""
    plain = [one for one in group.equations if one.prescribes_values]
    if group.outer is None:
        return {}, plain
    inner, outer = (system.patterns[one].fields for one in (group.inner, group.outer))
    joined: dict[str, tuple[str, sympy.Expr]] = {}
    others = []
    for one in plain:
        atoms = sorted(partials(one.rest), key=lambda atom: atom.field in outer)
        if len(atoms) == 2 and atoms[0].field in inner and atoms[1].field in outer:
            (first, second), rest = _linear(one, one.rest, atoms)
            if sympy.simplify(first + second) == 0:
                joined[atoms[1].field] = atoms[0].field, rest / first
                continue
            raise unsupported(f"{one.words} is no difference of {atoms[0].field} and {atoms[1].field}")
        others.append(one)
    return joined, others


def _balances(
    system: SecondOrderSystem,
    group: FacetGroup,
    values: Mapping[str, sympy.Expr],
    joined: Mapping[str, tuple[str, sympy.Expr]],
) -> tuple[Balance, ...]:
    inner = {one.field: one for one in system.patterns[group.inner].with_flux}
    outer = {one.field: one for one in system.patterns[group.outer].with_flux} if group.outer is not None else {}
    partner = {master: slave for slave, (master, _) in joined.items()}
    found = []
    for field, one in inner.items():
        if field in outer:
            if dict(one.second) != dict(outer[field].second):
                raise unsupported(
                    f"{one.words} and {outer[field].words} have different principal parts, and {field} is one function "
                    "in both: give it parts, and conditions on the interface"
                )
        elif field not in values:
            across = [(outer[partner[field]], -1)] if partner.get(field) in outer else []
            found.append(Balance(field, ((one, 1), *across)))
    for field, one in outer.items():
        if field not in inner and field not in values and field not in joined:
            found.append(Balance(field, ((one, -1),)))
    return tuple(found)


def _values(
    system: SecondOrderSystem, plain: Sequence[BoundaryEquation], normal: np.ndarray | None
) -> dict[str, sympy.Expr]:
    residuals = []
    for one in plain:
        residual = one.rest
        normals = [normal_symbol(name) for name in system.space]
        if residual.free_symbols & set(normals):
            if normal is None:
                raise unsupported(f"{one.words} holds the normal where the boundary is curved")
            known = {each: sympy.Float(value) for each, value in zip(normals, np.round(normal, 12), strict=True)}
            known = {each: sympy.Integer(int(value)) if value == int(value) else value for each, value in known.items()}
            residual = residual.subs(known)
        residuals.append((one, residual))
    found: dict[str, sympy.Expr] = {}
    together: list[tuple[BoundaryEquation, sympy.Expr]] = []
    for one, residual in residuals:
        atoms = sorted(partials(residual), key=str)
        if len(atoms) != 1:
            together.append((one, residual))
            continue
        factor, rest = _linear(one, residual, atoms)
        if atoms[0].field in found:
            raise unsupported(f"{one.words} gives {atoms[0].field} where another condition gives it")
        found[atoms[0].field] = -rest / factor[0]
    atoms = sorted(set().union(*(partials(residual) for _, residual in together)), key=str)
    if together:
        if len(atoms) != len(together) or any(atom.field in found for atom in atoms):
            raise unsupported(f"{together[0][0].words} gives a combination of fields, and not the value of each")
        for one, residual in together:
            _linear(one, residual, atoms)
        solved = linear.solve([residual for _, residual in together], atoms)
        if solved is None:
            raise unsupported(f"{together[0][0].words} does not determine the values of the fields")
        found |= {atom.field: value for atom, value in solved.items()}
    return found


def _linear(
    one: BoundaryEquation, residual: sympy.Expr, atoms: Sequence[Partial]
) -> tuple[list[sympy.Expr], sympy.Expr]:
    try:
        factors, rest = linear.coefficients(residual, atoms)
    except linear.NotLinearError:
        raise unsupported(f"{one.words} is not linear in the fields") from None
    if len(atoms) == 1 and factors[0] == 0:
        raise unsupported(f"{one.words} does not hold the field")
    return factors, rest


def coupling(system: SecondOrderSystem, equation: SecondOrderEquation, pressure: str) -> sympy.Expr:
    """sum_i b_i n_i, with the coefficients b_i of the pressure's derivatives in the equation."""
    atoms = [system.fields[pressure].differentiated(name) for name in system.space]
    slopes = linear.slopes(equation.rest, atoms)
    return sympy.Add(*(slope * normal_symbol(name) for name, slope in zip(system.space, slopes, strict=True)))
