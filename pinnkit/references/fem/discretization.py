"""A second-order system on one mesh: spaces, prescribed values, integrals, constants that equations leave free."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sympy
from scipy import sparse

from pinnkit.language.calculus import normal_symbol, partials, symbol
from pinnkit.language.evaluate import Program
from pinnkit.problem.problem import Problem
from pinnkit.references.budget import Budget
from pinnkit.references.fem.assembly import Integral, Integrand, Quadrature, Spaces, integrands
from pinnkit.references.fem.boundary_data import Conditions, PointValue
from pinnkit.references.fem.facets import FacetGroup, group_facets
from pinnkit.references.fem.fluxes import BoundaryTerm, FluxMatrices, GroupConditions, find_shares, sort_conditions
from pinnkit.references.fem.newton import factorised
from pinnkit.references.fem.ordering import nested_dissection
from pinnkit.references.fem.second_order import SecondOrderSystem
from pinnkit.references.fem.weak_form import free_shares, weak_form
from pinnkit.references.fem.words import unsupported

FLAT = 1e-9
CONFLICT = 1e-6
"""Relative difference of two values prescribed at one node that counts as a jump."""


class Discretization:
    """The unknowns y of all fields on a mesh, with residual R(t, y, dy/dt) = 0 for those that are not prescribed.

    Attributes:
        free: indices of the unknowns that are not prescribed.
        constants: (m, unknowns) the integrals of the fields that equations determine up to a constant.
        linear: whether the derivatives of the residual are constant, in time too.
        jumps: (k, d) nodes at which two conditions prescribe different values.
    """

    def __init__(
        self, problem: Problem, system: SecondOrderSystem, conditions: Conditions, mesh: Any, budget: Budget
    ) -> None:
        self.system, self.mesh = system, mesh
        self.spaces = Spaces(system, mesh, budget)
        self.size = self.spaces.size
        self._conditions = conditions
        begin = problem.domain.bounds[system.time][0] if system.time else None
        groups = group_facets(problem, mesh, conditions.boundary)
        sorted_groups = [one for group in groups for one in self._sorted(group)]
        self._prescribe(sorted_groups, begin)
        free = free_shares(system)
        matrices = [(FluxMatrices(system, one, free), self.spaces.on_facets(one.group.facets)) for one in sorted_groups]
        shares = find_shares(matrices, begin)
        self._terms: list[tuple[Integral, Quadrature, BoundaryTerm | None]] = [
            (Integral(one, system.time), self.spaces.interior, None)
            for one in integrands(weak_form(system, shares), system.space)
        ]
        for matrix, at in matrices:
            if matrix.conditions.free:
                term = BoundaryTerm(matrix, shares)
                at.known = term.factors(at, begin)
                self._terms += [(Integral(one, system.time), at, term) for one in term.integrands if not _empty(one)]
        self.linear = all(integral.constant and not (term and term.moves) for integral, _, term in self._terms)
        self._constants()
        self._order: np.ndarray | None = None

    # ------------------------------------------------------------ prescribed values

    def _sorted(self, group: FacetGroup) -> list[GroupConditions]:
        """The group, by the directions of its facets where values depend on the normal."""
        normals = tuple(normal_symbol(name) for name in self.system.space)
        if not any(one.prescribes_values and one.rest.free_symbols & set(normals) for one in group.equations):
            return [sort_conditions(self.system, group, None)]
        at = self.spaces.on_facets(group.facets)
        found = np.stack([at.normals[name] for name in normals], axis=2)
        if np.abs(found - found[:, :1]).max() > FLAT:
            return [sort_conditions(self.system, group, None)]
        directions, index = np.unique(np.round(found[:, 0], 9), axis=0, return_inverse=True)
        return [
            sort_conditions(
                self.system,
                FacetGroup(group.facets[index.ravel() == number], group.equations, group.description),
                direction,
            )
            for number, direction in enumerate(directions)
        ]

    def _prescribe(self, groups: Sequence[GroupConditions], begin: float | None) -> None:
        self._values: list[tuple[np.ndarray, dict, Program]] = []
        for one in groups:
            for name, value in one.values.items():
                basis, first = self.spaces.bases[name], self.spaces.slots[name].start
                nodes = basis.get_dofs(facets=one.group.facets).all()
                read = {symbol(axis): basis.doflocs[n, nodes] for n, axis in enumerate(self.system.space)}
                if partials(value):
                    raise unsupported(f"on {one.group.description} the values of {name} depend on other fields")
                self._values.append((nodes + first, read, Program([value])))
        known = np.full(self.size, np.nan)
        jumps = []
        for nodes, values in self._prescribed(begin):
            if not np.all(np.isfinite(values)):
                raise unsupported("prescribed values are not finite on the boundary")
            both = np.isfinite(known[nodes])
            differ = np.abs(known[nodes] - values) > CONFLICT * (1e-300 + np.abs(values).max())
            for node in nodes[both & differ]:
                field = next(name for name, slot in self.spaces.slots.items() if slot.start <= node < slot.stop)
                jumps.append(self.spaces.bases[field].doflocs[:, node - self.spaces.slots[field].start])
            known[nodes] = values
        self.jumps = np.unique(np.round(jumps, 12), axis=0) if jumps else np.empty((0, len(self.system.space)))
        self.free = np.flatnonzero(np.isnan(known))

    def _prescribed(self, time: float | None) -> list[tuple[np.ndarray, np.ndarray]]:
        found = []
        for nodes, read, program in self._values:
            inputs = read if time is None else {**read, symbol(self.system.time): time}
            found.append((nodes, np.array(np.broadcast_to(program(inputs)[0], len(nodes)), dtype=float)))
        return found

    def prescribe(self, y: np.ndarray, time: float | None) -> np.ndarray:
        """A copy of the unknowns with the prescribed ones at this time."""
        y = y.copy()
        for nodes, values in self._prescribed(time):
            y[nodes] = values
        return y

    def start(self) -> np.ndarray:
        """The unknowns at the lower end of time, zero without one."""
        y = np.zeros(self.size)
        for name, value in self._conditions.start.items():
            basis = self.spaces.bases[name]
            read = {symbol(axis): basis.doflocs[n] for n, axis in enumerate(self.system.space)}
            y[self.spaces.slots[name]] = Program([value])(read)[0]
        if not np.all(np.isfinite(y)):
            raise unsupported("the fields are not finite at the start")
        return y

    # ------------------------------------------------------------ integrals

    def residual(self, time: float | None, y: np.ndarray, rate: np.ndarray | None = None) -> np.ndarray:
        """(free unknowns,)"""
        out = np.zeros(self.size)
        for integral, at, term in self._terms:
            if term is not None and term.moves:
                at.known = term.factors(at, time)
            integral.residual(at, time, y, rate, out)
        return out[self.free]

    def jacobian(
        self, time: float | None, y: np.ndarray, rate: np.ndarray | None = None, per_rate: float = 0.0
    ) -> sparse.csc_matrix:
        """The derivatives by the free unknowns, with those by the rates times `per_rate`."""
        parts = []
        for integral, at, term in self._terms:
            if term is not None and term.moves:
                at.known = term.factors(at, time)
            parts += integral.jacobian(at, time, y, rate, per_rate)
        rows, columns, data = (np.concatenate([getattr(one, key) for one in parts]) for key in ("row", "col", "data"))
        full = sparse.coo_matrix((data, (rows, columns)), shape=(self.size, self.size)).tocsr()
        return full[self.free][:, self.free].tocsc()

    def factorised(self, matrix: sparse.csc_matrix) -> Callable[[np.ndarray], np.ndarray]:
        """The solution of systems with a Jacobian, the free constants zero on average."""
        if self._order is None:
            places = np.concatenate([basis.doflocs.T for basis in self.spaces.bases.values()])[self.free]
            last = np.zeros(self.size, dtype=bool)
            for name in self.system.pressures:
                last[self.spaces.slots[name]] = True
            self._order = nested_dissection(matrix, places, last[self.free])
        return factorised(matrix, self.constants, self._order)

    # ------------------------------------------------------------ constants

    def _constants(self) -> None:
        """Find the fields that enter by their derivatives alone, and are nowhere prescribed."""
        self._free_constants: list[PointValue] = []
        rows = []
        used = set().union(*(integral.undifferentiated for integral, _, _ in self._terms))
        prescribed = {name for name, slot in self.spaces.slots.items() if _within(slot, self._values)}
        for name in self.system.fields:
            given = [one for one in self._conditions.points if one.field == name]
            if name in used or name in prescribed or name in self.system.evolving:
                if given:
                    raise unsupported(
                        f"the condition '{given[0].name}' gives {name} at a point, where the other conditions "
                        f"determine {name} already"
                    )
                continue
            if len(given) != 1:
                raise unsupported(
                    f"the conditions determine {name} up to a constant: give its value at one point, at: {{x: 0, y: 0}}"
                )
            self._free_constants.append(given[0])
            rows.append(self._integrals(name))
        self.constants = np.array(rows).reshape(-1, self.size)[:, self.free]

    def _integrals(self, field: str) -> np.ndarray:
        out = np.zeros(self.size)
        one = Integral(Integrand(field, {(): sympy.S.One}), None)
        one.residual(self.spaces.interior, None, np.zeros(self.size), None, out)
        return out

    def fix_constants(self, y: np.ndarray, time: float | None) -> np.ndarray:
        """The unknowns with the free constants as the conditions at points say."""
        y = y.copy()
        for one in self._free_constants:
            basis, slot = self.spaces.bases[one.field], self.spaces.slots[one.field]
            distances = np.linalg.norm(basis.doflocs - np.array(one.point)[:, None], axis=0)
            read = {symbol(axis): value for axis, value in zip(self.system.space, one.point, strict=True)}
            if time is not None:
                read[symbol(self.system.time)] = time
            wanted = float(Program([one.value])(read)[0])
            y[slot] += wanted - y[slot][int(np.argmin(distances))]
        return y


def _empty(one: Integrand) -> bool:
    return all(value == 0 for value in one.expressions.values())


def _within(slot: slice, values: Sequence[tuple[np.ndarray, dict, Program]]) -> bool:
    return any(len(nodes) and slot.start <= nodes[0] < slot.stop for nodes, _, _ in values)
