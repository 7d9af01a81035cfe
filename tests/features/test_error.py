"""Estimates of answers by features, where the first independent sets do not tell the error."""

from dataclasses import replace

import pytest
import torch

from pinnkit.features import error as module
from pinnkit.features.error import estimate
from tests.features.solvers import LOGISTIC, logistic, solve


@pytest.fixture
def found():
    return solve(LOGISTIC, kind="tanh", range=2.0, count=12)


@pytest.fixture
def sizes(monkeypatch):
    """The numbers of features of the independent sets, of which the first two are spoilt."""
    sizes, original = [], module.independent

    def independent(solver, choice, stream, points, own):
        sizes.append(choice.count)
        answer = original(solver, choice, stream, points, own)
        return replace(answer, residual=1e3 * answer.residual + 1.0) if len(sizes) < 3 else answer

    monkeypatch.setattr(module, "independent", independent)
    return sizes


def test_finer_sets_tell_the_error_where_the_first_two_do_not(found, sizes):
    estimated = estimate(found, found.choice, own=True)
    assert sizes == sorted(sizes)
    assert len(sizes) == 4
    points = torch.linspace(0, 4, 200, dtype=torch.float64)[:, None]
    with torch.no_grad():
        missed = found.network(points)[:, 0] - logistic(points)
        true = float(missed.square().mean().sqrt() / logistic(points).square().mean().sqrt())
    assert 0.5 < estimated.fields["u"] / true < 2


def test_no_finer_sets_are_made_where_none_can_tell_it(found, sizes, monkeypatch):
    monkeypatch.setattr(module, "_noise", lambda solver: "samples are missed")
    estimated = estimate(found, found.choice, own=True)
    assert estimated.reasons == {"u": "samples are missed"}
    assert len(sizes) == 2
