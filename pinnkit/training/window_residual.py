"""The residual that a window of time leaves, relative to the size of the terms of its equations."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pinnkit.losses.term_sizes import TermSizes
from pinnkit.optimizers.threads import torch_threads
from pinnkit.problem.groups import equation_groups
from pinnkit.problem.narrowed_time import START
from pinnkit.problem.problem import Problem
from pinnkit.sampling.point_set import PointSet
from pinnkit.sampling.points import equation_points
from pinnkit.sampling.sequences.sobol import Sobol
from pinnkit.training.term_values import TermValues

POINTS = 1000
"""Points of each group of equations."""
DRAW = 2**30 + 1
"""The number of their draw, which no step of training has."""


def window_residual(values: TermValues, problem: Problem, start: PointSet | None, seed: int) -> float:
    """The largest of the ratios RMS r / RMS s of each equation at fresh points of a window, r its residual and s the
    sum of the absolute values of its terms; of the start the same of the differences and of what they are taken from.

    Args:
        problem: narrowed to the window.
        start: points at the start of the window, with the values there as columns; None: it is the first one.
    """
    batches = {}
    for name in equation_groups(problem):
        count = max(POINTS // values.groups[name].cost, 64)
        batches[name] = equation_points(problem, Sobol(), seed, DRAW, count, name)
    if start is not None:
        batches[START] = start
    ratios, like = [0.0], values.model.like
    with torch_threads(1):  # the same sums on any number of processes
        for name, points in batches.items():
            group, parameters = values.groups[name], values.parameters()
            batch = points.mapped(lambda one: torch.as_tensor(one).to(like))
            network = values.model.network
            read = {
                key: one.detach() if isinstance(one, Tensor) else one
                for key, one in group.point_values(network, batch, parameters).items()
            }
            residuals = group.evaluated(network, batch, read)
            sizes = TermSizes(group).at(network, batch, read)
            for term, residual in residuals.items():
                ratios.append(_ratio(_rms(residual), _rms(sizes[term])))
    return max(ratios, key=lambda one: math.inf if math.isnan(one) else one)


def _ratio(residual: float, size: float) -> float:
    return residual / size if size > 0.0 else math.inf if residual > 0.0 else 0.0


def _rms(values: Tensor) -> float:
    return float(values.detach().double().square().mean().sqrt())
