"""Places where partial derivatives are evaluated: at the points, or elsewhere as in u(x=0)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import sympy
import torch
from torch import Tensor

from pinnkit.language.calculus import Partial
from pinnkit.language.evaluate import Program
from pinnkit.operators.linear_operators import Derivative
from pinnkit.problem.problem import Problem

Elsewhere = tuple[tuple[str, sympy.Expr], ...]


class Place(NamedTuple):
    """Where derivatives are evaluated: the coordinates that are replaced, by which values, and what is wanted there."""

    axes: tuple[int, ...]
    program: Program
    derivatives: dict[Derivative, Partial]


class Places:
    """Groups partial derivatives by their place of evaluation; worked out once for each set."""

    def __init__(self, problem: Problem) -> None:
        self.fields = {field.name: index for index, field in enumerate(problem.fields)}
        self._axes = {name: index for index, name in enumerate(problem.coordinates)}
        self._grouped: dict[frozenset[Partial], list[Place]] = {}

    def __call__(self, wanted: Iterable[Partial]) -> list[Place]:
        wanted = frozenset(wanted)
        if wanted not in self._grouped:
            places: dict[Elsewhere, dict[Derivative, Partial]] = {}
            for partial in sorted(wanted, key=str):
                axes = tuple(sorted(self._axes[name] for name in partial.derivative))
                places.setdefault(partial.at, {})[(self.fields[partial.field], axes)] = partial
            self._grouped[wanted] = [
                Place(tuple(self._axes[name] for name, _ in at), Program([value for _, value in at]), derivatives)
                for at, derivatives in places.items()
            ]
        return self._grouped[wanted]


def moved(points: Tensor, place: Place, values: Mapping[sympy.Basic, Any]) -> Tensor:
    """The points of a place of evaluation, (n, d)."""
    if not place.axes:
        return points
    columns = list(points.split(1, dim=1))
    for axis, value in zip(place.axes, place.program(values), strict=True):
        columns[axis] = torch.as_tensor(value, dtype=points.dtype, device=points.device).expand(len(points), 1)
    return torch.cat(columns, dim=1)
