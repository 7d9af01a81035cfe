"""Conormal derivatives of a weak form from the boundary conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
import sympy

from pinnkit.language.calculus import Partial, normal_symbol, symbol
from pinnkit.language.evaluate import Program
from pinnkit.references.fem.assembly import Integrand, Quadrature
from pinnkit.references.fem.facet_conditions import GroupConditions, coupling
from pinnkit.references.fem.second_order import SecondOrderEquation, SecondOrderSystem
from pinnkit.references.fem.unsupported import unsupported
from pinnkit.references.fem.weak_form import Share, divergence, has_constant_divergence, shared

TOLERANCE = 1e-7
SOME_VALUE = 0.7
"""Value of fields in coefficients, when only the form of a condition is looked at."""


class FluxMatrices:
    """The conormal derivatives q_k and the conditions B_m as combinations of derivatives f_j, at quadrature points.

    q_k = sum over (f, j) of (base + sum over the shares s of slopes_s s) f_j. Tangential derivatives of a field with
    constant values vanish, and are left out.
    """

    def __init__(self, system: SecondOrderSystem, conditions: GroupConditions, shares: Sequence[Share]) -> None:
        self.system, self.conditions, self.shares = system, conditions, shares
        self.columns = [field.differentiated(name) for field in system.fields.values() for name in system.space]
        terms = [term for one in conditions.free for term in one.terms]
        base = [self._conormal(*term, {}) for term in terms]
        ones = [[self._conormal(*term, {share: 1.0}) for share in shares] for term in terms]
        self._base = Program([entry for row in base for entry in row])
        self._ones = Program([entry for rows in ones for row in rows for entry in row])
        self._owners = np.array([k for k, one in enumerate(conditions.free) for _ in one.terms], dtype=int)
        self._names = [one.name for one, _ in terms]
        rows = [one.slopes for one in conditions.fluxes]
        for pressure in system.pressures:
            if has_constant_divergence(system, pressure):  # it holds on the boundary too
                found = divergence(system, pressure).items()
                rows.append({system.fields[field].differentiated(along): one for (field, along), one in found})
        self._rows = len(rows)
        self._conditions = Program([row.get(atom, sympy.S.Zero) for row in rows for atom in self.columns])
        programs = (self._base, self._ones, self._conditions)
        self.moves = system.time is not None and any(symbol(system.time) in one.atoms for one in programs)
        self.nonlinear = any(isinstance(atom, Partial) for one in programs for atom in one.atoms)

    def _conormal(self, equation: SecondOrderEquation, sign: int, shares: Mapping[Share, float]) -> list[sympy.Expr]:
        found = dict.fromkeys(self.columns, sympy.S.Zero)
        for (field, i, j), factor in shared(self.system, equation, shares).items():
            found[self.system.fields[field].differentiated(j)] += sign * factor * normal_symbol(i)
        return list(found.values())

    def __call__(
        self, at: Quadrature, time: float | None, scales: Mapping[str, float]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """base (n, k, c), slopes (n, k, s, c) and conditions (n, m, c), at the n quadrature points.

        Args:
            scales: equation -> the number that it is multiplied by.
        """
        base, slopes, conditions = self.terms(at, time)
        factors = np.array([scales[name] for name in self._names])
        sums = np.zeros((len(self.conditions.free), len(factors)))
        sums[self._owners, np.arange(len(factors))] = factors
        return np.einsum("kt,ntc->nkc", sums, base), np.einsum("kt,ntsc->nksc", sums, slopes), conditions

    def terms(self, at: Quadrature, time: float | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The same before terms of one balance are added: base (n, t, c), slopes (n, t, s, c), conditions (n, m, c).

        Behind the conditions stand the equations of pressures, sum_j c_j f_j = 0.
        """
        inputs: dict = {**at.points, **at.normals}
        if time is not None:
            inputs[symbol(cast(str, self.system.time))] = time
        shape, columns = at.weights.shape, len(self.columns)

        def run(program: Program, *rows: int) -> np.ndarray:
            read = {**inputs, **{atom: SOME_VALUE for atom in program.atoms if isinstance(atom, Partial)}}
            numbers = [np.broadcast_to(one, shape).ravel() for one in program(read)]
            return np.array(numbers, dtype=float).reshape(*rows, columns, at.weights.size)

        count = len(self._names)
        base = run(self._base, count)
        ones = run(self._ones, count, len(self.shares)) - base[:, None]
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


