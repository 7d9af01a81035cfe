"""What can go wrong in training, found and named: terms that train nothing, infinite losses, too little memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from pinnkit.operators.memory import out_of_memory
from pinnkit.sampling.point_set import PointSet
from pinnkit.training.exceptions import Diverged, NoGradient

if TYPE_CHECKING:
    from pinnkit.training.module import PINN

A_FEW = 64
"""Points by which it is told whether a term has a gradient."""
SHOWN = 3
"""Points that are named where a residual is not finite."""
SCORED = 8192
"""Points whose residuals are computed at once, at most."""
EXPLOSION = 1e6
"""How many times its least value on new points the objective is where training has diverged."""


def at_once(module: PINN) -> int:
    """How many points' residuals are computed at once where no step is made."""
    return min(SCORED, module.operators.chunk or SCORED)


def check_gradients(module: PINN, batches: Mapping[str, PointSet]) -> None:
    """Every term must depend on what is trained; a few points tell.

    Raises:
        NoGradient: the gradient of a term by every trainable parameter is missing, as happens where a residual in
            Python detaches a derivative: the term would be computed, logged, and train nothing.
    """
    trainable = list(module.model.trainable().values())
    few = min(A_FEW, module.operators.chunk or A_FEW)
    with torch.enable_grad():
        losses = module.losses({name: batch.take(slice(0, few)) for name, batch in batches.items()})
    for term, loss in losses.items():
        gradients: Sequence[Tensor | None] = [None]
        if loss.requires_grad:
            gradients = torch.autograd.grad(loss, trainable, retain_graph=True, allow_unused=True)
        if all(gradient is None for gradient in gradients):
            raise NoGradient(term)


def exploded(objective: float, progress: Mapping[str, Any]) -> bool:
    """Whether the objective is larger than at the start of training, and `EXPLOSION` times the least on new points.

    Values on points that training has seen are no measure: few of them are fitted to 1e-20, and the next ones tell. On
    steep fronts a redraw by residual raises it by a factor of some hundred.
    """
    return objective > max(progress["first_objective"], EXPLOSION * progress["least_objective"])


def explosion(module: PINN, batches: Mapping[str, PointSet], objective: float, new: bool) -> Diverged:
    """What an objective that has exploded consists of: its largest term, and the points of its largest residuals.

    new: whether these points are the first to show it, so that earlier weights may have the same fault.
    """
    terms, size = {}, at_once(module)
    for group, batch in batches.items():
        found: dict[str, list[Tensor]] = {}
        for start in range(0, len(batch), size):
            for term, residual in module.residuals(group, batch.take(slice(start, start + size))).items():
                found.setdefault(term, []).append(residual.detach()[:, 0])  # without the graph, which is large
        terms |= {term: (batch, torch.cat(parts)) for term, parts in found.items()}
    term = max(terms, key=lambda one: module.weights[one] * float(terms[one][1].square().mean()))
    batch, residual = terms[term]
    rows = residual.abs().topk(min(SHOWN, len(residual))).indices
    points = _named(module, batch.coordinates[rows])
    rose, sound = (module.progress["least_objective"], objective), module.progress["sound"] if new else None
    return Diverged(module.progress["step"], term, points, residual[rows].tolist(), rose=rose, sound=sound)


def divergence(module: PINN, batches: Mapping[str, PointSet], step: int, new: bool = False) -> Diverged:
    """The term and the points at which the loss is no finite number.

    new: as in `explosion`.
    """
    sound, size = module.progress["sound"] if new else None, at_once(module)
    for group, batch in batches.items():
        for start in range(0, len(batch), size):
            part = batch.take(slice(start, start + size))
            for term, residual in module.residuals(group, part).items():
                bad = (~torch.isfinite(residual.detach()[:, 0])).nonzero()[:, 0]
                if len(bad):
                    rows = bad[:SHOWN]
                    found = _named(module, part.coordinates[rows]), residual.detach()[rows, 0].tolist()
                    return Diverged(step, term, *found, len(bad), sound=sound)
    for group, batch in batches.items():
        for start in range(0, len(batch), size):
            part = batch.take(slice(start, start + size))
            for term, entry in _infinite_gradients(module, group, part).items():
                point, entry = _where(module, group, term, part, entry)
                return Diverged(
                    step, f"{term} (its gradient)", _named(module, point), [entry] * len(point), sound=sound
                )
    return Diverged(step, "objective (its gradient)", sound=sound)


def _named(module: PINN, points: Tensor) -> list[dict[str, float]]:
    """Points (n, d) as mappings of the coordinates."""
    return [dict(zip(module.problem.coordinates, row, strict=True)) for row in points.tolist()]


def _infinite_gradients(module: PINN, group: str, batch: PointSet) -> dict[str, float]:
    """The terms of a group whose gradient, of the mean of r^2, is not finite at these points; an entry that is not."""
    trainable, found = list(module.model.trainable().values()), {}
    with torch.enable_grad():
        for term, residual in module.residuals(group, batch).items():
            parts = torch.autograd.grad(residual.square().mean(), trainable, retain_graph=True, materialize_grads=True)
            entries = torch.cat([part.flatten() for part in parts])
            bad = entries[~torch.isfinite(entries)]
            if len(bad):
                found[term] = float(bad[0])
    return found


def _where(module: PINN, group: str, term: str, batch: PointSet, entry: float) -> tuple[Tensor, float]:
    """One point, by halving, at which the gradient of a term is not finite, and an entry of it there.

    No point where it is finite at each, and only the sum over them is not.
    """
    while len(batch) > 1:
        half = len(batch) // 2
        for part in (batch.take(slice(0, half)), batch.take(slice(half, len(batch)))):
            if (inner := _infinite_gradients(module, group, part).get(term)) is not None:
                batch, entry = part, inner
                break
        else:
            return batch.coordinates[:0], entry
    return batch.coordinates, entry


def what_fits(module: PINN, batches: Mapping[str, PointSet]) -> tuple[int, int]:
    """How many points of a group were evaluated at once, and how many fit, found by halving."""
    like = next(iter(batches.values())).coordinates
    largest = max(len(batch) for batch in batches.values())
    points = min(largest, module.evaluator.chunk_size(like) if module.evaluator else module.operators.chunk or largest)
    size = points // 2
    while size > 1:
        part = {name: batch.take(slice(0, size)) for name, batch in batches.items()}
        try:
            evaluator = module.make_evaluator("autograd", size)
            evaluator(evaluator.prepare(part), module.weight_vector(), evaluator.draw_directions(0, 0))
            break
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            size //= 2
    return points, max(size, 1)
