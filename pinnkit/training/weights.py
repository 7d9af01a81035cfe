"""Weights of the terms as a part of the training state.

A strategy (`losses.settings.Weighting`) may change them between blocks of optimizer steps, never within one: the
curvature that an optimizer learns, and the system of a least-squares step, belong to one set of weights. After a change
the optimizer evaluates anew, as after a draw of new points. What is compared over a run (the best checkpoint,
stagnation, the reduction of the objective, its explosion) is the objective under the reference weights, those of the
start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from pinnkit.losses.settings import Weighting


class WeightState:
    """The weights of the terms: the present ones and those of the start.

    Attributes:
        names: of the terms.
        reference: the weights of the start, (terms,) in float64.
        terms: the present ones, (terms,) in float64.
        updated: the step at which the strategy was last asked.
        version: counts the changes in this process.
    """

    def __init__(self, weights: Mapping[str, float], strategy: Weighting | None = None) -> None:
        self.names = tuple(weights)
        self.reference = torch.tensor(list(weights.values()), dtype=torch.float64)
        self.terms = self.reference.clone()
        self.strategy = strategy
        self.updated = 0
        self.version = 0

    @property
    def changed(self) -> bool:
        """Whether the present weights are others than those of the start."""
        return not torch.equal(self.terms, self.reference)

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

    def due(self, step: int) -> bool:
        """Whether the strategy is to be asked before this step: at the first one of each `every` steps."""
        every = self.strategy.every if self.strategy is not None else None
        return every is not None and step // every > self.updated // every

    def update(
        self, step: int, terms: Sequence[str], losses: Mapping[str, float], gradients: Callable[[], Tensor]
    ) -> bool:
        """Ask the strategy; whether a weight has changed.

        Raises:
            ValueError: a weight is negative or not finite, or of a term that is not trained.
        """
        present = self.values()
        found = self.strategy.update({term: present[term] for term in terms}, losses, gradients)
        self.updated = step
        return self.set(found)

    def set(self, weights: Mapping[str, float]) -> bool:
        """Set the weights of some terms; whether one has changed.

        Raises:
            ValueError: a weight is negative or not finite, or of an unknown term.
        """
        values = self.values()
        for term, weight in weights.items():
            if term not in values or not 0.0 <= weight < float("inf"):
                raise ValueError(f"the weight {weight} of the term '{term}': a finite number of at least 0 is needed")
            values[term] = float(weight)
        former, self.terms = self.terms, torch.tensor(list(values.values()), dtype=torch.float64)
        if torch.equal(former, self.terms):
            return False
        self.version += 1
        return True

    def state_dict(self) -> dict[str, Any]:
        """Plain data and tensors, for a checkpoint."""
        return {"terms": dict(zip(self.names, self.terms.tolist(), strict=True)), "updated": self.updated}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The weights of a checkpoint of the same terms."""
        self.set(state["terms"])
        self.updated = state["updated"]

    def _chosen(self, weights: Tensor, terms: Sequence[str], like: Tensor) -> Tensor:
        if tuple(terms) != self.names:
            weights = weights[[self.names.index(term) for term in terms]]
        return weights.to(dtype=like.dtype, device=like.device, copy=True)
