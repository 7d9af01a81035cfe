"""The end of a solve by its time, within a trial, a level and a slab of time."""

import itertools

import numpy as np
import pytest
import torch

from pinnkit.features.linearised import Linearised
from tests.features.solvers import LOGISTIC, PENDULUM, error, logistic, solver

POINTS = np.linspace(0, 4, 9)[:, None]
STEEP = 12.0
"""A range with which 40 features leave much."""


@pytest.fixture
def solves(monkeypatch):
    """The least-squares problems that were solved."""
    found, solve = [], Linearised.solve

    def counted(self):
        found.append(self)
        return solve(self)

    monkeypatch.setattr(Linearised, "solve", counted)
    return found


def small(words, **settings):
    found = solver(words, kind="tanh", **settings)
    found.trial_unknowns = 40
    return found


def ended_after(number, solves, words, **settings):
    """A solver whose time ends while it solves its problem of that number, and its levels."""
    found = small(words, **settings)
    found.found = list(found.levels(lambda: 1.0 if len(solves) < number else 0.0))
    return found


def test_the_first_trial_is_ended_and_the_best_trial_is_the_level(solves):
    found = ended_after(1, solves, LOGISTIC)
    first = len(solves)
    assert first < 20  # the first trial alone
    assert found.reason == "the time left ended"
    assert [one.count for one in found.found] == [found.choice.count]
    assert error(found, logistic, POINTS) < 1e-2


def test_a_trial_is_not_ended_by_itself_where_time_is_over(solves):
    ended_after(1, solves, LOGISTIC)
    first = len(solves)
    solves.clear()
    found = ended_after(first + 1, solves, LOGISTIC)  # amid the second trial
    assert len(solves) == first + 1
    assert len(found.found) == 1
    with torch.no_grad():
        assert found.fresh_residual(40) == found.found[0].residual


def test_a_level_is_ended_and_the_best_one_stays(solves):
    whole = small(LOGISTIC, range=STEEP)
    begun = [(len(solves), one) for one in itertools.islice(whole.levels(lambda: np.inf), 2)]
    assert len(begun) == 2
    count, first = begun[0]
    solves.clear()
    found = ended_after(count + 1, solves, LOGISTIC, range=STEEP)  # amid the second level
    assert len(solves) == count + 1
    assert [one.residual for one in found.found] == [first.residual]
    assert found.choice.count == first.count
    assert sum(one.module.features.count for one in found.attached.expansions) == first.count


def test_a_slab_is_ended_and_those_before_it_stay():
    words = {"windows": 4, "range": 2.0, "count": 20}
    points = torch.tensor([[0.5], [2.9]], dtype=torch.float64)
    calls, each, expected = [], [], None
    whole = small(PENDULUM, **words)
    for _ in whole.levels(lambda: calls.append(0) or np.inf):
        each.append(len(calls))
        expected = whole.network(points) if len(each) == 2 else expected
    assert len(each) == 4
    most = each[1] + 3  # amid the third slab
    assert most < each[2], each
    calls.clear()
    found = small(PENDULUM, **words)
    levels = list(found.levels(lambda: calls.append(0) or (np.inf if len(calls) < most else 0.0)))
    assert len(levels) == 2
    assert len(calls) == most
    assert found.reason == "the time left ended at t = 3"
    assert torch.equal(found.network(points), expected)
    assert not bool(found.network(torch.tensor([[4.0]], dtype=torch.float64)).any())
