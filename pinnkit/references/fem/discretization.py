"""A second-order system on one mesh: spaces, prescribed values, integrals, constants that equations leave free."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import sympy
from scipy import sparse

from pinnkit.language.calculus import normal_symbol, partials, symbol
from pinnkit.language.evaluate import Program
from pinnkit.problem.problem import Problem
from pinnkit.references.budget import Budget
from pinnkit.references.fem.assembly import Integral, Integrand, Quadrature, Spaces, integrand
from pinnkit.references.fem.boundary_data import Conditions, FixedConstant
from pinnkit.references.fem.facet_conditions import GroupConditions, sort_conditions
from pinnkit.references.fem.facets import FacetGroup, element_patterns, group_facets
from pinnkit.references.fem.fluxes import BoundaryTerm, FluxMatrices, find_scales, find_shares
from pinnkit.references.fem.newton import factorised
from pinnkit.references.fem.ordering import nested_dissection
from pinnkit.references.fem.second_order import SecondOrderSystem
from pinnkit.references.fem.ties import Ties
from pinnkit.references.fem.unsupported import unsupported
from pinnkit.references.fem.weak_form import free_shares, weak_form

FLAT = 1e-9
CONFLICT = 1e-6
"""Relative difference of two values prescribed at one node that counts as a jump."""


class Discretization:
    """The unknowns y of all fields on a mesh, with residual R(t, y, dy/dt) = 0 for those that are not prescribed.

    Attributes:
        patterns: (elements,) the number of each element's pattern.
        free: indices of the unknowns that are neither prescribed nor tied to others.
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
        self.patterns = element = element_patterns(problem, system, mesh)
        groups = group_facets(problem, system, mesh, conditions.boundary)
        sorted_groups = [one for group in groups for one in self._sorted(group)]
        living = np.zeros(self.size, dtype=bool)
        for number, pattern in enumerate(system.patterns.values()):
            living |= self.spaces.living(pattern.fields, element == number)
        self._prescribe(sorted_groups, begin, living)
        free = free_shares(system)
        matrices = [(FluxMatrices(system, one, free), self.spaces.on_facets(one.group)) for one in sorted_groups]
        scales = find_scales(system, matrices, begin)
        shares = find_shares(matrices, begin, scales)
        self._terms: list[tuple[Integral, Quadrature, BoundaryTerm | None]] = []
        for weak in weak_form(system, shares):
            held = [weak.name in {one.name for one in pattern.equations} for pattern in system.patterns.values()]
            within = self.spaces.interior.within(np.array(held)[element])
            self._terms.append((Integral(integrand(weak, system.space, scales[weak.name]), system.time), within, None))
        for matrix, at in matrices:
            if matrix.conditions.free:
                term = BoundaryTerm(matrix, shares, scales)
                at.known = term.factors(at, begin)
                self._terms += [(Integral(one, system.time), at, term) for one in term.integrands if not _empty(one)]
        self.linear = all(integral.constant and not (term and term.moves) for integral, _, term in self._terms)
        self._constants(sorted_groups)
        self._order: np.ndarray | None = None

    # ------------------------------------------------------------ prescribed values

    def _sorted(self, group: FacetGroup) -> list[GroupConditions]:
        """The group, by the directions of its facets where values depend on the normal."""
        normals = tuple(normal_symbol(name) for name in self.system.space)
        if not any(one.prescribes_values and one.rest.free_symbols & set(normals) for one in group.equations):
            return [sort_conditions(self.system, group, None)]
        at = self.spaces.on_facets(group)
        found = np.stack([at.normals[name] for name in normals], axis=2)
        if np.abs(found - found[:, :1]).max() > FLAT:
            return [sort_conditions(self.system, group, None)]
        directions, index = np.unique(np.round(found[:, 0], 9), axis=0, return_inverse=True)
        return [
            sort_conditions(self.system, group.part(index.ravel() == number), direction)
            for number, direction in enumerate(directions)
        ]

    def _prescribe(self, groups: Sequence[GroupConditions], begin: float | None, living: np.ndarray) -> None:
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
        self.ties = self._tied(groups, ~np.isnan(known), begin)
        self.free = np.flatnonzero(np.isnan(known) & living & ~self.ties.tied)
        self._to_free = self.ties.matrix(self.free)

    def _prescribed(self, time: float | None) -> list[tuple[np.ndarray, np.ndarray]]:
        found = []
        for nodes, read, program in self._values:
            inputs = read if time is None else {**read, symbol(cast(str, self.system.time)): time}
            found.append((nodes, np.array(np.broadcast_to(program(inputs)[0], len(nodes)), dtype=float)))
        return found

    def prescribe(self, y: np.ndarray, time: float | None) -> np.ndarray:
        """A copy of the unknowns with the prescribed ones at this time."""
        y = y.copy()
        for nodes, values in self._prescribed(time):
            y[nodes] = values
        return self.ties(y)

    def complete(self, z: np.ndarray, prescribed: np.ndarray) -> np.ndarray:
        """All unknowns from the free ones, (free unknowns,), and from others with the prescribed ones."""
        y = prescribed.copy()
        y[self.free] = z
        return self.ties(y)

    def _tied(self, groups: Sequence[GroupConditions], held: np.ndarray, begin: float | None) -> Ties:
        """The unknowns on interfaces that equal others but for a known difference."""
        ties = Ties(held)
        for one in groups:
            for name, (other, gap) in one.joined.items():
                basis = self.spaces.bases[name]
                nodes = basis.get_dofs(facets=one.group.facets).all()
                read = {symbol(axis): basis.doflocs[n, nodes] for n, axis in enumerate(self.system.space)}
                if begin is not None:
                    if symbol(cast(str, self.system.time)) in gap.free_symbols:
                        raise unsupported(f"the difference of {name} and {other} depends on {self.system.time}")
                    read[symbol(cast(str, self.system.time))] = begin
                gaps = np.broadcast_to(Program([gap])(read)[0], len(nodes))
                first, second = self.spaces.slots[name].start, self.spaces.slots[other].start
                for node, size in zip(nodes, gaps, strict=True):
                    ties.add(int(node) + first, int(node) + second, float(size))
        return ties

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
        return self._to_free.T @ out

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
        return (self._to_free.T @ full @ self._to_free).tocsc()

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

    def _constants(self, groups: Sequence[GroupConditions]) -> None:
        """Find the fields that enter by their derivatives alone, and are nowhere prescribed."""
        self._free_constants: list[tuple[FixedConstant, list[str]]] = []
        rows = []
        used = set().union(*(integral.undifferentiated for integral, _, _ in self._terms))
        used |= {name for one in groups for name in one.values} | set(self.system.evolving)
        for names in self._tied_fields(groups):
            given = [one for one in self._conditions.constants if one.field in names]
            if used & set(names):
                if given:
                    raise unsupported(
                        f"the condition '{given[0].name}' gives a value of {given[0].field}, where the other "
                        f"conditions determine {given[0].field} already"
                    )
                continue
            if len(given) != 1:
                raise unsupported(
                    f"the conditions determine {' and '.join(names)} up to a constant: "
                    "give a value at one point, at: {x: 0, y: 0}"
                )
            self._free_constants.append((given[0], names))
            rows.append(sum(self._integrals(name) for name in names))
        self.constants = np.array(rows).reshape(-1, self.size) @ self._to_free

    def _tied_fields(self, groups: Sequence[GroupConditions]) -> list[list[str]]:
        """All fields, those together whose values are tied at an interface."""
        together = {name: [name] for name in self.system.fields}
        for one in groups:
            for name, (other, _) in one.joined.items():
                if together[name] is not together[other]:
                    together[other] += together[name]
                    for each in together[name]:
                        together[each] = together[other]
        return list({id(names): names for names in together.values()}.values())

    def _integrals(self, field: str) -> np.ndarray:
        out = np.zeros(self.size)
        one = Integral(Integrand(field, {(): sympy.S.One}), None)
        for integral, at, term in self._terms:  # the elements where the field lives
            if integral.field == field and term is None:
                one.residual(at, None, np.zeros(self.size), None, out)
        return out

    def fix_constants(self, y: np.ndarray, time: float | None) -> np.ndarray:
        """The unknowns with the free constants as the conditions say."""
        y = y.copy()
        for one, names in self._free_constants:
            basis, slot = self.spaces.bases[one.field], self.spaces.slots[one.field]
            read = dict(zip(map(symbol, self.system.space), one.point or (), strict=False))
            if time is not None:
                read[symbol(cast(str, self.system.time))] = time
            wanted = float(Program([one.value])(read)[0])
            if one.point is None:
                weights = self._integrals(one.field)
                gap = (wanted - weights @ y) / weights.sum()
            else:
                distances = np.linalg.norm(basis.doflocs - np.array(one.point)[:, None], axis=0)
                gap = wanted - y[slot][int(np.argmin(distances))]
            for name in names:
                y[self.spaces.slots[name]] += gap
        return y


def _empty(one: Integrand) -> bool:
    return all(value == 0 for value in one.expressions.values())
