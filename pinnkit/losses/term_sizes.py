"""Sizes of the terms that a residual is a sum of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import sympy
import torch
from torch import Tensor

from pinnkit.language.additive import additive_terms
from pinnkit.language.calculus import Partial
from pinnkit.language.evaluate import Program
from pinnkit.language.integral import all_partials
from pinnkit.losses.residuals import Network, TermGroup
from pinnkit.problem.parts import Equation
from pinnkit.sampling.point_set import PointSet

Values = Mapping[sympy.Basic, Any]


class TermSizes:
    """The sum of the absolute values of the terms of each equation of a group.

    Of a residual in Python the terms are not known: there it is the sum of the absolute changes of the residual as
    each field or derivative that it reads is set to zero, and of what is left where all are.
    """

    def __init__(self, group: TermGroup) -> None:
        self.group = group
        self._terms = {one.name: additive_terms(one.residual) for one in group.symbolic}
        self._program = Program([term for terms in self._terms.values() for term in terms])

    @property
    def partials(self) -> set[Partial]:
        """The fields and derivatives that the equations read; those of Python after they have run once."""
        read = {one for terms in self._terms.values() for term in terms for one in all_partials(term)}
        return read | self.group.extra_partials

    def at(self, network: Network, batch: PointSet, values: Values) -> dict[str, Tensor]:
        """Each equation's size (n, 1) at the points, times the root of a weight that differs between points."""
        sizes = self._symbolic(values, len(batch))
        sizes |= {one.name: self._callable(one, network, batch, dict(values)) for one in self.group.callables}
        return sizes | {name: root * sizes[name] for name, root in self.group.roots(values).items()}

    def by_levels(self, batch: PointSet, values: Values, level: Callable[[Partial], float]) -> dict[str, Tensor]:
        """The sizes (n, 1) that the symbolic equations would have if every field and derivative had its level."""
        sizes = self._symbolic({key: level(key) if isinstance(key, Partial) else values[key] for key in values},
                               len(batch), batch.coordinates)  # fmt: skip
        return {name: self.group.roots(values).get(name, 1.0) * size for name, size in sizes.items()}

    def _symbolic(self, values: Values, count: int, like: Tensor | None = None) -> dict[str, Tensor]:
        terms = iter(self._program(values))
        like = like if like is not None else next(one for one in values.values() if isinstance(one, Tensor))
        sizes = {}
        for name, own in self._terms.items():
            found = [torch.as_tensor(next(terms), dtype=like.dtype, device=like.device).abs() for _ in own]
            sizes[name] = cast(Tensor, sum(found)).expand(count, 1)
        return sizes

    def _callable(self, equation: Equation, network: Network, batch: PointSet, values: dict[Any, Any]) -> Tensor:
        residual = self.group.call(equation, network, batch, values).detach()
        read = [one for one in values if isinstance(one, Partial)]
        rest = self.group.call(equation, network, batch, values | {one: 0 * values[one] for one in read})
        changes = [
            (residual - self.group.call(equation, network, batch, {**values, one: 0 * values[one]})).detach().abs()
            for one in read
        ]
        return cast(Tensor, sum(torch.nan_to_num(one, 0.0, 0.0, 0.0) for one in (*changes, rest.detach().abs())))
