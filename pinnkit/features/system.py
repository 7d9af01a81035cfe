"""The terms of a problem at points, each with the factor of its residuals."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pinnkit.engines.model import Model
from pinnkit.features.deflation import FarFromKnown
from pinnkit.features.expansions import Expansion
from pinnkit.features.linearise import Linearisation
from pinnkit.features.parts import Parts, Shares, of_first, of_first_number
from pinnkit.features.start import Start
from pinnkit.losses.residuals import TermGroup
from pinnkit.networks.fields import FieldNetworks
from pinnkit.sampling.point_set import PointSet

LARGEST = 300.0
"""log M at most, at a known solution itself."""


class Stopped(Exception):
    """A solve is to end before its end."""


@dataclass(frozen=True)
class System:
    """The terms of a problem at points, each with the factor of its residuals.

    Attributes:
        model: with the network that features are added to.
        batches: group -> points.
        scales: term -> the factor on each of its residuals; the mean over its points is taken besides.
        ranks: processes that share the rows; None: one.
        start: what the features meet besides, at the start of a slab of time.
        shift: term -> what is taken from its residuals (n,); None: nothing.
        known: what leads Newton's method away from known solutions; None: nothing does.
        check: called in the course of a solve, all processes together; it may raise `Stopped`.
    """

    model: Model
    groups: Mapping[str, TermGroup]
    batches: Mapping[str, PointSet]
    scales: Mapping[str, float]
    ranks: Shares | None = None
    start: Start | None = None
    shift: Mapping[str, Tensor] | None = None
    check: Callable[[], None] = lambda: None
    known: FarFromKnown | None = None

    @property
    def network(self) -> FieldNetworks:
        network = self.model.network
        assert isinstance(network, FieldNetworks)
        return network

    def parameters(self) -> dict[str, Tensor]:
        """Every parameter of the problem as a scalar tensor."""
        like = next(iter(self.batches.values())).coordinates
        learned = {name: one.detach().to(like) for name, one in self.model.learned.items()}
        return self.model.parameters(learned, self.model.constants(like))

    @property
    def rows(self) -> int:
        """Residuals at all points."""
        return sum(len(batch) * len(self.groups[name].terms) for name, batch in self.batches.items())

    def sizes(self) -> dict[str, np.ndarray]:
        """The root of the sum over a group's terms of (scale * residual)^2 at each of its points, (n,)."""
        linear = Linearisation(self.network, self.groups, expansions_of(self.network))
        found = {}
        for name, batch in self.batches.items():
            rows = linear.rows(name, batch, self.parameters(), jacobian=False).residuals
            total = sum((self.scales[term] * one).square() for term, one in rows.items())
            sizes = torch.as_tensor(total).sqrt().double()
            found[name] = of_first(sizes, self.ranks).cpu().numpy()
        return found

    def residuals(self) -> dict[str, Tensor]:
        """The residuals (n,) of each term at all points, without the scales."""
        linear = Linearisation(self.network, self.groups, [])
        parameters = self.parameters()
        found: dict[str, Tensor] = {}
        for name, batch in self.batches.items():
            found |= linear.rows(name, batch, parameters, jacobian=False).residuals
        return found if self.shift is None else {term: one - self.shift[term] for term, one in found.items()}

    def norm(self) -> float:
        """The root of the sum over terms of scale^2 times the mean of the squared residual, by the first process; times
        M where known solutions are left."""
        like = next(iter(self.batches.values())).coordinates
        own = self._norm() if Parts(1, self.ranks).first else 0.0
        if self.known is not None:
            own *= math.exp(min(self.known.logarithm(), LARGEST))
        return of_first_number(own, self.ranks, like)

    @property
    def found_again(self) -> bool:
        """Whether the present state is a known solution that is left."""
        return self.known is not None and self.known.found_again()

    def _norm(self) -> float:
        total = sum(float((self.scales[term] * one).square().mean()) for term, one in self.residuals().items())
        if self.start is not None:
            total += float(self.start.rows(expansions_of(self.network), jacobian=False)[1].square().sum())
        return math.sqrt(total) if math.isfinite(total) else math.inf


def expansions_of(network: FieldNetworks) -> list[Expansion]:
    """The features of a network, with the fields that they are added to."""
    return [Expansion(module, tuple(network.members[group])) for module, group in network.added]
