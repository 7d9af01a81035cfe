"""method=features: levels as the steps of a run, its files, its limits, and how it goes on."""

import json
import os
import signal
from types import SimpleNamespace

import numpy as np
import pytest

import pinnkit
from pinnkit.features.choice import Choice
from pinnkit.features.linearised import Linearised
from pinnkit.features.solver import FeatureSolver, Level
from pinnkit.language.errors import ProblemError
from pinnkit.problem.problem import Problem
from pinnkit.reporting.artifacts import RunFolder
from pinnkit.runs import corrections, feature_module
from pinnkit.training.checkpoint_reader import read
from tests.runs.small import command, solved
from tests.runs.small_features import SOLVED, Answers

T = np.linspace(0.0, 1.0, 5)
GROWN = {**SOLVED, "features": {"kind": "tanh", "range": 2.0}}


@pytest.fixture(autouse=True)
def estimated(monkeypatch):
    monkeypatch.setattr(corrections, "FeatureAnswers", Answers())


class Levels(FeatureSolver):
    """Four levels of few features, and an end at the best of them."""

    counts = (2, 4, 8, 6)
    solved = 0

    def levels(self, seconds_left):
        for count in self.counts:
            residual = self.try_choice(Choice("tanh", (2.0,), count), warm=False)
            Levels.solved += 1
            yield Level(count, count, residual, f"{count} features: residual {residual:.2e}")
            if seconds_left() <= 0:
                self.reason = "the time left is too short for more features"
                return
        self.reason = "more features do not lower the residual on fresh points"
        self.try_choice(Choice("tanh", (2.0,), 8), warm=False)


@pytest.fixture
def levels(monkeypatch):
    monkeypatch.setattr(feature_module, "FeatureSolver", Levels)
    monkeypatch.setattr(Levels, "solved", 0)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("features") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corrections, "FeatureAnswers", Answers())
        return solved(folder, settings=SOLVED)


def test_a_linear_problem_is_solved(run):
    assert run(t=T)["u"] == pytest.approx(np.exp(-T), abs=1e-10)
    metrics = json.loads((run.folder / "metrics.json").read_text())
    assert metrics["relative_l2"]["u"] < 1e-10
    assert metrics["method"] == "features"
    assert metrics["optimizers"] == ["least_squares"]
    assert metrics["parameters"] == 30
    assert metrics["operators"] is None
    assert metrics["reason"] == "features.count is 30"
    assert metrics["estimated_error"] == {"u": 2e-4}
    assert metrics["polish"] is None


def test_it_is_read_back_and_saved(run, tmp_path):
    assert np.array_equal(pinnkit.load(run.folder)(t=T)["u"], run(t=T)["u"])
    assert np.array_equal(pinnkit.load(run.save(tmp_path / "solution"))(t=T)["u"], run(t=T)["u"])
    assert run.residual("decay")(t=T) == pytest.approx(0.0, abs=1e-9)


def test_each_level_is_a_step_of_the_history(levels, tmp_path):
    found = solved(tmp_path, settings=GROWN)
    rows = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2, 3, 4, 5]
    errors = [row["errors"]["u"] for row in rows]
    assert errors[0] > 3 * errors[1] > 9 * errors[2]
    assert errors[4] == errors[2]
    assert found.metrics["relative_l2"]["u"] == pytest.approx(errors[4], rel=0.1)
    assert found.metrics["reason"] == "more features do not lower the residual on fresh points"
    log = (tmp_path / "train.log").read_text()
    assert "level 2: 4 features: residual" in log
    objective = rows[-1]["objective"]
    assert objective == pytest.approx(found.metrics["loss"])
    assert 0 < objective < 1e-3


def test_checkpoints_hold_the_levels(levels, tmp_path):
    found = solved(tmp_path, settings={**GROWN, "trainer": {"max_steps": 3}})
    last, previous = (read(tmp_path / "checkpoints" / f"{name}.ckpt") for name in ("last", "previous"))
    counts = [one["features"]["expansions"][0]["description"]["count"] for one in (last, previous)]
    assert counts == [8, 4]
    assert last["state_dict"] == {}
    assert np.array_equal(pinnkit.load(tmp_path, "best")(t=T)["u"], found(t=T)["u"])


@pytest.mark.parametrize(
    ("limits", "steps", "reason"),
    [
        ({"max_steps": 2}, 2, "2 steps are done"),
        ({"stop_error": 1e-2}, 3, "the error is at most 0.01"),
        ({"stop_loss": 1e-2}, 3, "the objective is at most 0.01"),
        ({"max_time": 1e-9}, 1, "1e-09 s of training are over"),
    ],
    ids=str,
)
def test_the_limits_of_a_run_hold(levels, tmp_path, limits, steps, reason):
    metrics = solved(tmp_path, settings={**GROWN, "trainer": limits}).metrics
    assert (metrics["steps"], metrics["reason"]) == (steps, reason)


