"""Weights and factors that cannot be are refused, and a strategy that gives them ends the run by name."""

import json

import pytest
import torch

from pinnkit.cli.train_and_measure import run
from pinnkit.losses.weighting.fixed import Fixed
from pinnkit.problem.problem import Problem
from pinnkit.runs.setup import read
from pinnkit.sampling.point_set import PointSet
from pinnkit.training.weights import WeightState

WRONG = [
    (None, "the weights None: a mapping of terms to numbers is needed"),
    ([1, 2, 3], r"the weights \[1, 2, 3\]: a mapping of terms to numbers is needed"),
    ("heat", "the weights 'heat': a mapping of terms to numbers is needed"),
    ({"heat": -1.0}, "the weight -1.0 of the term 'heat': a finite number of at least 0 is needed"),
    ({"heat": float("nan")}, "the weight nan of the term 'heat': a finite number"),
    ({"heat": "2"}, "the weight '2' of the term 'heat': a finite number"),
    ({"heat": None}, "the weight None of the term 'heat': a finite number"),
    ({"heat": torch.ones(2)}, "of the term 'heat': a finite number"),
    ({"other": 1.0}, "the weight of the term 'other': the terms are heat"),
]


@pytest.mark.parametrize(("weights", "message"), WRONG)
def test_weights_that_cannot_be_are_refused(weights, message):
    with pytest.raises(ValueError, match=message):
        WeightState({"heat": 1.0}).set(weights)


def test_a_weight_may_be_a_tensor():
    state = WeightState({"heat": 1.0})
    state.set({"heat": torch.tensor(2.5)})
    assert state.values() == {"heat": 2.5}


@pytest.mark.parametrize("found", [None, {"heat": float("nan")}])
def test_a_strategy_that_gives_no_weights_ends_the_run_as_a_wrong_setting(
    found, heat_words, quick, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(Fixed, "every", 10)
    monkeypatch.setattr(Fixed, "update", lambda *_: found)
    settings = read({**quick, "trainer": {"max_steps": 15}})
    problem = Problem(**heat_words)
    assert run(problem, settings, tmp_path, "pde: {}\n", [], resume=False) == 2
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert (metrics["status"], metrics["steps"]) == ("failed", 10)
    assert metrics["reason"].startswith("weighting=fixed gave the weight")


def factors(group, values):
    state = WeightState({"heat": 1.0}, groups=["equations"])
    state.set_points(group, values)
    return state


@pytest.mark.parametrize(
    ("group", "values", "message"),
    [
        ("equations", torch.tensor([[1.0], [float("nan")]]), "finite numbers of at least 0 are needed"),
        ("equations", torch.tensor([[1.0], [-1.0]]), "finite numbers of at least 0 are needed"),
        ("equations", torch.ones(3), r"the shape is \(3,\), not \(n, 1\)"),
        ("equations", torch.ones(3, 2), r"the shape is \(3, 2\), not \(n, 1\)"),
        ("equation", torch.ones(3, 1), "factors of the points of 'equation': the groups are equations"),
    ],
)
def test_factors_that_cannot_be_are_refused(group, values, message):
    with pytest.raises(ValueError, match=message):
        factors(group, values)


@pytest.mark.parametrize("count", [1, 7])
def test_as_many_factors_as_points_are_needed(count):
    state = factors("equations", torch.ones(count, 1))
    with pytest.raises(ValueError, match=f"factors of the points of 'equations': {count} are set for 3 points"):
        state.applied({"equations": PointSet(torch.zeros(3, 2))})


def test_dropped_factors_keep_no_points():
    state, batches = factors("equations", torch.ones(3, 1)), {"equations": PointSet(torch.zeros(3, 2))}
    assert state.applied(batches) is not batches
    state.drop_points()
    assert state._applied is None
    assert state.applied(batches) is batches
