"""Polish and estimate after training: what they change, where it is told, and that a run goes on without them."""

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import pinnkit
from pinnkit.cli.evaluate import evaluate
from pinnkit.reporting.artifacts import RunFolder
from pinnkit.reporting.figures import draw
from pinnkit.runs import corrections, estimated_stop
from pinnkit.runs.evaluation import Evaluation
from pinnkit.runs.results import summary_lines
from pinnkit.training.checkpoint_reader import read
from pinnkit.training.exceptions import INTERRUPTED
from pinnkit.training.stopping import Stopping
from tests.runs.small import DECAY, QUICK, solved
from tests.runs.small_features import POLISHED, Answers

T = np.linspace(0.0, 1.0, 5)
INVERSE = {
    **{key: value for key, value in DECAY.items() if key != "exact"},
    "parameters": {"rate": {"learn": 0.5}},
}


def replaced(monkeypatch, answers):
    for module in (corrections, estimated_stop):
        monkeypatch.setattr(module, "FeatureAnswers", answers)
    return answers


@pytest.fixture
def answers(monkeypatch):
    return replaced(monkeypatch, Answers())


def drawn(evaluation, problem, history, points, estimates=None):
    """The map of the estimated error alone."""
    figures = draw("", *estimates, {}, {}, history, {}, estimates=estimates) if estimates else {}
    return {name: figure for name, figure in figures.items() if name.startswith("estimated")}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run without polish, and one with."""
    folder = tmp_path_factory.mktemp("corrections")
    with pytest.MonkeyPatch.context() as patch:
        replaced(patch, Answers())
        patch.setattr(Evaluation, "draw", drawn)
        settings = {**POLISHED, "callbacks": {**QUICK["callbacks"], "figures": True}, "logger": {"tensorboard": True}}
        plain = solved(folder / "plain", settings={**QUICK, "polish": False})
        return SimpleNamespace(plain=plain, polished=solved(folder / "polished", settings=settings))


def test_a_polish_adds_to_the_fields_and_leaves_the_trained_parameters(runs):
    plain, polished = (one.module for one in (runs.plain, runs.polished))
    trained = plain.state_dict()
    assert all(torch.equal(polished.state_dict()[name], one) for name, one in trained.items())
    added = polished.network.expansions[0](torch.as_tensor(T)[:, None]).detach().numpy()[:, 0]
    assert np.abs(added).min() > 1e-5
    assert runs.polished(t=T)["u"] - runs.plain(t=T)["u"] == pytest.approx(added, rel=1e-9)


def test_metrics_and_log_tell_what_was_done(runs):
    metrics = json.loads((runs.polished.folder / "metrics.json").read_text())
    assert metrics["method"] == "network"
    assert metrics["parameters"] == runs.plain.metrics["parameters"]
    assert metrics["estimated_error"] == {"u": 2e-4}
    assert metrics["estimated_error_text"] == "two independent corrections; no reference needed"
    polish = metrics["polish"]
    assert (polish["accepted"], polish["residual_before"], polish["residual_after"]) == (True, 1e-3, 1e-5)
    assert polish["seconds"] >= 0
    log = (runs.polished.folder / "train.log").read_text()
    assert "polish: residual 1.0e-03, then 1.0e-05" in log
    assert "the error was estimated in 0.2 s" in log
    assert "estimated error of u: 2.0e-04 (two independent corrections; no reference needed)" in log
    assert log.index("training ended") < log.index("polish:") < log.index("relative L2 error of u")


def test_the_error_is_measured_of_what_came_out(runs):
    exact = np.exp(-np.linspace(0.0, 1.0, 1001))
    error = np.linalg.norm(runs.polished(t=np.linspace(0.0, 1.0, 1001))["u"] - exact) / np.linalg.norm(exact)
    assert runs.polished.metrics["relative_l2"]["u"] == pytest.approx(error, rel=1e-9)


def test_it_stands_in_the_report_the_figures_and_the_boards(runs):
    folder = RunFolder(runs.polished.folder)
    assert (folder.figures / "estimated_error_u.png").is_file()
    page = folder.report.read_text()
    assert "estimated error" in page
    assert "2.000e-04" in page
    assert "accepted: residual 1.000e-03, then 1.000e-05" in page
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder.tensorboard))
    events.Reload()
    assert events.Scalars("final/estimated_error")[0].value == pytest.approx(2e-4)
    assert runs.polished.estimated_error == {"u": 2e-4}
    assert "estimated error of u 2.0e-04" in repr(runs.polished)


def test_the_checkpoint_has_the_features_beside_the_trained_parameters(runs):
    content = read(RunFolder(runs.polished.folder).last_checkpoint)
    assert set(content["state_dict"]) == set(runs.plain.module.state_dict())
    (kept,) = content["features"]["expansions"]
    assert kept["coefficients"].shape == (7, 1)
    assert "features" not in read(RunFolder(runs.plain.folder).last_checkpoint)
    loaded = pinnkit.load(runs.polished.folder)
    assert np.array_equal(loaded(t=T)["u"], runs.polished(t=T)["u"])
    best = pinnkit.load(runs.polished.folder, "best")
    assert np.array_equal(best(t=T)["u"], runs.plain(t=T)["u"])


def test_a_polished_solution_is_saved_whole(runs, tmp_path):
    path = runs.polished.save(tmp_path / "solution.pinnkit")
    assert np.array_equal(pinnkit.load(path)(t=T)["u"], runs.polished(t=T)["u"])


def test_evaluate_measures_the_polished_solution_and_tells_the_estimate(runs, monkeypatch, capsys):
    monkeypatch.setattr(Evaluation, "draw", lambda *_: {})
    assert evaluate([str(runs.polished.folder), "grid=11"]) == 0
    assert "estimated error of u: 2.0e-04" in capsys.readouterr().out
    assert evaluate([str(runs.polished.folder), "grid=11", "checkpoint=best"]) == 0
    assert "estimated error" not in capsys.readouterr().out


def test_a_run_goes_on_without_its_polish_to_the_same_end(answers, tmp_path):
    longer = {**POLISHED, "trainer": {"max_steps": 20}}
    solved(tmp_path / "parts", settings=POLISHED)
    went_on = solved(tmp_path / "parts", settings=longer, resume=True)
    whole = solved(tmp_path / "whole", settings=longer)
    assert np.array_equal(went_on(t=T)["u"], whole(t=T)["u"])
    assert len(went_on.module.network.expansions) == 1
    removed = solved(tmp_path / "parts", settings={**longer, "polish": False}, resume=True)
    assert "features" not in read(RunFolder(removed.folder).last_checkpoint)


def test_a_polish_that_was_interrupted_is_made_by_the_run_that_goes_on(answers, monkeypatch, tmp_path):
    def interrupted(*_):
        raise KeyboardInterrupt

    expected = solved(tmp_path / "whole", settings=POLISHED)
    with monkeypatch.context() as patch:
        patch.setattr(answers, "polish", interrupted)
        with pytest.raises(KeyboardInterrupt):
            solved(tmp_path / "run", settings=POLISHED)
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["status"] == "interrupted"
    found = solved(tmp_path / "run", settings=POLISHED, resume=True)
    assert np.array_equal(found(t=T)["u"], expected(t=T)["u"])


def test_one_that_is_not_accepted_changes_nothing(monkeypatch, tmp_path):
    replaced(monkeypatch, Answers(accepted=False))
    found = solved(tmp_path / "run", settings=POLISHED)
    assert found.metrics["polish"]["accepted"] is False
    assert not found.module.network.expansions
    assert "features" not in read(RunFolder(tmp_path / "run").last_checkpoint)


@pytest.mark.parametrize(("fewest", "reason"), [(300, "10 steps only"), (0, "more than a fifth")])
def test_a_short_run_is_not_corrected_unless_that_is_asked_for(fewest, reason, answers, monkeypatch, tmp_path):
    monkeypatch.setattr(corrections, "FEWEST_STEPS", fewest)
    short = solved(tmp_path / "short")
    assert answers.limits == []
    assert answers.estimates == 0
    assert short.metrics["polish"] is None
    assert short.metrics["estimated_error"] == {"u": None}
    assert reason in short.metrics["estimated_error_text"]
    assert "estimated_error_u" not in [path.stem for path in RunFolder(short.folder).figures.iterdir()]


def test_a_polish_may_take_a_fifth_of_the_training_time(answers, monkeypatch, tmp_path):
    monkeypatch.setattr(corrections, "SHORTEST", 0.0)
    monkeypatch.setattr(corrections, "FEWEST_STEPS", 0)
    found = solved(tmp_path / "run")
    assert answers.limits == [pytest.approx(found.metrics["train_time_s"] / 5)]


def test_float32_is_not_corrected(answers, tmp_path):
    found = solved(tmp_path / "run", settings={**POLISHED, "phases": ["lbfgs"], "dtype": "float32"})
    assert answers.limits == []
    assert found.metrics["estimated_error_text"] == "float32 has too few digits"


def test_a_run_that_was_interrupted_is_not_corrected(answers, monkeypatch, tmp_path):
    monkeypatch.setattr(Stopping, "stop_reason", lambda _: f"{INTERRUPTED}SIGTERM")
    found = solved(tmp_path / "run", settings=POLISHED)
    assert found.status == "interrupted"
    assert answers.limits == []
    assert found.metrics["estimated_error_text"] == "the run was interrupted"


def test_of_learned_numbers_value_and_estimate_are_those_of_the_polish(monkeypatch, tmp_path):
    replaced(monkeypatch, Answers(learned={"rate": 3e-3}))
    plain = solved(tmp_path / "plain", INVERSE, {**QUICK, "polish": False, "reference": "none"})
    found = solved(tmp_path / "run", INVERSE, {**POLISHED, "reference": "none"})
    rate = found.metrics["learned"]["rate"]
    assert rate["value"] == pytest.approx(plain.metrics["learned"]["rate"]["value"] + 0.5)
    assert rate["estimated_error"] == pytest.approx(3e-3 / rate["value"])
    assert pinnkit.load(found.folder).learned == found.learned
    kept = read(RunFolder(found.folder).last_checkpoint)
    assert kept["features"]["learned"]["rate"] == kept["state_dict"]["learned.rate"] + 0.5


def test_what_is_not_known_is_told_with_its_reason(monkeypatch, tmp_path):
    reason = "two sets of features disagree: 1.0e-03 and 5.0e-03"
    replaced(monkeypatch, Answers(fields={"u": None}, reasons={"u": reason}))
    found = solved(tmp_path / "run", settings=POLISHED)
    assert found.metrics["estimated_error"] == {"u": None}
    assert found.metrics["estimated_error_text"] == f"not known of u: {reason}"
    assert f"estimated error not known of u: {reason}" in summary_lines(found.metrics)


def test_a_singular_problem_is_called_so_in_log_metrics_and_verdict(monkeypatch, tmp_path):
    text = "the linearised problem is singular: the solution is determined only up to a constant in u"
    replaced(monkeypatch, Answers(fields={"u": None}, reasons={"u": text}, singular=text))
    monkeypatch.setattr("pinnkit.verdict.judge.OUT_OF_BALANCE", math.inf)
    monkeypatch.setattr("pinnkit.verdict.judge.SLAB_OUT_OF_BALANCE", math.inf)
    monkeypatch.setattr("pinnkit.verdict.judge.VIOLATED", math.inf)
    found = solved(tmp_path / "run", settings={**POLISHED, "reference": "none"})
    assert found.metrics["singular"] == text
    assert found.metrics["estimated_error_text"] == f"not known of u: {text}"
    assert found.metrics["verdict"] == "unsolved"
    assert found.metrics["verdict_text"].startswith(f"This is no solution to be trusted: {text}.")
    log = (found.folder / "train.log").read_text()
    assert "estimated error not known of u: the linearised problem is singular" in log
    assert "singular" in (found.folder / "report.html").read_text()
    assert solved(tmp_path / "other").metrics["singular"] is None


def test_training_ends_where_the_estimated_error_is_small_enough(answers, tmp_path):
    settings = {**POLISHED, "trainer": {"max_steps": 40, "stop_estimated_error": 1e-3, "steps_per_batch": 5}}
    found = solved(tmp_path / "run", settings=settings)
    assert found.metrics["steps"] == 5
    assert found.metrics["reason"] == "the estimated error is at most 0.001"
    assert answers.estimates == 2


def test_it_goes_on_where_it_is_larger_or_not_known(monkeypatch, tmp_path):
    for number, fields in enumerate(({"u": 2e-3}, {"u": None})):
        replaced(monkeypatch, Answers(fields=fields))
        settings = {**QUICK, "trainer": {"max_steps": 15, "stop_estimated_error": 1e-3, "steps_per_batch": 5}}
        assert solved(tmp_path / f"{number}", settings=settings).metrics["steps"] == 15