def test_time_that_ends_amid_the_trials_leaves_the_best_of_them(tmp_path):
    metrics = solved(tmp_path, settings={**GROWN, "trainer": {"max_time": 1e-9}}).metrics
    assert (metrics["steps"], metrics["reason"]) == (1, "1e-09 s of training are over")
    assert metrics["relative_l2"]["u"] < 1e-6


def test_a_signal_ends_it_within_a_trial_and_it_comes_to_the_same_end(monkeypatch, tmp_path):
    whole = solved(tmp_path / "whole", settings=GROWN)
    solve, solves = Linearised.solve, []

    def signalled(self):
        solves.append(self)
        if len(solves) == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return solve(self)

    with monkeypatch.context() as patch:
        patch.setattr(Linearised, "solve", signalled)
        part = solved(tmp_path / "run", settings=GROWN)
    assert len(solves) == 2
    assert (part.status, part.metrics["reason"]) == ("interrupted", "interrupted by SIGTERM")
    assert part.metrics["steps"] == 1  # the best of the trials
    assert np.abs(part(t=T)["u"] - np.exp(-T)).max() < 1e-3
    went_on = solved(tmp_path / "run", settings=GROWN, resume=True)
    assert went_on.status == "finished"
    assert np.array_equal(went_on(t=T)["u"], whole(t=T)["u"])


def test_a_signal_ends_it_after_the_level_and_it_comes_to_the_same_end(levels, monkeypatch, tmp_path):
    whole = solved(tmp_path / "whole", settings=GROWN)
    solve = Levels.try_choice

    def signalled(self, choice, **options):
        if choice.count == 4:
            os.kill(os.getpid(), signal.SIGTERM)
        return solve(self, choice, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Levels, "try_choice", signalled)
        part = solved(tmp_path / "run", settings=GROWN)
    assert part.status == "interrupted"
    assert part.metrics["steps"] == 2
    assert part.metrics["estimated_error_text"] == "the run was interrupted"
    went_on = solved(tmp_path / "run", settings=GROWN, resume=True)
    assert went_on.status == "finished"
    assert np.array_equal(went_on(t=T)["u"], whole(t=T)["u"])


def test_a_run_that_goes_on_keeps_its_checkpoint_until_there_is_a_better_one(levels, monkeypatch, tmp_path):
    solved(tmp_path, settings={**GROWN, "trainer": {"max_steps": 2}})
    kept = (tmp_path / "checkpoints" / "last.ckpt").read_bytes()

    def lost(self, choice, **options):
        raise RuntimeError("out of luck")

    monkeypatch.setattr(Levels, "try_choice", lost)
    with pytest.raises(RuntimeError, match="out of luck"):
        solved(tmp_path, settings={**GROWN, "trainer": {"max_steps": 3}}, resume=True)
    assert (tmp_path / "checkpoints" / "last.ckpt").read_bytes() == kept


def test_from_the_command_line(levels, tmp_path):
    words = ["pde=decay", "method=features", "callbacks=quiet", "callbacks.figures=false", "logger=none"]
    assert command(tmp_path, *words, f"hydra.run.dir={tmp_path / 'out'}") == 0
    folder = RunFolder(tmp_path / "out")
    assert "method: features" in folder.read_config()
    again = [f"hydra.run.dir={tmp_path / 'again'}"]
    assert command(tmp_path / "out", *again, flags=["--config-name", "config"]) == 0
    assert RunFolder(tmp_path / "again").read_metrics()["relative_l2"] == folder.read_metrics()["relative_l2"]


@pytest.mark.parametrize(
    ("settings", "key", "told"),
    [
        ({"network": {"width": 30}}, "network", "method=network"),
        ({"optimizer": "adam"}, "optimizer", "method=network"),
        ({"phases": ["adam"]}, "phases", "method=network"),
        ({"dtype": "float32"}, "dtype", "float64"),
    ],
    ids=str,
)
def test_settings_that_features_do_not_read_are_refused(settings, key, told, tmp_path):
    with pytest.raises(ProblemError) as error:
        solved(tmp_path / "run", settings={**SOLVED, **settings})
    (mistake,) = error.value.mistakes
    assert mistake.key == key
    assert told in mistake.message
    assert not (tmp_path / "run").exists()


def test_a_function_of_a_field_is_refused(tmp_path):
    words = {
        "coordinates": {"t": [0, 1]},
        "fields": {"u": ["t"], "k": ["u"]},
        "equations": "u_t = k",
        "conditions": {"start": {"at": "t = 0", "equations": "u = 1"}},
    }
    with pytest.raises(ProblemError, match="features are functions of coordinates, and k is one of u"):
        pinnkit.solve(Problem(**words), tmp_path / "run", SOLVED)


def test_threads_are_not_limited(run):
    assert SimpleNamespace(**run.metrics).device.startswith("cpu, ")


def test_no_error_is_estimated_before_every_slab_of_time_is_solved(monkeypatch, tmp_path):
    monkeypatch.setattr(corrections, "FeatureAnswers", Answers(unready="not all slabs of time are solved"))
    found = solved(tmp_path, settings=SOLVED)
    assert found.metrics["estimated_error"] == {"u": None}
    assert found.metrics["estimated_error_text"] == "not all slabs of time are solved"
