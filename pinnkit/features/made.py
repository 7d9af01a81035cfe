"""Features of a choice, for every network of a problem."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from pinnkit.features.attached import Kept
from pinnkit.features.choice import Choice
from pinnkit.features.holes import holes
from pinnkit.features.places import planes
from pinnkit.features.points import Beneath, probe
from pinnkit.features.slab import Slab
from pinnkit.networks.fields import FieldNetworks
from pinnkit.problem.problem import Problem
from pinnkit.sampling.point_set import PointSet
from pinnkit.sampling.settings import unit_points

STREAM = 1000
"""Seeds between two independent sets of features."""
SAMPLES = 1024
"""Points by which the ends of a network's outputs are found."""


def made(
    network: FieldNetworks,
    problem: Problem,
    choice: Choice,
    seed: int,
    stream: int,
    located: Mapping[str, PointSet],
    slab: Slab | None,
) -> Kept:
    """Features without coefficients, each with the network that it belongs to; another stream has other ones.

    Args:
        located: points of each group where the residual is large, through which steep features pass.
    """
    box = problem.domain.lower.tolist(), problem.domain.upper.tolist()
    logarithmic = [problem.coordinates.index(name) for name in problem.axes.logarithmic]
    seed += STREAM * stream
    found = []
    for number, members in enumerate(network.members):
        count = choice.number(number)
        places = np.zeros((0, 0))
        inverted = holes(problem, network.outputs[members[0]]) if choice.inverted else []
        if choice.steep:
            places = planes(problem, located, network.outputs[members[0]].part, stream)
        part = count // (1 + bool(inverted) + bool(len(places)))
        for place, hole in enumerate(inverted[:part]):
            shape = choice.kind, part // min(part, len(inverted)), choice.ranges, seed + STREAM // 4 + place
            count -= shape[1]
            found.append((probe(network, number, *shape, box, logarithmic, slab, states=hole.beneath(choice)), number))
        if len(places):
            count -= part
            shape = "tanh", part, choice.steep, seed + STREAM // 2
            found.append((probe(network, number, *shape, box, logarithmic, slab, places), number))
        shape = choice.kind, count, choice.ranges, seed
        ends = span(network, number, problem, slab, choice.states) if choice.states else None
        found.append((probe(network, number, *shape, box, logarithmic, slab, states=ends), number))
    return found


def span(network: FieldNetworks, number: int, problem: Problem, slab: Slab | None, most: float) -> Beneath:
    """The ends between which the outputs of one of the networks lie, without features, and their range of weights."""
    points = problem.domain.draw(SAMPLES, lambda n: unit_points("sobol", n, problem.domain.dimension, 0, "span"))
    if slab is not None:
        slab.squeeze(problem, points)
    module = network.networks[number]
    like = next(iter(module.parameters()))
    inputs = torch.as_tensor(points).to(like)[:, list(network.outputs[network.members[number][0]].columns)]
    with torch.no_grad():
        outputs = module(inputs)
    lower, upper = outputs.amin(dim=0).tolist(), outputs.amax(dim=0).tolist()
    upper = [high if high > low else low + 1.0 for low, high in zip(lower, upper, strict=True)]
    return Beneath(tuple(lower), tuple(upper), most)