def find_scales(
    system: SecondOrderSystem, matrices: Sequence[tuple[FluxMatrices, Quadrature]], time: float | None
) -> dict[str, float]:
    """Equation -> a number by which it is multiplied, so that the conormal derivatives of two equations that meet at an
    interface add up to what its conditions say: k_1 laplacian(u_1) = 0 has the same solutions as laplacian(u_1) = 0.
    """
    scales = dict.fromkeys((one.name for one in system.equations), 1.0)
    known: set[str] = set()
    for matrix, at in matrices:
        first = 0
        for one in matrix.conditions.free:
            if len(one.terms) == 2:
                base, _, conditions = matrix.terms(at, time)
                outside = _outside(conditions)
                inner, outer = (np.einsum("nij,nj->ni", outside, base[:, first + side]) for side in (0, 1))
                ratio = -np.sum(inner * outer) / max(np.sum(outer * outer), 1e-300)
                left = np.abs(inner + ratio * outer).max()
                if ratio and left <= TOLERANCE * max(np.abs(inner).max(), 1e-300) and abs(ratio - 1) > TOLERANCE:
                    mine, other = (equation.name for equation, _ in one.terms)
                    if other in known and mine not in known:
                        scales[mine] = scales[other] / ratio
                    elif other not in known:
                        scales[other] = scales[mine] * ratio
                    known |= {mine, other}
            first += len(one.terms)
    return scales


def _outside(conditions: np.ndarray) -> np.ndarray:
    """(n, c, c) projections onto what is orthogonal to the conditions (n, m, c)."""
    range_ = np.swapaxes(conditions, 1, 2)
    return np.eye(range_.shape[1]) - range_ @ np.linalg.pinv(range_)


def find_shares(
    matrices: Sequence[tuple[FluxMatrices, Quadrature]], time: float | None, scales: Mapping[str, float]
) -> dict[Share, float]:
    """The shares with which every conormal derivative is a combination of conditions.

    Raises:
        UnsupportedProblem: there are none; the message names the equation and the place.
    """
    shares = matrices[0][0].shares if matrices else ()
    rows, right, sources = [], [], []
    for matrix, at in matrices:
        if not matrix.conditions.free:
            continue
        base, slopes, conditions = matrix(at, time, scales)
        if not (np.all(np.isfinite(base)) and np.all(np.isfinite(conditions))):
            raise unsupported(f"a coefficient is not finite on {matrix.conditions.group.description}")
        outside = _outside(conditions)
        for k, balance in enumerate(matrix.conditions.free):
            scale = np.maximum(np.linalg.norm(base[:, k], axis=1), 1e-300)[:, None]
            right.append(-np.einsum("nij,nj->ni", outside, base[:, k]) / scale)
            rows.append(np.einsum("nij,nsj->nis", outside, slopes[:, k]) / scale[..., None])
            sources.append((balance, matrix.conditions))
    if not rows:
        return dict.fromkeys(shares, 0.0)
    flat = [row.reshape(row.shape[0] * row.shape[1], len(shares)) for row in rows]
    found = np.zeros(len(shares))
    if shares:
        found = np.linalg.lstsq(np.concatenate(flat), np.concatenate([one.ravel() for one in right]), rcond=1e-10)[0]
    for row, wanted, (balance, held) in zip(flat, right, sources, strict=True):
        if np.abs(row @ found - wanted.ravel()).max() > TOLERANCE:
            names = ", ".join(f"'{one.name}'" for one in held.fluxes)
            raise unsupported(
                f"on {held.group.description} the conditions {names} do not give the conormal derivative of "
                f"{balance.words}, such as {balance.field}_n"
            )
    return {one: float(value) for one, value in zip(shares, found, strict=True)}


class BoundaryTerm:
    """The integrands of q_k v on facets, q_k = sum_m factor_km (derivatives in B_m) = -sum_m factor_km rest_m.

    Given pressures enter by b n (given - pressure), as if the pressure's gradient were integrated by parts.
    """

    def __init__(self, matrices: FluxMatrices, shares: Mapping[Share, float], scales: Mapping[str, float]) -> None:
        self._matrices, self._scales = matrices, scales
        self._shares = np.array([shares[one] for one in matrices.shares])
        system, conditions = matrices.system, matrices.conditions
        self._symbols = [
            [symbol(f"#{k}_{m}") for m, _ in enumerate(conditions.fluxes)] for k, _ in enumerate(conditions.free)
        ]
        self.integrands = []
        for names, balance in zip(self._symbols, conditions.free, strict=True):
            terms = [-name * one.rest for name, one in zip(names, conditions.fluxes, strict=True)]
            for pressure, value in conditions.pressures.items():
                for equation, sign in balance.terms:
                    factor = sign * sympy.Float(scales[equation.name]) * coupling(system, equation, pressure)
                    terms.append(factor * (value - system.fields[pressure]))
            self.integrands.append(Integrand(balance.field, {(): sympy.Add(*terms)}))
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
        base, slopes, conditions = self._matrices(at, time, self._scales)
        wanted = base + np.einsum("nksc,s->nkc", slopes, self._shares)
        found = np.einsum("ncm,nkc->nkm", np.linalg.pinv(conditions), wanted)
        shape = at.weights.shape
        return {
            name: found[:, k, m].reshape(shape) for k, names in enumerate(self._symbols) for m, name in enumerate(names)
        }
