"""Whole solves and polishes on several ranks: the same to the bit."""

import math

import pytest
import torch

from pinnkit.features.polish import polish
from pinnkit.features.settings import FeatureSettings
from pinnkit.features.solver import FeatureSolver
from pinnkit.problem.problem import Problem
from pinnkit.runs.factory import assemble
from pinnkit.settings import Settings
from tests.features.shares import on_ranks
from tests.features.solvers import LOGISTIC
from tests.runs.small import QUICK
from tests.settings_reading import read

POINTS = torch.linspace(0, 4, 7, dtype=torch.float64)[:, None]
FEATURES = FeatureSettings(kind="tanh", range=2.0, count=30)


def answers(settings, solve):
    """On one, two and four processes, of each what it solves and the fields then."""
    found = []
    for count in (1, 2, 4):
        modules = [assemble(Problem(**LOGISTIC), settings)[0] for _ in range(count)]

        def call(ranks, modules=modules):
            module = modules[ranks.rank]
            solver = FeatureSolver(module.model, module.groups, FEATURES, 0, ranks)
            solver.trial_unknowns = 40
            return solve(solver), solver.network(POINTS)

        found += on_ranks(count, call)
    return found


@pytest.fixture(autouse=True)
def in_parts(monkeypatch):
    monkeypatch.setattr("pinnkit.features.parts.LARGE", 0)


def test_features_are_the_same_on_any_number_of_ranks():
    found = answers(
        Settings(method="features"), lambda solver: [one.residual for one in solver.levels(lambda: math.inf)]
    )
    assert len(found) == 7
    (residuals, fields), *others = found
    assert residuals[-1] < 1e-9
    assert all(one == residuals and torch.equal(values, fields) for one, values in others)


def test_a_polish_is_the_same_on_any_number_of_ranks():
    found = answers(read(QUICK), lambda solver: polish(solver, math.inf))
    (first, fields), *others = found
    assert first.accepted
    assert all(one.residual_after == first.residual_after and torch.equal(values, fields) for one, values in others)
