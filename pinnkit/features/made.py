"""Features of a choice, for every network of a problem."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pinnkit.features.attached import Kept
from pinnkit.features.choice import Choice
from pinnkit.features.places import planes
from pinnkit.features.points import probe
from pinnkit.features.slab import Slab
from pinnkit.networks.fields import FieldNetworks
from pinnkit.problem.problem import Problem
from pinnkit.sampling.point_set import PointSet

STREAM = 1000
"""Seeds between two independent sets of features."""


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
        if choice.steep:
            places = planes(problem, located, network.outputs[members[0]].part, stream)
        if len(places):
            count -= choice.number(number) // 2
            shape = "tanh", choice.number(number) // 2, choice.steep, seed + STREAM // 2
            found.append((probe(network, number, *shape, box, logarithmic, slab, places), number))
        shape = choice.kind, count, choice.ranges, seed
        found.append((probe(network, number, *shape, box, logarithmic, slab), number))
    return found
