"""Points of features' least-squares problems, and the scales of their terms."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pinnkit.engines.model import Model
from pinnkit.features.linearise import Linearisation
from pinnkit.features.slab import FEWEST, Slab, on_side
from pinnkit.features.system import System, expansions_of
from pinnkit.losses.residuals import TermGroup
from pinnkit.networks.features import Features, RandomFeatures
from pinnkit.networks.fields import FieldNetworks
from pinnkit.problem.groups import equation_groups, is_equations
from pinnkit.problem.problem import Problem
from pinnkit.sampling.point_set import PointSet
from pinnkit.sampling.points import condition_points, equation_points
from pinnkit.sampling.sequences.sobol import Sobol

FRESH = 2**29
"""The number of the first draw of points that no solve has seen."""
SAMPLES, LEFT_OUT = 20, 5
"""Samples of a condition from which on every so many-th is kept for those draws."""
PROBES = 32
"""Features by which the size of a term's derivatives is found."""


@dataclass(frozen=True)
class Beneath:
    """The ends between which the outputs of a network lie, or inverted coordinates, and the range of weights on them.

    inversion, inverted: those of `Features`.
    """

    lower: tuple[float, ...]
    upper: tuple[float, ...]
    range: float
    inversion: tuple[float, ...] = ()
    inverted: tuple[int, ...] = ()


def draw(
    problem: Problem,
    unknowns: int,
    rows: float,
    seed: int,
    number: int,
    like: Tensor,
    places: Mapping[str, PointSet] | None = None,
    slab: Slab | None = None,
) -> dict[str, PointSet]:
    """Points of every group: equations have `rows` times as many rows in all as there are unknowns.

    Half of these are the first of `places`, where there are any.

    A condition has the points that its dimension asks for: n points in d coordinates are n^((d - 1) / d) on a side.
    Those of data stay all. Of a slab there are as many, all of them in it; a group without any is left out.
    """
    terms = len(problem.equations)
    fields = max(len(problem.fields), 1)
    found: dict[str, PointSet] = {}
    count = max(FEWEST, math.ceil(rows * unknowns / max(terms, 1)))
    share = 1.0 if slab is None else slab.share(problem)
    count = math.ceil(count / share)
    for name in equation_groups(problem):
        own = (places or {}).get(name)
        few = min(count // 2, len(own)) if own is not None else 0
        found[name] = equation_points(problem, Sobol(), seed, number, count - few, name)
        if own is not None and few:
            found[name] = PointSet.concatenated([found[name], own.take(slice(0, few))])
    each = unknowns / fields
    sides = on_side(problem, each)
    for condition in problem.soft_conditions:
        lasting = slab is not None and not all(slab.instant(problem, place) for place in condition.places)
        drawn = Sobol(conditions=math.ceil(sides / share) if lasting else sides)
        points = condition_points(problem, condition, drawn, seed, number)
        if condition.data and len(points) >= SAMPLES:  # noise that is fitted shows at samples that were left out
            out = np.arange(len(points)) % LEFT_OUT == LEFT_OUT - 1
            points = points.take(np.flatnonzero(out if number >= FRESH else ~out))
        found[condition.name] = points
    if slab is not None:
        found = {name: one.take(slab.holds(one.coordinates)) for name, one in found.items()}
        found = {name: one for name, one in found.items() if len(one)}
    return {name: one.mapped(lambda array: torch.as_tensor(array).to(like)) for name, one in found.items()}


def probe(
    network: FieldNetworks,
    group: int,
    kind: str,
    count: int,
    ranges: Sequence[float],
    seed: int,
    box: tuple[Sequence[float], Sequence[float]],
    logarithmic: Sequence[int],
    slab: Slab | None = None,
    places: np.ndarray | None = None,
    states: Beneath | None = None,
) -> RandomFeatures:
    """Features for the outputs of one of the networks, whose planes pass through the places, where these are given.

    Args:
        states: of the outputs of the network beneath, or of inverted coordinates, where features depend on them.
    """
    first = network.outputs[network.members[group][0]]
    columns = first.columns
    lower, upper = first.box or box
    if slab is not None:
        lower, upper = slab.cut(lower, upper)
    beneath = states or Beneath((), (), 0.0)
    outputs = len(beneath.lower)
    features = Features(
        kind,
        count,
        (*(ranges[index] for index in columns), *(beneath.range for _ in range(outputs))),
        (*(lower[index] for index in columns), *beneath.lower),
        (*(upper[index] for index in columns), *beneath.upper),
        columns,
        seed + group,
        tuple(place for place, index in enumerate(columns) if index in first.periodic),
        tuple(place for place, index in enumerate(columns) if index in logarithmic),
        None if slab is None else slab.interval,
        tuple(range(outputs)),
        beneath.inversion,
        beneath.inverted,
    )
    return RandomFeatures(features, len(network.members[group]), places=places)


def scales(
    model: Model,
    groups: Mapping[str, TermGroup],
    batches: Mapping[str, PointSet],
    conditions: float,
    seed: int,
    slab: Slab | None = None,
) -> dict[str, float]:
    """Term -> the factor on its residuals: one over the size of its derivatives by features that vary slowly.

    So equations and conditions in any units count alike; conditions other than data count `conditions` times as much.
    """
    system = System(model, groups, batches, {})
    network, problem = system.network, model.problem
    like = next(iter(batches.values())).coordinates
    added = []
    for number in range(len(network.members)):
        box = problem.domain.lower.tolist(), problem.domain.upper.tolist()
        ranges = [1.0] * len(problem.coordinates)
        kind = "sin" if network.outputs[network.members[number][0]].periodic else "tanh"
        logarithmic = [problem.coordinates.index(name) for name in problem.axes.logarithmic]
        module = probe(network, number, kind, PROBES, ranges, seed, box, logarithmic, slab).to(like)
        network.add(module, number)
        added.append(module)
    expansions = expansions_of(network)[-len(added) :]
    linear = Linearisation(network, groups, expansions)
    found: dict[str, float] = {}
    data = {one.name for one in problem.soft_conditions if one.data}
    try:
        for name, batch in batches.items():
            few = batch.take(slice(0, 4 * PROBES))
            factor = 1.0 if is_equations(name) or name in data else conditions
            for term, jacobian in linear.rows(name, few, system.parameters()).jacobians.items():
                size = float(jacobian.square().sum(dim=1).mean().sqrt()) / math.sqrt(PROBES)
                found[term] = factor / size if size > 0 and math.isfinite(size) else factor
    finally:
        network.remove(added)
    return found
