"""Conormal derivatives of a weak form from the boundary conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sympy

from pinnkit.language import linear
from pinnkit.language.calculus import Partial, normal_symbol, partials, symbol
from pinnkit.language.evaluate import Program
from pinnkit.references.fem.assembly import Integrand, Quadrature
from pinnkit.references.fem.boundary_data import BoundaryEquation
from pinnkit.references.fem.facets import FacetGroup
from pinnkit.references.fem.second_order import SecondOrderEquation, SecondOrderSystem
from pinnkit.references.fem.weak_form import Share, divergence, has_constant_divergence, shared
from pinnkit.references.fem.words import unsupported

TOLERANCE = 1e-7
SOME_VALUE = 0.7
"""Value of fields in coefficients, when only the form of a condition is looked at."""


@dataclass(frozen=True)
class GroupConditions:
    """What holds on a group of facets.

    Attributes:
        values: field -> expression of its prescribed values.
        pressures: pressure -> expression of the value that stands in the conormal derivative.
        fluxes: the conditions that hold derivatives.
        free: the equations whose conormal derivative they give.
    """

    group: FacetGroup
    values: Mapping[str, sympy.Expr]
    pressures: Mapping[str, sympy.Expr]
    fluxes: tuple[BoundaryEquation, ...]
    free: tuple[SecondOrderEquation, ...]


def sort_conditions(system: SecondOrderSystem, group: FacetGroup, normal: np.ndarray | None) -> GroupConditions:
    """The values and the fluxes that a group of facets has; `normal` (d,) where all have one.

    Raises:
        UnsupportedProblem: there are too few or too many for the equations, or values that cannot be read.
    """
    plain = [one for one in group.equations if one.prescribes_values]
    fluxes = tuple(one for one in group.equations if not one.prescribes_values)
    values = _values(system, plain, normal)
    for name in values:
        if name in system.local:
            raise unsupported(f"{system.equation_of(name).words} needs no condition for {name} on {group.description}")
    pressures = {name: values.pop(name) for name in system.pressures if name in values}
    free = tuple(one for one in system.with_flux if one.field not in values)
    for name in pressures:
        if not any(coupling(system, one, name) for one in free):
            raise unsupported(f"on {group.description} {name} is given beside all other fields: leave it out there")
    if len(fluxes) + len(pressures) < len(free):
        one = free[-1]
        for candidate in free:
            if not any(atom.field == candidate.field for flux in fluxes for atom in flux.slopes):
                one = candidate
        raise unsupported(
            f"{one.words} lacks a condition on {group.description}, such as {one.field} = 0 or {one.field}_n = 0"
        )
    if len(fluxes) > len(free):
        names = ", ".join(f"'{one.name}'" for one in group.equations)
        raise unsupported(f"on {group.description} there are more conditions ({names}) than the equations can meet")
    return GroupConditions(group, values, pressures, fluxes, free)


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


# ------------------------------------------------------------ matching


class FluxMatrices:
    """The conormal derivatives q_k and the conditions B_m as combinations of derivatives f_j, at quadrature points.

    q_k = sum over (f, j) of (base + sum over the shares s of slopes_s s) f_j. Tangential derivatives of a field with
    constant values vanish, and are left out.
    """

    def __init__(self, system: SecondOrderSystem, conditions: GroupConditions, shares: Sequence[Share]) -> None:
        self.system, self.conditions, self.shares = system, conditions, shares
        self.columns = [field.differentiated(name) for field in system.fields.values() for name in system.space]
        base = [self._conormal(one, {}) for one in conditions.free]
        ones = [[self._conormal(one, {share: 1.0}) for share in shares] for one in conditions.free]
        self._base = Program([entry for row in base for entry in row])
        self._ones = Program([entry for rows in ones for row in rows for entry in row])
        rows = [one.slopes for one in conditions.fluxes]
        for pressure in system.pressures:
            if has_constant_divergence(system, pressure):  # it holds on the boundary too
                terms = divergence(system, pressure)
                rows.append({system.fields[field].differentiated(along): one for (field, along), one in terms.items()})
        self._rows = len(rows)
        self._conditions = Program([row.get(atom, sympy.S.Zero) for row in rows for atom in self.columns])
        programs = (self._base, self._ones, self._conditions)
        self.moves = system.time is not None and any(symbol(system.time) in one.atoms for one in programs)
        self.nonlinear = any(isinstance(atom, Partial) for one in programs for atom in one.atoms)

    def _conormal(self, equation: SecondOrderEquation, shares: Mapping[Share, float]) -> list[sympy.Expr]:
        found = dict.fromkeys(self.columns, sympy.S.Zero)
        for (field, i, j), factor in shared(self.system, equation, shares).items():
            found[self.system.fields[field].differentiated(j)] += factor * normal_symbol(i)
        return list(found.values())

    def __call__(self, at: Quadrature, time: float | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """base (n, k, c), slopes (n, k, s, c) and conditions (n, m, c), at the n quadrature points.

        Behind the conditions stand the equations of pressures, sum_j c_j f_j = 0.
        """
        inputs: dict = {**at.points, **at.normals}
        if time is not None:
            inputs[symbol(self.system.time)] = time
        shape, columns = at.weights.shape, len(self.columns)

        def run(program: Program, *rows: int) -> np.ndarray:
            read = {**inputs, **{atom: SOME_VALUE for atom in program.atoms if isinstance(atom, Partial)}}
            numbers = [np.broadcast_to(one, shape).ravel() for one in program(read)]
            return np.array(numbers, dtype=float).reshape(*rows, columns, at.weights.size)

        free = len(self.conditions.free)
        base = run(self._base, free)
        ones = run(self._ones, free, len(self.shares)) - base[:, None]
        rows = run(self._conditions, self._rows)
        for field, value in self.conditions.values.items():
            if not {str(one) for one in value.free_symbols} & set(self.system.space):
                normals = np.array([at.normals[normal_symbol(name)].ravel() for name in self.system.space])
                first = list(self.system.fields).index(field) * len(normals)
                span = slice(first, first + len(normals))
                for array in (base, ones, rows):
                    normal = np.sum(array[..., span, :] * normals, axis=-2)
                    array[..., span, :] = 0.0
                    array[..., first, :] = normal
        return np.moveaxis(base, -1, 0), np.moveaxis(ones, -1, 0), np.moveaxis(rows, -1, 0)


def find_shares(matrices: Sequence[tuple[FluxMatrices, Quadrature]], time: float | None) -> dict[Share, float]:
    """The shares with which every conormal derivative is a combination of conditions.

    Raises:
        UnsupportedProblem: there are none; the message names the equation and the place.
    """
    shares = matrices[0][0].shares if matrices else ()
    rows, right, sources = [], [], []
    for matrix, at in matrices:
        if not matrix.conditions.free:
            continue
        base, slopes, conditions = matrix(at, time)
        if not (np.all(np.isfinite(base)) and np.all(np.isfinite(conditions))):
            raise unsupported(f"a coefficient is not finite on {matrix.conditions.group.description}")
        range_ = np.swapaxes(conditions, 1, 2)
        outside = np.eye(range_.shape[1]) - range_ @ np.linalg.pinv(range_)
        for k, equation in enumerate(matrix.conditions.free):
            scale = np.maximum(np.linalg.norm(base[:, k], axis=1), 1e-300)[:, None]
            right.append(-np.einsum("nij,nj->ni", outside, base[:, k]) / scale)
            rows.append(np.einsum("nij,nsj->nis", outside, slopes[:, k]) / scale[..., None])
            sources.append((equation, matrix.conditions))
    if not rows:
        return dict.fromkeys(shares, 0.0)
    flat = [row.reshape(row.shape[0] * row.shape[1], len(shares)) for row in rows]
    found = np.zeros(len(shares))
    if shares:
        found = np.linalg.lstsq(np.concatenate(flat), np.concatenate([one.ravel() for one in right]), rcond=1e-10)[0]
    for row, wanted, (equation, conditions) in zip(flat, right, sources, strict=True):
        if np.abs(row @ found - wanted.ravel()).max() > TOLERANCE:
            names = ", ".join(f"'{one.name}'" for one in conditions.fluxes)
            raise unsupported(
                f"on {conditions.group.description} the conditions {names} do not give the conormal derivative of "
                f"{equation.words}, such as {equation.field}_n"
            )
    return {one: float(value) for one, value in zip(shares, found, strict=True)}


class BoundaryTerm:
    """The integrands of q_k v on facets, q_k = sum_m factor_km (derivatives in B_m) = -sum_m factor_km rest_m.

    Given pressures enter by b n (given - pressure), as if the pressure's gradient were integrated by parts.
    """

    def __init__(self, matrices: FluxMatrices, shares: Mapping[Share, float]) -> None:
        self._matrices = matrices
        self._shares = np.array([shares[one] for one in matrices.shares])
        system, conditions = matrices.system, matrices.conditions
        self._symbols = [
            [symbol(f"#{k}_{m}") for m, _ in enumerate(conditions.fluxes)] for k, _ in enumerate(conditions.free)
        ]
        self.integrands = []
        for names, equation in zip(self._symbols, conditions.free, strict=True):
            terms = [-name * one.rest for name, one in zip(names, conditions.fluxes, strict=True)]
            for pressure, value in conditions.pressures.items():
                terms.append(coupling(system, equation, pressure) * (value - system.fields[pressure]))
            self.integrands.append(Integrand(equation.field, {(): sympy.Add(*terms)}))
        if matrices.nonlinear and any(one.rest != 0 for one in conditions.fluxes):
            raise unsupported(
                f"the coefficients of {conditions.free[0].words} hold a field, so a flux must be zero on "
                f"{conditions.group.description}"
            )

    @property
    def moves(self) -> bool:
        """Whether the factors depend on time."""
        return self._matrices.moves

    def factors(self, at: Quadrature, time: float | None) -> dict[sympy.Symbol, np.ndarray]:
        """The value at the quadrature points of each factor's symbol."""
        if not self._matrices.conditions.free:
            return {}
        base, slopes, conditions = self._matrices(at, time)
        wanted = base + np.einsum("nksc,s->nkc", slopes, self._shares)
        found = np.einsum("ncm,nkc->nkm", np.linalg.pinv(conditions), wanted)
        shape = at.weights.shape
        return {
            name: found[:, k, m].reshape(shape) for k, names in enumerate(self._symbols) for m, name in enumerate(names)
        }
