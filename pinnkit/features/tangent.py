"""First guesses of a slab of time: what the one before goes on to, and the tangent at its end."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace

import torch

from pinnkit.features.attached import Kept
from pinnkit.features.expansions import Expansion
from pinnkit.features.slab import Slab
from pinnkit.networks.features import RandomFeatures
from pinnkit.networks.fields import FieldNetworks

SLOW = 1e-3
"""The share of their time by which features go on, for the slope by time at the end of a slab."""


def tangent(network: FieldNetworks, slab: Slab, previous: Sequence[Expansion]) -> Kept:
    """Features for z0 + (z(t0 + e (t - t0)) - z0) / e with a small e, z the outputs of the slab before."""
    members = [tuple(fields) for fields in network.members]
    found = []
    for one in previous:
        for slower, factor in ((0.0, 1 - 1 / SLOW), (SLOW, 1 / SLOW)):
            module = moved(one.module, slab)
            if slab.axis in module.features.columns:
                place = module.features.columns.index(slab.axis)
                module.offset += (1 - slower) * module.weight[place] * slab.lower
                module.weight[place] *= slower
            with torch.no_grad():
                module.coefficients.mul_(factor)
            found.append((module, members.index(one.fields)))
    return found


def extended(network: FieldNetworks, slab: Slab, previous: Sequence[Expansion]) -> Kept:
    """The features of the slab before, as they go on behind it."""
    members = [tuple(fields) for fields in network.members]
    return [(moved(one.module, slab), members.index(one.fields)) for one in previous]


def moved(module: RandomFeatures, slab: Slab) -> RandomFeatures:
    """A copy of features that is not zero in a slab."""
    module = copy.deepcopy(module)
    module.features = replace(module.features, interval=slab.interval)
    return module
