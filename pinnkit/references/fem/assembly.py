"""Residual and Jacobian of a weak form on one mesh."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import sympy
from scipy import sparse

from pinnkit.language import linear
from pinnkit.language.calculus import Partial, partials, symbol
from pinnkit.language.evaluate import Program
from pinnkit.references.budget import Budget
from pinnkit.references.fem.facets import FacetGroup, facet_basis
from pinnkit.references.fem.second_order import SecondOrderSystem
from pinnkit.references.fem.weak_form import WeakEquation

ORDER = {2: 6, 3: 5}
"""Degree of the polynomials that the quadrature integrates exactly, by the number of space coordinates."""
BYTES_OF_FACTORS = {2: 1_500, 3: 12_000}
"""Memory of a sparse factorisation for each unknown."""


class Spaces:
    """A function space for each field on one mesh: quadratic, linear for pressures; unknowns field after field.

    Attributes:
        elements: field -> the element of scikit-fem.
        bases: field -> the basis in the mesh, with quadrature.
        slots: field -> its unknowns, a slice.
        size: the number of all unknowns.
    """

    def __init__(self, system: SecondOrderSystem, mesh: Any, budget: Budget) -> None:
        import skfem

        dimension = len(system.space)
        quadratic, linear_element = (
            (skfem.ElementTriP2, skfem.ElementTriP1) if dimension == 2 else (skfem.ElementTetP2, skfem.ElementTetP1)
        )
        self.system, self.mesh, self.order = system, mesh, ORDER[dimension]
        self.elements = {name: linear_element() if name in system.pressures else quadratic() for name in system.fields}
        points = 12 if dimension == 2 else 14
        budget.check_memory(mesh.t.shape[1] * points * (8 * 10 * 4 * len(self.elements)))
        self.bases: dict[str, Any] = {}
        self.slots: dict[str, slice] = {}
        self.size = 0
        for name, element in self.elements.items():
            same = next((one for one in self.bases if type(self.elements[one]) is type(element)), None)
            basis = self.bases[same] if same else skfem.Basis(mesh, element, intorder=self.order)
            self.bases[name] = basis
            self.slots[name] = slice(self.size, self.size + basis.N)
            self.size += basis.N
        budget.check_memory(self.size * BYTES_OF_FACTORS[dimension])
        self.interior = Quadrature(self, self.bases)

    def living(self, fields: Collection[str], elements: np.ndarray) -> np.ndarray:
        """Mask (unknowns,) of those of some fields that belong to these elements."""
        mask = np.zeros(self.size, dtype=bool)
        for name in fields:
            mask[self.interior.rows[name][elements]] = True
        return mask

    def on_facets(self, group: FacetGroup) -> Quadrature:
        """Quadrature on the facets of a group; fields that live on the outer side alone are seen from there."""
        patterns = self.system.patterns
        inner = patterns[group.inner].fields
        beyond = patterns[group.outer].fields if group.outer is not None else ()
        made: dict[tuple[type, bool], Any] = {}
        bases = {}
        for name, element in self.elements.items():
            key = type(element), name in beyond and name not in inner
            if key not in made:
                made[key] = facet_basis(self.mesh, element, group.facets, group.sides, self.order, outer=key[1])
            bases[name] = made[key]
        return Quadrature(self, bases)


class Quadrature:
    """Fields, derivatives and test functions at the quadrature points of elements or facets.

    Attributes:
        weights: (cells, points).
        points: coordinate -> (cells, points).
        normals: coordinate -> (cells, points), on facets.
        known: further symbols that programs read.
    """

    def __init__(self, spaces: Spaces, bases: Mapping[str, Any]) -> None:
        self._spaces = spaces
        first = next(iter(bases.values()))
        space = spaces.system.space
        self.weights = np.asarray(first.dx)
        positions = np.asarray(first.global_coordinates())
        self.points = {symbol(name): positions[n] for n, name in enumerate(space)}
        self.normals: dict[sympy.Symbol, np.ndarray] = {}
        if hasattr(first, "normals"):
            normals = np.asarray(first.normals)
            self.normals = {symbol(f"n_{name}"): normals[n] for n, name in enumerate(space)}
        self.known: Mapping[sympy.Symbol, np.ndarray] = {}
        made: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self._functions: dict[str, np.ndarray] = {}
        self.rows: dict[str, np.ndarray] = {}
        for name, basis in bases.items():
            if id(basis) not in made:
                made[id(basis)] = _functions(basis, self.weights.shape, len(space)), np.asarray(basis.element_dofs).T
            functions, dofs = made[id(basis)]
            self._functions[name] = functions
            self.rows[name] = dofs + spaces.slots[name].start

    @property
    def size(self) -> int:
        """The number of all unknowns."""
        return self._spaces.size

    def within(self, elements: np.ndarray) -> Quadrature:
        """The part on some of the elements, a mask."""
        if elements.all():
            return self
        part = copy.copy(self)
        part.weights = self.weights[elements]
        part.points = {name: values[elements] for name, values in self.points.items()}
        made: dict[int, np.ndarray] = {}
        for values in self._functions.values():
            if id(values) not in made:
                made[id(values)] = values[:, elements]
        part._functions = {name: made[id(values)] for name, values in self._functions.items()}
        part.rows = {name: rows[elements] for name, rows in self.rows.items()}
        return part

    def test(self, field: str, derivative: tuple[str, ...] = ()) -> np.ndarray:
        """(cells, functions, points): the functions of a field, or their derivative by one coordinate."""
        return self._functions[field][self._spaces.system.space.index(derivative[0]) + 1 if derivative else 0]

    def inputs(
        self, atoms: Sequence[sympy.Basic], time: float | None, state: np.ndarray, rate: np.ndarray | None
    ) -> dict[sympy.Basic, np.ndarray | float]:
        """What programs read: coordinates, normals, fields and their derivatives, those in time from `rate`."""
        name_of_time = self._spaces.system.time
        found: dict[sympy.Basic, np.ndarray | float] = {**self.points, **self.normals, **self.known}
        if time is not None:
            found[symbol(cast(str, name_of_time))] = time
        for atom in atoms:
            if isinstance(atom, Partial):
                in_time = bool(atom.derivative) and atom.derivative[0] == name_of_time
                vector = cast(np.ndarray, rate) if in_time else state
                functions = self.test(atom.field, () if in_time else atom.derivative)
                found[atom] = np.einsum("eap,ea->ep", functions, vector[self.rows[atom.field]])
        return found


def _functions(basis: Any, shape: tuple[int, int], dimension: int) -> np.ndarray:
    """(1 + d, cells, functions, points): values and derivatives of the functions."""
    found = np.empty((1 + dimension, shape[0], basis.Nbfun, shape[1]))
    for number, (function,) in enumerate(basis.basis):
        found[0, :, number] = np.broadcast_to(np.asarray(function), shape)
        for axis in range(dimension):
            found[1 + axis, :, number] = np.broadcast_to(function.grad[axis], shape)
    return found


@dataclass(frozen=True)
class Integrand:
    """integral of sum over tested derivatives d of expressions[d] * v_d, with test functions v of `field`."""

    field: str
    expressions: Mapping[tuple[str, ...], sympy.Expr]


def integrand(one: WeakEquation, space: Sequence[str], scale: float) -> Integrand:
    """That of a weak equation over elements, times a number."""
    parts: dict[tuple[str, ...], Any] = {
        (): one.value,
        **{(name,): flux for name, flux in zip(space, one.flux, strict=True)},
    }
    if scale != 1.0:
        parts = {tested: sympy.Float(scale) * expression for tested, expression in parts.items()}
    return Integrand(one.field, parts)


class Integral:
    """The integrals of an integrand's expressions over cells, and their derivatives by the unknowns."""

    def __init__(self, integrand: Integrand, time: str | None) -> None:
        self.field = integrand.field
        self._time = time
        parts = {tested: one for tested, one in integrand.expressions.items() if one != 0}
        self._tested = list(parts)
        self._atoms = sorted(set().union(*(partials(one) for one in parts.values())), key=str)
        self._slopes: list[tuple[tuple[str, ...], Partial]] = []
        slopes = []
        for tested, one in parts.items():
            for atom, slope in zip(self._atoms, linear.slopes(one, self._atoms), strict=True):
                if slope != 0:
                    self._slopes.append((tested, atom))
                    slopes.append(slope)
        self._values = Program(list(parts.values()))
        self._program = Program(slopes)
        self.constant = not any(partials(one) for one in slopes) and not any(
            time is not None and symbol(time) in one.free_symbols for one in slopes
        )

    @property
    def undifferentiated(self) -> set[str]:
        """The fields whose values, or derivatives in time, the expressions hold."""
        return {one.field for one in self._atoms if set(one.derivative) <= {self._time}}

    def residual(
        self, at: Quadrature, time: float | None, state: np.ndarray, rate: np.ndarray | None, out: np.ndarray
    ) -> None:
        """Add the integrals to `out`, the residual (unknowns,)."""
        inputs = at.inputs(self._values.atoms, time, state, rate)
        for tested, value in zip(self._tested, self._values(inputs), strict=True):
            weighted = at.weights * value
            np.add.at(out, at.rows[self.field], np.einsum("eap,ep->ea", at.test(self.field, tested), weighted))

    def jacobian(
        self, at: Quadrature, time: float | None, state: np.ndarray, rate: np.ndarray | None, per_rate: float
    ) -> list[sparse.coo_matrix]:
        """The derivatives by the state, with those by the rate times `per_rate`."""
        inputs = at.inputs(self._program.atoms, time, state, rate)
        blocks: dict[str, np.ndarray] = {}
        for (tested, atom), slope in zip(self._slopes, self._program(inputs), strict=True):
            in_time = bool(atom.derivative) and atom.derivative[0] == self._time
            weighted = at.weights * slope * (per_rate if in_time else 1.0)
            left = at.test(self.field, tested) * weighted[:, None, :]
            right = at.test(atom.field, () if in_time else atom.derivative)
            block = left @ right.transpose(0, 2, 1)
            blocks[atom.field] = blocks[atom.field] + block if atom.field in blocks else block
        return [self._scattered(at, name, block) for name, block in blocks.items()]

    def _scattered(self, at: Quadrature, name: str, block: np.ndarray) -> sparse.coo_matrix:
        rows = np.broadcast_to(at.rows[self.field][:, :, None], block.shape)
        columns = np.broadcast_to(at.rows[name][:, None, :], block.shape)
        return sparse.coo_matrix((block.ravel(), (rows.ravel(), columns.ravel())), shape=(at.size, at.size))
