"""Answers that solve nothing: training begins anew, a bounded number of times, and keeps the best answer."""

import json

import pytest
import torch

import pinnkit.runs.restarts
from pinnkit.optimizers.state_check import InvalidStateError, NonFiniteStateError
from pinnkit.problem.problem import Problem
from pinnkit.runs.restarts import HEAVIER, SEEDS, flat_fields, restarted
from pinnkit.settings import Settings
from pinnkit.training.checkpoint_reader import read
from pinnkit.training.exceptions import INTERRUPTED
from pinnkit.training.restarts import Restart, Restarts, check_restarts
from pinnkit.training.stopping import Stopping
from tests.conftest import assembled
from tests.runs.small import solved

REACTION = {  # of little weight is its start: training ends at u = 0
    "name": "reaction",
    "coordinates": {"t": [0, 1]},
    "fields": ["u"],
    "equations": {"reaction": "u_t = 5*u*(1-u)"},
    "conditions": {"start": {"at": "t = 0", "equations": "u = 0.5", "weight": 1e-3}},
    "exact": {"u": "1/(1+exp(-5*t))"},
}
SETTINGS = {
    "network": {"width": 6, "depth": 1},
    "sampling": {"equations": 30, "redraw_every": 50},
    "operators": {"engine": "autograd"},
    "phases": ["ssbroyden"],
    "trainer": {"max_steps": 240},
    "callbacks": {"progress": False, "figures": False, "evaluate_every": 60},
    "logger": {"tensorboard": False},
    "polish": "false",
}


SHORT = {"max_steps": 90, "steps_per_batch": 5}  # the first answer is looked at after 30 steps


def few_steps(patch, least=40):
    patch.setattr(pinnkit.runs.restarts, "LEAST_STEPS", least)


