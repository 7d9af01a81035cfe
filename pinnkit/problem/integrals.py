"""Quadrature of the integrals in a problem's equations, and their values for known functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import sympy

from pinnkit.domains.quadrature import gauss_legendre
from pinnkit.domains.shape import Shape
from pinnkit.language.evaluate import Program
from pinnkit.language.integral import Integral, bound_normal, bound_symbol, integrals
from pinnkit.problem.problem import Problem

ORDERS = {1: 20, 2: 12, 3: 8}
"""Nodes along each coordinate, by how many are integrated over."""
EPSILON = np.finfo(float).eps


class Quadrature:
    """The nodes and weights by which an integral is computed.

    Over an interval from a to b: s_k = a + (b - a) z_k, with the nodes z_k and weights of Gauss and Legendre, which
    differ from point to point where the bounds do. Over a region they are fixed.

    Args:
        refined: how many times the nodes along each coordinate.

    Attributes:
        count: the number q of nodes.
        at_points: whether the integral differs from point to point.
    """

    def __init__(self, problem: Problem, integral: Integral, refined: int = 1) -> None:
        self.integral = integral
        self.at_points = bool(integral.free_symbols - set(problem.values))
        self._bounds: Program | None = None
        if integral.region:
            points, weights, normals = _region(problem, integral.region, integral.rim, refined)
            names = map(bound_symbol, integral.names)
            self._fixed = dict(zip(names, points.T[:, None], strict=True))
            if integral.rim:
                assert normals is not None
                self._fixed |= dict(zip(map(bound_normal, integral.names), normals.T[:, None], strict=True))
        else:
            self._bounds = Program([integral.lower, integral.upper])
            unit, weights = gauss_legendre(refined * order_along(problem, 1))
            self._unit = unit[None]
        self._weights = weights[None]

    @property
    def count(self) -> int:
        return self._weights.shape[1]

    def nodes(
        self, values: Mapping[sympy.Basic, Any], array: Callable[[np.ndarray], Any] = lambda one: one
    ) -> tuple[dict[sympy.Symbol, Any], Any]:
        """The variables of integration, (n, q) or (1, q) each, and the weights.

        Args:
            values: what bounds read, by columns (n, 1) where it differs from point to point.
            array: makes arrays of the kind of the values.
        """
        weights = array(self._weights)
        if self._bounds is None:
            return {name: array(one) for name, one in self._fixed.items()}, weights
        lower, upper = self._bounds(values)
        length = upper - lower
        return {self.integral.variables[0]: lower + length * array(self._unit)}, length * weights


def order_along(problem: Problem, dimension: int) -> int:
    """Nodes along each of the coordinates that are integrated over."""
    return problem.quadrature or ORDERS[min(max(dimension, 1), max(ORDERS))]


def region_shapes(problem: Problem, name: str, rim: bool) -> tuple[Shape, ...]:
    """What an integral over a region in space is over, at fixed values of the other coordinates."""
    shapes = problem.rims[name] if rim else (problem.regions.get(name, problem.domain),)
    others = [one for one in problem.coordinates if one not in problem.space]
    middle = {one: sum(problem.domain.bounds[one]) / 2 for one in others}
    return tuple(shape.at(**middle) if middle else shape for shape in shapes)


def _region(problem: Problem, name: str, rim: bool, refined: int) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Points (q, k) in space, weights (q,), and on a rim the normals (q, k)."""
    order = refined * order_along(problem, len(problem.space) - rim)
    key = (name, rim, order)
    if key not in problem.region_rules:
        problem.region_rules[key] = _computed_rule(problem, name, rim, order)
    return problem.region_rules[key]


def _computed_rule(
    problem: Problem, name: str, rim: bool, order: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    columns = [problem.coordinates.index(one) for one in problem.space]
    points, weights, normals = [], [], []
    for shape in region_shapes(problem, name, rim):
        nodes, factors = shape.quadrature(order)
        points.append(nodes[:, columns])
        weights.append(factors)
        if rim:
            facing = shape.normals(nodes)
            assert facing is not None
            normals.append(facing[:, columns])
    return np.concatenate(points), np.concatenate(weights), np.concatenate(normals) if rim else None


def integral_value(
    problem: Problem, integral: sympy.Expr, read: Mapping[sympy.Basic, Any], refined: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """The value of an integral whose body holds no field, and the integral of the body's size, (n,) or (1,) each.

    Args:
        integral: zero, or an Integral.
        read: parameters, and coordinates (n,) among other columns.
    """
    if not isinstance(integral, Integral):
        return np.full(1, float(integral)), np.full(1, abs(float(integral)))
    known, weights = _at_nodes(problem, integral, read, refined)
    (body,) = Program([integral.body])(known)
    parts = _shared(body, weights)
    return parts.sum(axis=1), np.abs(parts).sum(axis=1)


def _at_nodes(
    problem: Problem, integral: Integral, read: Mapping[sympy.Basic, Any], refined: int
) -> tuple[dict[sympy.Basic, Any], np.ndarray]:
    """What the body reads at the nodes, and the weights; arrays (n, q), (n, 1) or (1, q)."""
    columns = {name: np.reshape(one, (-1, 1)) if np.ndim(one) else one for name, one in read.items()}
    variables, weights = Quadrature(problem, integral, refined).nodes(columns)
    return {**columns, **variables}, weights


def _shared(body: Any, weights: np.ndarray) -> np.ndarray:
    """The terms (n, q) of a sum."""
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray(body * weights, dtype=float)


def known_values(problem: Problem, expr: sympy.Basic, read: Mapping[sympy.Basic, Any]) -> dict[sympy.Basic, Any]:
    """The values of the integrals of known functions that an expression holds, (n,) or numbers, by the integrals."""
    found = {one: integral_value(problem, one, read)[0] for one in integrals(expr)}
    return {one: value if len(value) > 1 else float(value[0]) for one, value in found.items()}


def precise_value(
    problem: Problem, integral: sympy.Expr, read: Mapping[sympy.Basic, Any]
) -> tuple[np.ndarray, np.ndarray]:
    """The value of an integral of a known function by more nodes than training has, and an estimate of its error."""
    if not isinstance(integral, Integral):
        return np.full(1, float(integral)), np.zeros(1)
    refined = 2 if integral.region else 4
    known, weights = _at_nodes(problem, integral, read, refined)
    errors = {name: EPSILON * np.abs(one) for name, one in known.items()}
    ((body, rounding),) = Program([integral.body]).bounded(known, errors)
    parts, noise = _shared(body, weights), _shared(rounding, np.abs(weights))
    half, _ = integral_value(problem, integral, read, refined // 2)
    error = noise.sum(axis=1) + EPSILON * np.abs(parts).sum(axis=1)
    return parts.sum(axis=1), error + np.abs(parts.sum(axis=1) - half)


def described_integrals(problem: Problem) -> Iterator[str]:
    """A line for each integral: by which points it is computed."""
    equations = [*problem.equations, *(one for condition in problem.conditions for one in condition.equations)]
    texts = [one.residual for one in equations if isinstance(one.residual, sympy.Basic)]
    for one in dict.fromkeys(found for text in texts for found in integrals(text)):
        rule = Quadrature(problem, one)
        kind = "" if one.region else " of Gauss and Legendre's rule"
        each = "at each point" if rule.at_points else "once"
        yield f"{one}: {rule.count} nodes{kind}, {each}"
