"""Integrals in residuals: the fields at all nodes of all points at once, summed with the quadrature's weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sympy
import torch
from torch import Tensor

from pinnkit.language.calculus import partials
from pinnkit.language.evaluate import Program
from pinnkit.language.integral import Integral
from pinnkit.losses.places import Places
from pinnkit.operators.linear_operators import Derivative
from pinnkit.problem.integrals import Quadrature
from pinnkit.problem.problem import Problem


class PointIntegral:
    """An integral at n points, by q nodes for each, or by q nodes in all where it is the same at every point.

    The n q points at which the body is evaluated are the rows of one array: the nodes of the first point come first.
    """

    def __init__(self, integral: Integral, problem: Problem, places: Places, refined: int = 1) -> None:
        self.integral = integral
        self.rule = Quadrature(problem, integral, refined)
        self.places = places(partials(integral.body))
        self._body = Program([integral.body])
        self._base = (problem.domain.lower + problem.domain.upper)[None] / 2
        self._arrays: dict[tuple[torch.dtype, torch.device, int], Tensor] = {}

    @property
    def cost(self) -> int:
        """Points at which the network is evaluated for each collocation point."""
        return self.rule.count * len(self.places) if self.rule.at_points else 0

    def nodes(self, points: Tensor, values: Mapping[sympy.Basic, Any]) -> dict[sympy.Basic, Any]:
        """What the body and the places of its fields read: the values, and the variables of integration, (n, q)."""
        variables, _ = self.rule.nodes(values, lambda one: self._tensor(one, points))
        return {**values, **variables}

    def requests(self, points: Tensor, values: Mapping[sympy.Basic, Any]) -> list[tuple[Tensor, list[Derivative]]]:
        """Where which derivatives are needed, place by place: points (n q, d)."""
        known = self.nodes(points, values)
        count = len(points) if self.rule.at_points else 1
        base = points if self.rule.at_points else self._tensor(self._base, points)
        found = []
        for place in self.places:
            columns = [self._rows(one, count) for one in base.split(1, dim=1)]
            for axis, value in zip(place.axes, place.program(known), strict=True):
                columns[axis] = self._rows(torch.as_tensor(value, dtype=points.dtype, device=points.device), count)
            found.append((torch.cat(columns, dim=1), list(place.derivatives)))
        return found

    def value(
        self,
        points: Tensor,
        values: Mapping[sympy.Basic, Any],
        found: Sequence[Mapping[Derivative, Tensor]],
    ) -> Tensor:
        """The integral at each point, (n, 1), from the derivatives at the requested points."""
        return self.terms(points, values, found).sum(dim=1, keepdim=True).expand(len(points), 1)

    def terms(
        self,
        points: Tensor,
        values: Mapping[sympy.Basic, Any],
        found: Sequence[Mapping[Derivative, Tensor]],
    ) -> Tensor:
        """Weight times body at each node, (n, q) or (1, q)."""
        known = self.nodes(points, values)
        for place, derivatives in zip(self.places, found, strict=True):
            known |= {
                partial: derivatives[key].reshape(-1, self.rule.count) for key, partial in place.derivatives.items()
            }
        _, weights = self.rule.nodes(values, lambda one: self._tensor(one, points))
        (body,) = self._body(known)
        return body * weights

    def _rows(self, value: Tensor, count: int) -> Tensor:
        """A number for each node of each point, (n q, 1)."""
        return value.expand(count, self.rule.count).reshape(-1, 1)

    def _tensor(self, array: np.ndarray, like: Tensor) -> Tensor:
        """The array in the type and on the device of the points; kept, so that recorded code holds it once."""
        key = (like.dtype, like.device, id(array))
        if key not in self._arrays:
            self._arrays[key] = torch.as_tensor(np.array(array), dtype=like.dtype, device=like.device)
        return self._arrays[key]
