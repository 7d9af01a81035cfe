"""Exact solutions in closed form."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pinnkit.language.calculus import symbol
from pinnkit.language.evaluate import Program
from pinnkit.problem.problem import Problem
from pinnkit.problem.unknowns import combined


class Exact:
    """The problem's `exact` solution at any points; a learned parameter takes its own exact value."""

    name = "exact"
    grid: Mapping[str, np.ndarray] | None = None
    claimed_error: float | None = None

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        names = [field.name for field in problem.fields if field.name in problem.exact]
        self._names = tuple(names)
        self.fields = tuple(one.name for one in problem.unknowns if all(each.name in names for each in one.fields))
        self._program = Program([problem.exact[name] for name in names])
        known = exact_parameters(problem)
        self._values = {key: known.get(str(key), value) for key, value in problem.values.items()}

    def __call__(self, coordinates: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Each field at arrays of points of any one shape."""
        shape = np.shape(next(iter(coordinates.values())))
        computed = self._program({**self._values, **{symbol(name): values for name, values in coordinates.items()}})
        arrays = [np.array(np.broadcast_to(values, shape)) for values in computed]
        return combined(self._problem, dict(zip(self._names, arrays, strict=True)), coordinates)


def exact_parameters(problem: Problem) -> dict[str, float]:
    """The exact values of learned parameters, as far as the problem gives them."""
    names = [parameter.name for parameter in problem.learned if parameter.name in problem.exact]
    computed = Program([problem.exact[name] for name in names])(problem.values)
    return {name: float(value) for name, value in zip(names, computed, strict=True)}
