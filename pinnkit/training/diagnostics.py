"""Diagnosis of failed training: terms without a gradient, residuals that are not finite, points that fit in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from pinnkit.losses.residuals import mean_square
from pinnkit.operators.memory import out_of_memory
from pinnkit.sampling.point_set import PointSet
from pinnkit.training.exceptions import NoGradient
from pinnkit.training.term_values import TermValues

A_FEW = 64
"""Points at which terms are tried for a gradient."""
SHOWN = 3
"""Points that are named where a residual is not finite."""
SCORED = 8192
"""Points whose residuals are computed at once, at most."""


class WorstTerm(NamedTuple):
    """A term that stands out: its points (n, d), the values there, and how many such points there are in all."""

    term: str
    points: Tensor
    values: list[float]
    count: int  # type: ignore[assignment]


def scoring_chunk(chunk: int | None) -> int:
    """How many points' residuals are computed at once where no step is made."""
    return min(SCORED, chunk or SCORED)


def check_gradients(
    values: TermValues, batches: Mapping[str, PointSet], terms: Sequence[str], chunk: int | None
) -> None:
    """Make sure that each of these terms depends on what is trained, at a few points.

    Raises:
        NoGradient: the gradient of a term by every trainable parameter is missing, as happens where a residual in
            Python detaches a derivative: the term would be computed, logged, and train nothing.
    """
    trainable = list(values.model.trainable().values())
    few = min(A_FEW, chunk or A_FEW)
    with torch.enable_grad():
        losses = values.losses({name: batch.take(slice(0, few)) for name, batch in batches.items()})
    for term in terms:
        gradients: Sequence[Tensor | None] = [None]
        if losses[term].requires_grad:
            gradients = torch.autograd.grad(losses[term], trainable, retain_graph=True, allow_unused=True)
        if all(gradient is None for gradient in gradients):
            raise NoGradient(term)


def largest(values: TermValues, batches: Mapping[str, PointSet], weights: Mapping[str, float], size: int) -> WorstTerm:
    """The term with the largest part in the objective, and its largest residuals.

    Args:
        weights: of the terms that count.
        size: points whose residuals are computed at once.
    """
    terms: dict[str, Any] = {}
    for group, batch in batches.items():
        found: dict[str, list[Tensor]] = {}
        step = values.fitting(group, size)
        for start in range(0, len(batch), step):
            for term, residual in values.residuals(group, batch.take(slice(start, start + step))).items():
                found.setdefault(term, []).append(residual.detach()[:, 0])  # without the graph, which is large
        terms |= {term: (batch, torch.cat(parts)) for term, parts in found.items() if term in weights}
    term = max(terms, key=lambda one: weights[one] * float(mean_square(terms[one][1][:, None], terms[one][0])))
    batch, residual = terms[term]
    rows = residual.abs().topk(min(SHOWN, len(residual))).indices
    return WorstTerm(term, batch.coordinates[rows], residual[rows].tolist(), 0)


def not_finite(values: TermValues, batches: Mapping[str, PointSet], size: int) -> WorstTerm | None:
    """The first term whose residual, or whose gradient, is not finite, and points where that is so."""
    for group, batch in batches.items():
        step = values.fitting(group, size)
        for start in range(0, len(batch), step):
            part = batch.take(slice(start, start + step))
            for term, residual in values.residuals(group, part).items():
                bad = (~torch.isfinite(residual.detach()[:, 0])).nonzero()[:, 0]
                if len(bad):
                    rows = bad[:SHOWN]
                    return WorstTerm(term, part.coordinates[rows], residual.detach()[rows, 0].tolist(), len(bad))
    for group, batch in batches.items():
        step = values.fitting(group, size)
        for start in range(0, len(batch), step):
            part = batch.take(slice(start, start + step))
            for term, entry in _infinite_gradients(values, group, part).items():
                point, entry = _where(values, group, term, part, entry)
                return WorstTerm(f"{term} (its gradient)", point, [entry] * len(point), 0)
    return None


def _infinite_gradients(values: TermValues, group: str, batch: PointSet) -> dict[str, float]:
    """The terms of a group whose gradient, of the mean of r^2, is not finite at these points; an entry that is not."""
    trainable, found = list(values.model.trainable().values()), {}
    with torch.enable_grad():
        for term, residual in values.residuals(group, batch).items():
            parts = torch.autograd.grad(residual.square().mean(), trainable, retain_graph=True, materialize_grads=True)
            entries = torch.cat([part.flatten() for part in parts])
            bad = entries[~torch.isfinite(entries)]
            if len(bad):
                found[term] = float(bad[0])
    return found


def _where(values: TermValues, group: str, term: str, batch: PointSet, entry: float) -> tuple[Tensor, float]:
    """One point, by halving, at which the gradient of a term is not finite, and an entry of it there.

    No point where it is finite at each, and only the sum over them is not.
    """
    while len(batch) > 1:
        half = len(batch) // 2
        for part in (batch.take(slice(0, half)), batch.take(slice(half, len(batch)))):
            if (inner := _infinite_gradients(values, group, part).get(term)) is not None:
                batch, entry = part, inner
                break
        else:
            return batch.coordinates[:0], entry
    return batch.coordinates, entry


def largest_fitting_chunk(
    batches: Mapping[str, PointSet], chunk: int | None, evaluate: Callable[[Mapping[str, PointSet], int], None]
) -> tuple[int, int]:
    """How many points of a group were evaluated at once, and how many fit, found by halving.

    Args:
        chunk: points that were evaluated at once, at most; None: all.
        evaluate: evaluates losses and gradient at points, so many at once.
    """
    largest = max(len(batch) for batch in batches.values())
    points = min(largest, chunk or largest)
    size = points // 2
    while size > 1:
        try:
            evaluate({name: batch.take(slice(0, size)) for name, batch in batches.items()}, size)
            break
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            size //= 2
    return points, max(size, 1)
