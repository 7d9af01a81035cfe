"""Budgets for which an engine is chosen, and networks that cannot be recorded."""

import math

import numpy as np
import torch
from torch import nn

from pinnkit.engines import selection
from pinnkit.engines.selection import Budget, Chooser
from pinnkit.operators.settings import Operators
from tests.conftest import assembled

SHORT = Budget(100.0)
"""Evaluations of 10 ms, as they are measured here by nested autograd, that are too few to compile at all."""
LONG = Budget(math.inf, 2 * selection.LONG_RUN_S)
"""So many that it pays to look for the best."""


class Own(nn.Module):
    """A small network of the user's."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.inner, self.outer = nn.Linear(2, 5), nn.Linear(5, 1)

    def forward(self, points):
        return self.outer(torch.tanh(self.inner(points)))


class Angle(Own):
    def forward(self, points):
        return self.outer(torch.atan(self.inner(points)))


class Branches(Own):
    def forward(self, points):
        values = self.inner(points)
        return self.outer(torch.tanh(values) if values.sum() > 0 else torch.sin(values))


class FrozenByPoints(Own):
    """Its recording would hold the values of the points at which it was made."""

    def forward(self, points):
        wave = torch.from_numpy(np.sin(3 * points.detach().numpy()[:, :1]))
        return super().forward(points) * (2 + wave)


def chooser(words, budget=LONG, network=None, **operators):
    module, batches = assembled(words, {"sampling": {"equations": 20, "conditions": 6}}, network or Own())
    module.computation.operators = Operators(**operators)
    weights = torch.ones(sum(len(group.terms) for group in module.groups.values()), dtype=torch.float64)
    return Chooser(module.make_evaluator, module.computation.operators, batches, weights, budget), module
