"""Verdicts of runs: where they are written, and what they are of small runs."""

import json
from types import SimpleNamespace

import pytest
import torch

import pinnkit
from pinnkit.problem.problem import Problem
from pinnkit.reporting.summary import summarise
from pinnkit.runs.fresh_points import balances
from pinnkit.runs.judgement import doubts, not_judged
from tests.runs.small import DECAY, QUICK, solved

HARD_TO_MEET = {"first": {"at": "t = 0", "equations": "u = 1"}, "second": {"at": "t = 0", "equations": "u = 3"}}
POSED = {key: value for key, value in DECAY.items() if key != "exact"}
BLIND = {"reference": "none", "trainer": {"max_steps": 150}}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("verdicts")
    settings = {**QUICK, "trainer": {"max_steps": 150}}
    return SimpleNamespace(
        folder=folder,
        good=solved(folder / "good", settings=settings),
        short=solved(folder / "short", settings={**QUICK, "trainer": {"max_steps": 1}}),
        against=solved(folder / "against", {**POSED, "conditions": HARD_TO_MEET}, {**settings, **BLIND}),
        blind=solved(folder / "blind", POSED, {**settings, **BLIND}),
    )


def test_the_verdict_stands_first_in_the_log_and_in_the_metrics(runs):
    metrics = json.loads((runs.folder / "good" / "metrics.json").read_text())
    assert metrics["verdict"] == "solved"
    assert metrics["verdict_text"].startswith("The error of u is")
    lines = (runs.folder / "good" / "train.log").read_text().splitlines()
    ended = next(number for number, line in enumerate(lines) if "training ended" in line)
    assert f" solved: {metrics['verdict_text'][:30]}" in lines[ended + 1]
    assert set(metrics["conditions_rms"]) == {"start"}
    assert set(metrics["residual_scale"]) == set(metrics["residual_ratio"]) == {"decay", "start"}
    assert metrics["residual_scale"]["decay"] == pytest.approx(1.315, rel=1e-2)  # 2 exp(-t), its RMS over [0, 1]
    assert metrics["residual_ratio"]["decay"] < 1e-2
    assert len(metrics["largest_residuals"]["decay"]) == 3
    assert metrics["answer_change"]["u"] < 0.1


def test_a_loaded_run_and_a_table_know_it(runs):
    assert pinnkit.load(runs.folder / "good").metrics["verdict"] == "solved"
    table = summarise(runs.folder).read_text().splitlines()
    assert table[0].startswith("run,status,verdict,")
    assert "good,finished,solved," in "\n".join(table)


def test_a_single_step_is_no_solution(runs):
    assert runs.short.metrics["verdict"] == "unsolved"
    assert "after 1 step:" in runs.short.metrics["verdict_text"]


def test_conditions_that_contradict_each_other_are_found_without_a_reference(runs):
    assert runs.against.metrics["verdict"] == "unsolved"
    assert runs.against.metrics["residual_ratio"]["second"] > 0.1


def test_a_good_answer_without_a_reference_is_no_alarm(runs):
    assert runs.blind.metrics["verdict"] in ("solved", "falling")
    assert runs.blind.metrics["residual_ratio"]["decay"] < 1e-2


def test_judging_changes_nothing(runs):
    """It has points of its own: random numbers, weights and gradients stay."""
    module = runs.good.module
    state, weights = torch.random.get_rng_state(), [one.detach().clone() for one in module.parameters()]
    first, again = balances(module, 0), balances(module, 0)
    assert first == again
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(map(torch.equal, weights, module.parameters()))


ROD = {"coordinates": {"x": [0, 1], "t": [0, 1]}, "fields": ["u"]}
START, ENDS = {"at": "t = 0", "equations": "u = sin(pi*x)"}, {"at": ["x = 0", "x = 1"], "equations": "u = 0"}


def test_problems_that_are_posed_wrongly_are_doubted():
    forwards = Problem(**ROD, equations="u_t = 0.1*u_xx", conditions={"start": START, "ends": ENDS})
    backwards = Problem(**ROD, equations="u_t = -0.1*u_xx", conditions={"start": START, "ends": ENDS})
    assert doubts(forwards) == []
    (sentence,) = doubts(backwards)
    assert "ill-posed as an evolution" in sentence
    (sentence,) = doubts(Problem(**ROD, equations="u_t = 0.1*u_xx", conditions={"ends": ENDS}))
    assert sentence.startswith("u has order 1 in t but 0 conditions")


def test_a_run_that_was_not_measured():
    assert not_judged("diverged")["verdict"] == "unsolved"
    assert not_judged("interrupted")["verdict"] == "unknown"
