"""Numerical references of a family of problems: those of its members at several values of the parameters."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from pinnkit.language.errors import ProblemError
from pinnkit.problem.problem import Problem
from pinnkit.references.unsupported import UnsupportedProblem

VALUES = {1: 5, 2: 3}
"""Values of each parameter, by the number of parameters with a range."""
POINTS = {1: 101, 2: 101, 3: 31}
"""Points along each other coordinate, by the number of these."""


class _Reference(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def fields(self) -> tuple[str, ...]: ...

    @property
    def claimed_error(self) -> float | None: ...

    def __call__(self, coordinates: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]: ...


class FamilyReference:
    """The references of members of a family, on a grid that has their parameters' values as axes.

    Args:
        compute: the reference of a problem without ranges.
        method: its name, for messages.

    Raises:
        UnsupportedProblem: the family has more than two parameters with ranges, or a member cannot be made.
    """

    def __init__(self, problem: Problem, compute: Callable[[Problem], _Reference], method: str) -> None:
        own = [name for name in problem.coordinates if name not in problem.axes.parameters]
        axes = {name: problem.domain.axis(name, POINTS.get(len(own), min(POINTS.values()))) for name in own}
        axes |= parameter_values_of(problem, method)
        meshes = np.meshgrid(*axes.values(), indexing="ij")
        self.grid: Mapping[str, np.ndarray] = dict(zip(axes, meshes, strict=True))
        found = [compute(one) for one in members(problem, method)]
        self.name = f"{found[0].name}, at {len(found)} values of {', '.join(problem.axes.parameters)}"
        self.fields, self.claimed_error = found[0].fields, max(one.claimed_error or 0.0 for one in found)
        plain = dict(zip(own, np.meshgrid(*(axes[name] for name in own), indexing="ij"), strict=True))
        values = [one(plain) for one in found]
        shape = meshes[0].shape  # the parameters are the last axes
        self._values = {name: np.stack([one[name] for one in values], axis=-1).reshape(shape) for name in self.fields}

    def __call__(self, coordinates: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The values on the grid; the coordinates must be those of `grid`."""
        if any(not np.array_equal(coordinates[name], values) for name, values in self.grid.items()):
            raise ValueError(f"{self.name} is defined at its own points only; evaluate on its grid")
        return dict(self._values)


def parameter_values_of(problem: Problem, method: str) -> dict[str, np.ndarray]:
    """The values of each parameter with a range at which a reference is computed."""
    names = problem.axes.parameters
    if len(names) not in VALUES:
        raise UnsupportedProblem(f"it has {len(names)} parameters with a range: it takes up to {max(VALUES)}", method)
    return {name: problem.domain.axis(name, VALUES[len(names)]) for name in names}


def members(problem: Problem, method: str) -> list[Problem]:
    """The problem at each of these values, as its words say it with numbers in place of the ranges.

    Raises:
        UnsupportedProblem: its words do not say a problem then.
    """
    for condition in problem.conditions:
        for name in problem.axes.parameters:
            if condition.data or any(name in place.fixed for place in condition.places):
                where = "is made of data" if condition.data else f"holds at one {name}"
                raise UnsupportedProblem(f"it is a family, and the condition '{condition.name}' {where}", method)
    axes = parameter_values_of(problem, method)
    found = []
    try:
        if Problem(folder=problem.folder, **problem.config).equations != problem.equations:
            raise UnsupportedProblem("it is a family whose equations got a source", method)
        for values in itertools.product(*axes.values()):
            config = _with_numbers(problem.config, dict(zip(axes, map(float, values), strict=True)))
            found.append(Problem(folder=problem.folder, **config))
    except ProblemError as error:
        reason = str(error).splitlines()[0]
        raise UnsupportedProblem(f"with a number for {', '.join(axes)} it cannot be read: {reason}", method) from None
    return found


def _with_numbers(config: Mapping[str, Any], values: Mapping[str, float]) -> dict[str, Any]:
    """The words of a problem with numbers in the place of parameters with a range."""
    changed = {**config, "parameters": {**config["parameters"], **values}}
    if isinstance(config["fields"], Mapping):
        changed["fields"] = {name: _without(options, values) for name, options in config["fields"].items()}
    return changed


def _without(options: Any, names: Mapping[str, float]) -> Any:
    """The options of a field whose list of coordinates leaves these names out."""
    if isinstance(options, Mapping):
        return {key: _without(value, names) if key == "coordinates" else value for key, value in options.items()}
    return [one for one in options if one not in names] if isinstance(options, list | tuple) else options
