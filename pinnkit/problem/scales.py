"""The size of each field and of each equation, by what the problem prescribes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import sympy

from pinnkit.domains.shape import Shape
from pinnkit.language.calculus import partials, symbol
from pinnkit.language.evaluate import Program
from pinnkit.language.integral import integrals
from pinnkit.problem.parts import Condition, Equation
from pinnkit.problem.places import allowed_at, known_at
from pinnkit.problem.problem import Problem
from pinnkit.problem.term_levels import TermLevels

FAR = 1000.0
"""How far from 1 the size of a field is, by the balance of terms, where a problem is scaled."""
APART = 1e4
"""How far the sizes of equations are from 1, or from each other, where a problem is scaled."""


@dataclass(frozen=True)
class Scales:
    """The sizes of a problem.

    Attributes:
        fields: field -> its largest size, about, by conditions as a power of two; 1 where nothing prescribes one.
        terms: equation or condition -> the size of its largest term, about; empty where they are not scaled.
    """

    fields: dict[str, float]
    terms: dict[str, float]


def scales_of(problem: Problem, scaled: bool) -> Scales:
    """The sizes of fields and equations.

    A condition c * d^k u/dp^k = g, linear in one partial derivative, says that u is about |g/c| times half the range
    of p for each of the k derivatives: u = 10 gives 8, V_x = S with |S| <= 500 on [-3, 3] gives 2048. Networks whose
    outputs are multiplied by it start at the right size (nondimensionalisation). Where the condition's weight w differs
    from point to point, and holds no field, it is the size where w is large, max |sqrt(w) g| / max |sqrt(w) c|: on
    Allen and Cahn's equation, whose weights are large near u = 0, the error after 2400 steps is a quarter with it. Both
    parts of a complex field have the size of the larger.

    Args:
        scaled: whether a field that no condition gives a size has the one at which its terms balance the sources, as
            q h^2 / k in -k u_xx = q on a range of half-width h; and whether equations have sizes, those of their
            largest terms where each field has its size, and each derivative that over half the range of its
            coordinates.
    """
    given = _given_sizes(problem)
    fields = {name: _power(size) if size > 0 else 1.0 for name, size in given.items()}
    if not scaled:
        return Scales(fields, {})
    levels, unknown = TermLevels(problem), {name for name, size in given.items() if not size > 0}
    known = {name: size for name, size in fields.items() if name not in unknown}
    fields |= {name: size for name, size in levels.balanced(known, unknown).items() if _usable(size)}
    fields = _together(problem, fields, unknown)
    sizes = {row.name: levels.largest(row, fields) for row in levels.rows if row.trained}
    return Scales(fields, {name: size for name, size in sizes.items() if _usable(size)})


def far_from_one(problem: Problem) -> bool:
    """Whether a field's size, by the balance of terms, or the sizes of equations are so far from 1 that a network with
    outputs of size 1, trained on a plain sum of squares, would not do."""
    found, plain = scales_of(problem, True), scales_of(problem, False).fields
    if any(size != plain[name] and not 1 / FAR <= size <= FAR for name, size in found.fields.items()):
        return True
    sizes = found.terms.values()
    least, most = min(sizes, default=1.0), max(sizes, default=1.0)
    return most > APART * least or least < 1 / APART or most > APART


def _given_sizes(problem: Problem) -> dict[str, float]:
    """The size that the conditions give each field; 0: none."""
    sizes = {field.name: 0.0 for field in problem.fields}
    for condition in problem.conditions:
        for equation in condition.equations:
            if callable(equation.residual) or integrals(equation.residual) or len(partials(equation.residual)) != 1:
                continue
            (partial,) = partials(equation.residual)
            sizes[partial.field] = max(sizes[partial.field], _size(problem, condition, equation))
    for unknown in problem.unknowns:  # a part of whose values no condition says anything is as large as the others
        largest = max(sizes[one.name] for one in unknown.fields)
        sizes |= {one.name: sizes[one.name] or largest for one in unknown.fields if one.part}
    for unknown in problem.unknowns:
        if unknown.is_complex:  # both parts turn into each other
            sizes |= dict.fromkeys([one.name for one in unknown.fields], max(sizes[one.name] for one in unknown.fields))
    return sizes


def _together(problem: Problem, fields: dict[str, float], unknown: set[str]) -> dict[str, float]:
    """The scales with one for all parts of an unknown that got theirs by balance."""
    for one in problem.unknowns:
        names = [field.name for field in one.fields]
        if set(names) <= unknown and (one.is_complex or any(field.part for field in one.fields)):
            fields = fields | dict.fromkeys(names, max(fields[name] for name in names))
    return fields


def _usable(size: float) -> bool:
    """Whether it is a size by which one may divide, also squared."""
    return 1e-150 < size < 1e150


def _power(size: float) -> float:
    """The power of two nearest to a size, on a logarithmic scale."""
    return 2.0 ** round(math.log2(size))


def _size(problem: Problem, condition: Condition, equation: Equation) -> float:
    """max |g| / max |c| times half ranges; 0 where the residual is not linear in its derivative, or has no source."""
    (partial,) = partials(equation.residual)
    weight = sympy.S.One if partials(equation.weight) else equation.weight
    program = Program([sympy.sqrt(weight) * equation.residual])
    values = {**problem.values, **_points(problem, condition)}
    with np.errstate(all="ignore"):
        at = [np.atleast_1d(np.asarray(program({**values, partial: size})[0])) for size in (0.0, 1.0, 2.0)]
    source, coefficient = np.abs(at[0]).max(), np.abs(at[1] - at[0]).max()
    bend = np.abs(at[2] - 2 * at[1] + at[0]).max()
    if not (np.isfinite(source) and coefficient > 0 and bend <= 1e-9 * (source + coefficient)):
        return 0.0
    half_ranges = [(upper - lower) / 2 for lower, upper in (problem.domain.bounds[name] for name in partial.derivative)]
    return float(source / coefficient * math.prod(half_ranges))


def _points(problem: Problem, condition: Condition) -> dict:
    """Some points of a condition, as values of its coordinates, normals and columns."""
    if condition.data:
        return {symbol(name): values for name, values in condition.data.items()}
    rng = np.random.default_rng(0)
    allowed = allowed_at(problem, condition) if condition.sides else None

    def draw(one: Shape) -> np.ndarray:
        kept = None if allowed is None else (lambda points: allowed(points, one))
        return one.draw(200, lambda count: rng.random((count, one.dimension)), kept)

    drawn = [draw(one) for one in condition.places]
    parts = [known_at(problem, place, points) for place, points in zip(condition.places, drawn, strict=True)]
    zero = np.zeros(200)
    return {name: np.concatenate([part.get(name, zero) for part in parts]) for name in set().union(*parts)}
