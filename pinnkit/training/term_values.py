"""Residuals and losses of the terms at the present parameters, by the definition of the derivatives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from torch import Tensor

from pinnkit.engines.model import Model
from pinnkit.language.integral import Integral
from pinnkit.losses.residuals import TermGroup, mean_square
from pinnkit.sampling.point_set import PointSet


class TermValues:
    """The residuals and the losses of a problem's terms.

    Args:
        groups: the terms, by the points that they share.
    """

    def __init__(self, model: Model, groups: Sequence[TermGroup]) -> None:
        self.model = model
        self.groups = {group.name: group for group in groups}

    def parameters(self) -> dict[str, Tensor]:
        """Every parameter of the problem as a scalar tensor; a learned one within its bounds."""
        like = self.model.like
        return self.model.parameters(cast(Mapping[str, Tensor], self.model.learned), self.model.constants(like))

    def fitting(self, group: str, size: int) -> int:
        """How many points of a group ask for `size` evaluations of the network, those of integrals included."""
        return max(size // self.groups[group].cost, 1)

    def residuals(self, group: str, batch: PointSet, weigh: bool = True) -> dict[str, Tensor]:
        """The residual (n, 1) of every term of a group, times the root of a weight that differs between points."""
        return self.groups[group](self.model.network, batch, self.parameters(), weigh)

    def quadrature_changes(self, batches: Mapping[str, PointSet], count: int) -> dict[Integral, float]:
        """Integral -> its relative change by twice the nodes, at the first points of the groups that hold it.

        count: evaluations of the network at most, by which the number of points is chosen.
        """
        found: dict[Integral, float] = {}
        for name, group in self.groups.items():
            if group.integrals and name in batches:
                few = batches[name].take(slice(0, self.fitting(name, count)))
                for one, change in group.quadrature_changes(self.model.network, few, self.parameters()).items():
                    found[one] = max(change, found.get(one, 0.0))
        return found

    def losses(self, batches: Mapping[str, PointSet]) -> dict[str, Tensor]:
        """The loss of every term of these groups: its mean squared residual."""
        parameters = self.parameters()
        found: dict[str, Tensor] = {}
        for name, group in self.groups.items():
            if name in batches:
                residuals = group(self.model.network, batches[name], parameters)
                found |= {term: mean_square(residual, batches[name]) for term, residual in residuals.items()}
        return found
