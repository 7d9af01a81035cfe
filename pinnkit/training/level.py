"""The beginning of a further level: its frequencies and its scale, from the residuals that are left."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from pinnkit.networks.fields import FieldNetworks
from pinnkit.networks.levels import Levels
from pinnkit.optimizers.threads import torch_threads
from pinnkit.problem.groups import equation_groups
from pinnkit.sampling.point_set import PointSet
from pinnkit.sampling.points import complete
from pinnkit.training.feature_state import network_of
from pinnkit.training.state import TrainingState
from pinnkit.training.term_values import TermValues

log = logging.getLogger(__name__)

POINTS = 1000
"""Points of each group at which residuals are looked at, at most."""
STEP = 1e-3
"""Of differences, in coordinates scaled to [-1, 1]."""
CHANGE = 1e-4
"""Of the outputs, by which the size of the operator is measured."""
SMALLEST = 1e-15
"""The scale of a network at least."""
SHARE = 0.5
"""Of the residuals' frequencies, in the first layer: the layers behind it multiply them."""
LEAST, MOST = 1.0, 300.0
"""Factors on the scaled coordinates."""


def begin_level(state: TrainingState, values: TermValues, batches: Mapping[str, PointSet]) -> None:
    """Add the next network to each of those that are trained.

    Its coordinates are stretched by half the frequencies of the residuals r of the equations, f_i^2 = mean
    (dr/dz_i)^2 / mean r^2, and its scale is s^2 = J(r) / J(L N): r the residuals, L N their change by the network N at
    its start, J the objective. Each rank computes both from all points, and takes those of the first.
    """
    network = network_of(state.model)
    few = {name: batch.take(slice(0, POINTS)) for name, batch in batches.items()}
    with torch_threads(1 if state.limits.shards else None), torch.no_grad():
        frequencies = _first(state, _frequencies(state, values, few))
        for number, levels in enumerate(network.networks):
            if isinstance(levels, Levels):
                here = _residuals(state, values, few)
                stretch = (SHARE * frequencies).clamp(LEAST, MOST)
                levels.begin(CHANGE, _embedded(levels, network, number, stretch))
                levels.scale(_first(state, _scale(state, values, levels, few, here)))
                levels.silence()
                _report(levels, dict(zip(state.model.problem.coordinates, frequencies.tolist(), strict=True)))


def _report(levels: Levels, frequencies: Mapping[str, float]) -> None:
    along = ", ".join(f"{name} {value:.3g}" for name, value in frequencies.items())
    log.info("level %d: scale %.2e, frequencies %s", levels.begun, float(levels.scales[levels.begun - 2]), along)


def _first(state: TrainingState, own: Tensor) -> Tensor:
    return state.ranks.gathered(own)[0]


def _objective(state: TrainingState, residuals: Mapping[str, Tensor]) -> float:
    return sum(state.weights.reference_of(term) * float(one.square().mean()) for term, one in residuals.items())


def _residuals(state: TrainingState, values: TermValues, few: Mapping[str, PointSet]) -> dict[str, Tensor]:
    """The residual (n, 1) of each term that is trained."""
    found: dict[str, Tensor] = {}
    for name, batch in few.items():
        with torch.enable_grad():
            residuals = values.residuals(name, batch, weigh=False)
        found |= {term: one.detach() for term, one in residuals.items() if state.stage.trains(term)}
    return found


def _frequencies(state: TrainingState, values: TermValues, few: Mapping[str, PointSet]) -> Tensor:
    """The root mean square frequency of the equations' residuals along each coordinate, scaled to [-1, 1], (d,)."""
    problem = state.model.problem
    lower, upper = problem.domain.lower, problem.domain.upper
    inside = {name: batch for name, batch in few.items() if name in equation_groups(problem)}
    here = _residuals(state, values, inside)
    size = _objective(state, here)
    found = []
    for index, name in enumerate(problem.coordinates):
        moved = {}
        for group, batch in inside.items():
            points = batch.coordinates.double().cpu().numpy().copy()
            points[:, index] = _shifted(
                points[:, index], lower[index], upper[index], logarithmic=name in problem.axes.logarithmic
            )
            shifted = complete(problem, PointSet(points, columns=_plain(batch.columns), weights=None))
            moved[group] = shifted.mapped(lambda value: torch.as_tensor(value).to(state.like))
        there = _residuals(state, values, moved)
        change = _objective(state, {term: (there[term] - one) / STEP for term, one in here.items()})
        found.append(math.sqrt(change / size) if size > 0.0 else LEAST)
    return torch.tensor(found, dtype=torch.float64, device=state.device).nan_to_num(LEAST)


def _plain(columns: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    return {name: one.double().cpu().numpy() for name, one in columns.items()}


def _shifted(values: np.ndarray, lower: float, upper: float, logarithmic: bool) -> np.ndarray:
    """Values moved by `STEP` of the scaled coordinate, towards the farther end."""
    if logarithmic:
        return np.exp(_shifted(np.log(values), math.log(lower), math.log(upper), logarithmic=False))
    half = (upper - lower) / 2
    return values + np.where(values > lower + half, -STEP, STEP) * half


def _embedded(levels: Levels, network: FieldNetworks, number: int, stretch: Tensor) -> Tensor:
    """Factors on the embedded coordinates of one of the networks; other fields among its inputs stay as they are."""
    output = network.outputs[network.members[number][0]]
    embedding, offset = levels.added[0].embedding, len(output.arguments)
    own = torch.cat([torch.ones(offset).to(stretch), stretch[list(output.columns)]])
    waves = (own[embedding.periodic] / math.pi).clamp(min=LEAST).repeat_interleave(embedding.frequency.shape[1])
    return torch.cat([own[embedding.plain], waves, waves])


def _scale(
    state: TrainingState,
    values: TermValues,
    levels: Levels,
    few: Mapping[str, PointSet],
    here: Mapping[str, Tensor],
) -> Tensor:
    """The size of the last network's outputs at which the residuals change by as much as they are.

    Args:
        here: the residuals without it; its scale is `CHANGE`.
    """
    more = _residuals(state, values, few)
    levels.scale(-CHANGE)
    less = _residuals(state, values, few)
    size = _objective(state, {term: (more[term] - less[term]) / (2 * CHANGE) for term in here})
    found = math.sqrt(_objective(state, here) / size) if size > 0.0 else 1.0
    return torch.tensor(max(found, SMALLEST), device=state.device)
