"""Networks that are linear as they begin, fitted to the start of the problem before training."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from pinnkit.losses.residuals import TermGroup
from pinnkit.networks.fields import FieldNetworks
from pinnkit.networks.piratenet import PirateNet
from pinnkit.problem.problem import Problem
from pinnkit.sampling.point_set import PointSet
from pinnkit.sampling.points import condition_points
from pinnkit.sampling.settings import Sampling

log = logging.getLogger(__name__)

CUTOFF = 1e-8
"""Singular values below this share of the largest one are left out of the fit."""


def fit_start(
    problem: Problem, fields: FieldNetworks, groups: Sequence[TermGroup], sampling: Sampling, seed: int
) -> None:
    """Let the last layers of PirateNets begin at the least-squares fit of the conditions at the start of time.

    min |r_0 + J w|^2 over the weights w of these layers, with the residuals r = r_0 + J w of these conditions: the
    physics-informed initialisation of Wang et al. 2024 (arXiv 2402.00326). Nothing changes without such conditions,
    where a network of zero meets them already, and where they are not linear in w, so that the fit is no better.
    """
    layers = [one.last for network in fields.networks for one in network.modules() if isinstance(one, PirateNet)]
    starts = dict(_starts(problem, sampling, seed)) if layers else {}
    if not starts:
        return
    chosen = [group for group in groups if group.name in starts]
    known = {one.name: torch.tensor(one.value, dtype=torch.float64) for one in problem.parameters}
    weights = [one for layer in layers for one in layer.parameters()]

    def residuals() -> Tensor:
        found = [group(fields, starts[group.name], known) for group in chosen]
        return torch.cat([one.detach().flatten() for each in found for one in each.values()])

    def residuals_at(values: Tensor) -> Tensor:
        nn.utils.vector_to_parameters(values, weights)
        return residuals()

    before, drawn = residuals(), nn.utils.parameters_to_vector(weights).detach()
    given = residuals_at(torch.zeros_like(drawn))
    columns = [residuals_at(unit) - given for unit in torch.eye(len(drawn), dtype=torch.float64)]
    fitted = torch.linalg.lstsq(torch.stack(columns, 1), -given, rcond=CUTOFF, driver="gelsd").solution
    sizes = [float(one.square().mean().sqrt()) for one in (residuals_at(fitted), before, given)]
    if sizes[0] < min(sizes[1:]):
        log.info("the last layer begins at a fit of the start: residual %.1e", sizes[0])
    else:
        nn.utils.vector_to_parameters(drawn, weights)


def _starts(problem: Problem, sampling: Sampling, seed: int) -> Iterator[tuple[str, PointSet]]:
    """The conditions at the start of time, with points of each."""
    names = list(problem.coordinates)
    if problem.time is None:
        return
    axis = names.index(problem.time)
    for condition in problem.soft_conditions:
        points = condition_points(problem, condition, sampling, seed, 0)
        if (points.coordinates[:, axis] == problem.domain.lower[axis]).all():
            yield condition.name, points.mapped(lambda one: torch.as_tensor(one, dtype=torch.float64))