@pytest.fixture(scope="module")
def through(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        few_steps(patch)
        return solved(tmp_path_factory.mktemp("restarts") / "run", REACTION, SETTINGS)


def test_training_that_ends_at_a_constant_begins_anew_and_solves(through):
    metrics = through.metrics
    assert [one["step"] for one in metrics["restarts"]] == [80, 160]  # a third of the steps each
    assert all("of the size of its terms" in one["reason"] for one in metrics["restarts"])
    assert (metrics["steps"], metrics["answer_kept"], metrics["status"]) == (240, 3, "finished")
    assert metrics["relative_l2"]["u"] < 1e-2
    log = (through.folder / "train.log").read_text()
    assert "training begins anew, with the seed 1000003, and 100 times the weight of start (1 of 2)" in log
    assert "and 10000 times the weight of start (2 of 2)" in log
    assert json.loads((through.folder / "metrics.json").read_text())["restarts"] == metrics["restarts"]


def test_without_restarts_training_ends_at_the_constant(tmp_path, monkeypatch):
    few_steps(monkeypatch)
    found = solved(tmp_path, REACTION, {**SETTINGS, "trainer": {"max_steps": 80, "restarts": 0}})
    assert found.metrics["relative_l2"]["u"] > 0.9
    assert "restarts" not in found.metrics


def test_a_run_that_began_anew_resumes_to_the_bit(through, tmp_path, monkeypatch):
    few_steps(monkeypatch)
    look = Stopping.before_block

    def stopped(self):
        if self.state.progress.step == 130:
            self.request_stop(f"{INTERRUPTED}SIGTERM")
        look(self)

    with monkeypatch.context() as patch:
        patch.setattr(Stopping, "before_block", stopped)
        solved(tmp_path, REACTION, SETTINGS)
    resumed = solved(tmp_path, REACTION, SETTINGS, resume=True)
    assert resumed.metrics["steps"] == 240
    for one, other in zip(resumed.module.parameters(), through.module.parameters(), strict=True):
        assert torch.equal(one, other)
    told = [
        [(one["step"], one["reason"], one["misfit"]) for one in run.metrics["restarts"]] for run in (resumed, through)
    ]
    assert told[0] == told[1]


def test_the_best_of_the_answers_is_kept_and_a_resumed_run_keeps_it(tmp_path, monkeypatch):
    few_steps(monkeypatch, 20)
    seen = iter([0.6, 0.9, 0.7])
    monkeypatch.setattr(pinnkit.runs.restarts, "misfit", lambda *_: next(seen))
    monkeypatch.setattr(pinnkit.runs.restarts, "spurious", lambda *_: "the answer is wrong")
    monkeypatch.setattr(pinnkit.runs.restarts, "FALLS", 1e9)  # so that it is looked at, whether it falls or not
    found = solved(tmp_path, REACTION, {**SETTINGS, "trainer": SHORT})
    assert (found.metrics["answer_kept"], found.metrics["restarts"][0]["step"]) == (1, 30)
    content = read(tmp_path / "checkpoints" / "last.ckpt")
    for name, one in found.module.state_dict().items():
        assert torch.equal(content["restarts"]["best"]["state"][name], one)
        assert torch.equal(content["state_dict"][name], one)
    assert "answer 1 of 3 is kept, of step 30" in (tmp_path / "train.log").read_text()
    again = solved(tmp_path, REACTION, {**SETTINGS, "trainer": SHORT}, resume=True)
    assert again.metrics["answer_kept"] == 1
    assert again.metrics["relative_l2"] == found.metrics["relative_l2"]


def test_a_run_that_nothing_is_wrong_with_takes_the_same_steps_with_the_guard(tmp_path, monkeypatch):
    few_steps(monkeypatch, 20)
    looks, words = [], {**REACTION, "conditions": {"start": {"at": "t = 0", "equations": "u = 0.5"}}}
    monkeypatch.setattr(pinnkit.runs.restarts, "FALLS", 1e9)
    monkeypatch.setattr(pinnkit.runs.restarts, "spurious", lambda *given: looks.append(given))  # None: it is fine
    runs = []
    for name, restarts in (("with", 2), ("without", 0)):
        trainer = {**SHORT, "restarts": restarts}
        runs.append(solved(tmp_path / name, words, {**SETTINGS, "trainer": trainer}))
    assert looks  # at a third of the steps
    for one, other in zip(*(run.module.parameters() for run in runs), strict=True):
        assert torch.equal(one, other)


def test_a_restart_has_another_seed_and_larger_weights_at_the_start():
    words = {
        **REACTION,
        "conditions": {**REACTION["conditions"], "end": {"at": "t = 1", "equations": "u = 0.99"}},
    }
    problem = Problem(**words)
    assert restarted(problem, Settings(seed=7), 0) == (problem, Settings(seed=7))
    for count, factor in ((1, HEAVIER), (2, HEAVIER**2), (3, HEAVIER**2)):
        found, settings = restarted(problem, Settings(seed=7), count)
        assert settings.seed == 7 + count * SEEDS
        weights = {one.name: float(one.equations[0].weight) for one in found.conditions}
        assert weights == pytest.approx({"start": 1e-3 * factor, "end": 1.0})


def test_fields_that_are_constant_along_a_coordinate_are_found(heat_words):
    module, _ = assembled(heat_words, {"network": {"width": 8, "depth": 1}})
    with torch.no_grad():
        for one in module.network.parameters():
            one.mul_(4.0)
    assert flat_fields(module, 0) == []
    with torch.no_grad():
        for one in module.network.parameters():
            one.zero_()
    assert flat_fields(module, 0) == [("u", "x"), ("u", "t")]


def test_restarts_are_kept_in_checkpoints():
    restarts = Restarts()
    for number, misfit in enumerate((0.9, 0.5, 0.7)):
        restarts.leave(Restart(10 * (number + 1), 1.0, "wrong", misfit), {"w": torch.tensor([float(number)])})
    assert restarts.best is not None
    assert restarts.best[0] == 1
    assert (restarts.began, restarts.span(0), restarts.span(1)) == ((30, 1.0), (-1, 10), (10, 20))
    saved = restarts.state_dict()
    here = {"w": torch.zeros(1)}
    check_restarts(saved, here)
    check_restarts(None, here)
    assert Restarts.of(saved) == restarts
    for key, value, told in (
        ("done", "none", "restarts: is not whole"),
        ("done", [{"step": 1}], r"done\[0\]: is not whole"),
        ("kept", 9, "kept: is 9, after 3"),
        ("best", {"number": 7, "state": {}}, "best: is not whole"),
        ("best", {"number": 0, "state": {"w": torch.zeros(2)}}, "of other parameters"),
    ):
        with pytest.raises(InvalidStateError, match=told):
            check_restarts({**saved, key: value}, here)
    with pytest.raises(NonFiniteStateError, match="holds NaN"):
        check_restarts({**saved, "best": {"number": 0, "state": {"w": torch.full((1,), torch.nan)}}}, here)
