"""Weights of terms and of single points as a part of the training state.

A strategy (`losses.settings.Weighting`) or a callback may change them between blocks of optimizer steps, never within
one: the curvature that an optimizer learns, and the system of a least-squares step, belong to one set of weights. After
a change the optimizer evaluates anew, as after a draw of new points. What is compared over a run (the best checkpoint,
stagnation, the reduction of the objective, its explosion) is the objective under the reference weights, those of the
start.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pinnkit.losses.point_weighting import PointGroup, PointWeighting
from pinnkit.losses.settings import Memory, Observation, Weighting
from pinnkit.reading import shown
from pinnkit.sampling.point_set import PointSet
from pinnkit.training.exceptions import InvalidWeights


class WeightState:
    """The weights of the terms, the present ones and those of the start, and factors of single points.

    Args:
        weights: term -> its weight at the start.
        groups: the names of the groups of points.

    Attributes:
        names: of the terms.
        reference: the weights of the start, (terms,) in float64.
        terms: the present ones, (terms,) in float64.
        points: group -> factors (n, 1) in float64 of the squared residuals at its present points; a group that is not
            there has none. The next draw begins without, or with those of a strategy for points.
        pending: whether a change has not reached the optimizer yet.
        updated: the step at which the strategy was last asked.
        version: counts the changes in this process.
        memory: what the strategy keeps between updates.
    """

    def __init__(
        self, weights: Mapping[str, float], strategy: Weighting | None = None, groups: Sequence[str] = ()
    ) -> None:
        self.names, self.groups = tuple(weights), tuple(groups)
        self.reference = torch.tensor(list(weights.values()), dtype=torch.float64)
        self.terms = self.reference.clone()
        self.points: dict[str, Tensor] = {}
        self.pending = False
        self.strategy = strategy
        self.updated = 0
        self.version = 0
        self.memory: Memory = {}
        self._applied: tuple[Mapping[str, PointSet], int, Mapping[str, PointSet]] | None = None

    @property
    def changed(self) -> bool:
        """Whether the present weights are others than those of the start."""
        return bool(self.points) or not torch.equal(self.terms, self.reference)

    def values(self) -> dict[str, float]:
        """The present weights by term."""
        return dict(zip(self.names, self.terms.tolist(), strict=True))

    def vector(self, terms: Sequence[str], like: Tensor) -> Tensor:
        """The present weights of some terms, in their order, (terms,)."""
        return self._chosen(self.terms, terms, like)

    def reference_vector(self, terms: Sequence[str], like: Tensor) -> Tensor:
        """The weights of the start of some terms, in their order, (terms,)."""
        return self._chosen(self.reference, terms, like)

    def reference_of(self, term: str) -> float:
        """The weight of a term at the start."""
        return float(self.reference[self.names.index(term)])

    @property
    def every(self) -> int | None:
        """Steps between updates by the strategy; None: there are none."""
        return self.strategy.every if self.strategy is not None else None

    def due(self, step: int) -> bool:
        """Whether the strategy is to be asked before this step: at the first one of each `every` steps, and of all."""
        if self.every is None:
            return False
        begins = isinstance(self.strategy, PointWeighting) and self.strategy.at_start and not self.memory
        return begins or step // self.every > self.updated // self.every

    def summary(self) -> dict[str, float]:
        """Numbers about the factors of the points, by their names."""
        return self.strategy.summary(self.memory) if isinstance(self.strategy, PointWeighting) else {}

    def observe(self, step: int, groups: Mapping[str, PointGroup]) -> None:
        """Let a strategy for points look at the residuals' sizes, and take over the factors that it gives.

        Raises:
            InvalidWeights: they are no finite numbers of at least 0, one for each point.
        """
        assert isinstance(self.strategy, PointWeighting)
        self.strategy.observe(self.memory, groups, step, step - self.updated)
        self.updated = step
        self.follow(groups)

    def follow(self, groups: Mapping[str, PointGroup]) -> None:
        """Give the points of a draw the factors that a strategy for points has for them.

        Raises:
            InvalidWeights: they are no finite numbers of at least 0, one for each point.
        """
        assert isinstance(self.strategy, PointWeighting)
        try:
            for name, factors in self.strategy.factors(self.memory, groups).items():
                self.set_points(name, torch.from_numpy(np.ascontiguousarray(factors))[:, None])
        except ValueError as error:
            raise InvalidWeights(self.strategy.name, str(error)) from None

    def update(
        self,
        step: int,
        terms: Sequence[str],
        losses: Mapping[str, float],
        gradients: Callable[[], Tensor],
        traces: Callable[[], Mapping[str, float]],
        seed: int = 0,
    ) -> None:
        """Ask the strategy for other weights of these terms; see `Observation`.

        Raises:
            InvalidWeights: it gives something else than finite weights of at least 0 by their terms.
        """
        present = self.values()
        assert self.strategy is not None
        own = {term: present[term] for term in terms}
        start = {term: self.reference_of(term) for term in terms}
        found = self.strategy.next_weights(Observation(step, seed, own, start, losses, gradients, traces, self.memory))
        self.updated = step
        try:
            self.set(found)
        except ValueError as error:
            raise InvalidWeights(self.strategy.name, str(error)) from None

    def set(self, weights: Mapping[str, float]) -> None:
        """Set the weights of some terms.

        Raises:
            ValueError: they are no mapping, or a weight is no number, negative or not finite, or of an unknown term.
        """
        if not isinstance(weights, Mapping):
            raise ValueError(f"the weights {shown(weights)}: a mapping of terms to numbers is needed")
        values = self.values()
        for term, weight in weights.items():
            if term not in values:
                raise ValueError(f"the weight of the term {term!r}: the terms are {', '.join(values)}")
            values[term] = _number(weight)
            if not 0.0 <= values[term] < math.inf:
                message = f"the weight {shown(weight)} of the term '{term}': a finite number of at least 0 is needed"
                raise ValueError(message)
        former, self.terms = self.terms, torch.tensor(list(values.values()), dtype=torch.float64)
        if not torch.equal(former, self.terms):
            self._change()

    def set_points(self, group: str, factors: Tensor) -> None:
        """Set the factors (n, 1) of the squared residuals at the present points of a group.

        Raises:
            ValueError: there is no such group, or they are of another shape, negative or not finite.
        """
        if group not in self.groups:
            raise ValueError(f"factors of the points of '{group}': the groups are {', '.join(self.groups)}")
        if factors.ndim != 2 or factors.shape[1] != 1:
            raise ValueError(f"factors of the points of '{group}': the shape is {tuple(factors.shape)}, not (n, 1)")
        if not bool((torch.isfinite(factors) & (factors >= 0.0)).all()):
            raise ValueError(f"factors of the points of '{group}': finite numbers of at least 0 are needed")
        self.points[group] = factors.detach().to("cpu", torch.float64)
        self._change()

    def forget(self) -> None:
        """Forget what the strategy has learned of other terms, or of another network."""
        self.memory = {}

    def drop_points(self) -> None:
        """Forget the factors of points that are gone."""
        self._applied = None
        if self.points:
            self.points = {}
            self._change()

    def applied(self, batches: Mapping[str, PointSet]) -> Mapping[str, PointSet]:
        """The points with their factors; the same object for the same points and factors.

        Raises:
            ValueError: there are more or fewer factors than points of a group.
        """
        if not self.points:
            return batches
        if self._applied is None or self._applied[0] is not batches or self._applied[1] != self.version:
            found = {name: self._with_factors(name, points) for name, points in batches.items()}
            self._applied = (batches, self.version, found)
        return self._applied[2]

    def _with_factors(self, group: str, points: PointSet) -> PointSet:
        if group not in self.points:
            return points
        factors = self.points[group].to(points.coordinates)
        if len(factors) != len(points):
            raise ValueError(f"factors of the points of '{group}': {len(factors)} are set for {len(points)} points")
        return replace(points, weights=factors if points.weights is None else points.weights * factors)

    def _change(self) -> None:
        self.pending = True
        self.version += 1

    def state_dict(self) -> dict[str, Any]:
        """Plain data and tensors, for a checkpoint."""
        return {
            "terms": self.values(),
            "points": dict(self.points),
            "pending": int(self.pending),
            "updated": self.updated,
            "memory": {name: torch.from_numpy(np.array(one, dtype=np.float64)) for name, one in self.memory.items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The weights of a checkpoint of the same terms."""
        self.set(state["terms"])
        self.points = dict(state["points"])
        self.pending, self.updated = bool(state["pending"]), state["updated"]
        self.memory = {name: one.numpy() for name, one in state.get("memory", {}).items()}

    def _chosen(self, weights: Tensor, terms: Sequence[str], like: Tensor) -> Tensor:
        if tuple(terms) != self.names:
            weights = weights[[self.names.index(term) for term in terms]]
        return weights.to(dtype=like.dtype, device=like.device, copy=True)


def _number(value: Any) -> float:
    """A weight as a number; NaN where it is none."""
    try:
        return math.nan if isinstance(value, str | bytes) else float(value)
    except (TypeError, ValueError, RuntimeError):  # of a tensor with several numbers
        return math.nan
