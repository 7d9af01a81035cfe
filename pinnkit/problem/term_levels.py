"""Sizes of fields and of equations, found from the problem before training: its nondimensionalisation."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

from pinnkit.language.additive import additive_terms
from pinnkit.language.calculus import Partial, partials
from pinnkit.language.errors import LanguageError
from pinnkit.language.evaluate import Program
from pinnkit.language.integral import integrals
from pinnkit.problem.parts import Equation
from pinnkit.problem.places import equations_with_keys, samples
from pinnkit.problem.problem import Problem


@dataclass(frozen=True)
class Row:
    """One equation as its terms.

    Attributes:
        name: of the equation.
        terms: each with the partial derivatives that it holds.
        values: what else they read, at points (n,) of each place.
        trained: whether it is a term of the loss.
    """

    name: str
    terms: tuple[tuple[Program, frozenset[Partial]], ...]
    values: tuple[Mapping[sympy.Basic, Any], ...]
    trained: bool


class TermLevels:
    """The sizes that the terms of equations and conditions have where each field has a size U.

    The level of a derivative of a field is U over half the range of each of its coordinates; the size of a term is the
    mean of its absolute value over points of its domain. Residuals in Python and with integrals are left out.
    """

    def __init__(self, problem: Problem) -> None:
        bounds = problem.domain.bounds
        self.half = {name: (upper - lower) / 2 for name, (lower, upper) in bounds.items()}
        self.rows = list(_rows(problem, set(self.half)))

    def size(self, row: Row, number: int, sizes: Mapping[str, float]) -> float:
        """The size of a term; 0 where it is not finite.

        Args:
            sizes: field -> U.
        """
        program, held = row.terms[number]
        levels: dict[sympy.Basic, float] = {one: self._level(one, sizes) for one in held}
        found = []
        with np.errstate(all="ignore"):
            for values in row.values:
                found.append(np.abs(np.asarray(program({**values, **levels})[0], dtype=float)).mean())
        size = float(np.mean(found))
        return size if math.isfinite(size) else 0.0

    def largest(self, row: Row, sizes: Mapping[str, float]) -> float:
        """The size of the largest term of an equation."""
        return max(self.size(row, number, sizes) for number in range(len(row.terms)))

    def balanced(self, known: Mapping[str, float], wanted: set[str]) -> dict[str, float]:
        """Sizes of fields that nothing prescribes: those at which one of their terms is as large as what is known.

        In -k u_xx = q on a range of half-width h this is q h^2 / k. First the sources count, which hold no field, then
        the fields that are known.
        """
        found: dict[str, float] = {}
        for sources in (True, False):
            while True:
                new: dict[str, float] = {}
                for row in self.rows:
                    for name, size in self._balances(row, {**known, **found}, sources):
                        if name in wanted and name not in found:
                            new[name] = max(new.get(name, 0.0), size)
                found |= new
                if sources or not new:
                    break
        return found

    def _balances(self, row: Row, known: Mapping[str, float], sources: bool) -> Iterator[tuple[str, float]]:
        """Each unknown field of an equation with the least size at which one of its terms balances the known ones."""
        fields = [{one.field for one in held} for _, held in row.terms]
        given = [number for number, held in enumerate(fields) if (not held if sources else held <= known.keys())]
        drive = max((self.size(row, number, known) for number in given), default=0.0)
        for name in sorted(set().union(*fields) - known.keys()) if drive > 0.0 else ():
            candidates = []
            for number, held in enumerate(fields):
                if name in held and held <= {name, *(() if sources else known)}:
                    one, two = (self.size(row, number, {**known, name: size}) for size in (1.0, 2.0))
                    if 0.0 < one < two:
                        candidates.append((drive / one) ** (1.0 / math.log2(two / one)))
            if candidates:
                yield name, min(candidates)

    def _level(self, partial: Partial, sizes: Mapping[str, float]) -> float:
        return sizes[partial.field] / math.prod(self.half[name] for name in partial.derivative)


def _rows(problem: Problem, coordinates: set[str]) -> Iterator[Row]:
    for _, equation, condition in equations_with_keys(problem):
        residual = equation.residual
        if not isinstance(residual, sympy.Basic) or integrals(residual) or not _plain(equation, coordinates):
            continue
        terms = [one for one in additive_terms(residual) if one != 0]
        try:
            read: list[dict[Any, Any]] = [
                {**problem.values, **one} for one in samples(problem, condition, equation.region)
            ]
        except LanguageError:
            continue
        values = tuple(one for one in read if all(np.size(column) for column in one.values()))
        if values and terms:
            programs = tuple((Program([one]), frozenset(partials(one))) for one in terms)
            yield Row(equation.name, programs, values, condition is None or not condition.hard)


def _plain(equation: Equation, coordinates: set[str]) -> bool:
    """Whether it holds derivatives by coordinates alone."""
    return all(set(one.derivative) <= coordinates for one in partials(equation.residual))
