"""Stages as they are configured: what is read, what is refused, and what each of them changes."""

import pytest

import pinnkit
from pinnkit.optimizers.methods.adam import Adam
from pinnkit.optimizers.methods.self_scaled import SSBroyden
from pinnkit.problem.problem import Problem
from pinnkit.reading import config_of
from pinnkit.runs import corrections
from pinnkit.runs.factory import stages_of
from pinnkit.runs.setup import read as read_checked
from pinnkit.training.checkpoint_reader import read as read_checkpoint
from tests.runs.small_features import Answers
from tests.settings_reading import mistakes, read

PRETRAINED = [{"name": "adam", "steps": 7, "learning_rate": 0.01, "terms": ["initial", "ends"]}, "ssbroyden"]


def test_stages_are_optimizers_with_limits_of_their_own_levels_and_a_polish():
    words = [{"name": "adam", "max_time": 3, "stop_loss": 1e-3}, "ssbroyden", "level", *PRETRAINED, "polish"]
    settings = read({"stages": words})
    assert [one.name for one in settings.stages] == [
        "adam", "ssbroyden", "level", "adam", "ssbroyden", "polish"
    ]  # fmt: skip
    found = stages_of(settings)
    assert [(one.name, one.level, one.max_time, one.stop_loss) for one in found] == [
        ("adam", 0, 3.0, 1e-3), ("ssbroyden", 0, None, None), ("adam", 1, None, None), ("ssbroyden", 1, None, None)
    ]  # fmt: skip
    assert [one.terms for one in found] == [None, None, frozenset({"initial", "ends"}), None]
    assert isinstance(found[0].settings, Adam)
    assert isinstance(found[1].settings, SSBroyden)
    assert found[2].settings.options() == Adam(learning_rate=0.01).options()
    assert (settings.networks, settings.polishes, read({}).polishes) == (2, "true", "auto")
    assert read(config_of(settings)) == settings


def test_levels_share_the_steps_and_the_time_of_the_run():
    words = {"phases": [{"name": "adam", "steps": 20}, "ssbroyden"], "levels": 3, "trainer": {"max_steps": 300}}
    found = [(one.label, one.settings.steps, one.until) for one in stages_of(read(words))]
    assert found == [
        ("adam", 20, None), ("ssbroyden", 80, None), ("adam (level 2)", 20, None), ("ssbroyden (level 2)", 80, None),
        ("adam (level 3)", 20, None), ("ssbroyden (level 3)", None, None),
    ]  # fmt: skip
    found = stages_of(read(words | {"trainer": {"max_time": 60}}))
    assert [one.until for one in found] == [None, 20.0, None, 40.0, None, None]
    assert [one.time_over(1.0, 19.0) for one in found] == [None] * 6
    assert found[1].time_over(1.0, 20.0) == "the first 20 s are over"


@pytest.mark.parametrize(
    ("words", "key", "message"),
    [
        ({"stages": "adam"}, "stages", "'adam' is not a list of stages: write [{name: adam, steps: 300}, ssbroyden, "),
        ({"stages": ["adam", "ssbroyden"]}, "stages[1].steps", "a stage of adam ends only by a limit: write {name: "),
        ({"stages": ["polish", "ssbroyden"]}, "stages[1]", "polish corrects what was trained: it stands last"),
        ({"stages": ["polish"]}, "stages[1]", "polish has no trained network to correct: write an optimizer before"),
        ({"stages": ["level", "ssbroyden"]}, "stages[1]", "level has no trained network to go on from: write an opt"),
        ({"stages": ["ssbroyden", "level"]}, "stages[2]", "level adds a network, which no optimizer trains: write o"),
        ({"stages": ["ssbroiden"]}, "stages[1].name", "unknown stage 'ssbroiden'; did you mean 'ssbroyden'?"),
        (
            {"stages": ["ssbroyden", {"name": "polish", "steps": 1}]},
            "stages[2].steps",
            "unknown key 'steps'; valid are max_time",
        ),
        ({"stages": [{"name": "ssbroyden", "max_time": 0}]}, "stages[1].max_time", "0: more than 0.0 is needed"),
        ({"stages": ["ssbroyden", "polish"], "polish": False}, "polish", "is false, and stages end with polish"),
        ({"stages": ["ssbroyden"], "levels": 2}, "levels", "is 2, and stages are given: write level among them"),
    ],
)
def test_wrong_stages_are_refused(words, key, message):
    found = mistakes(words)
    assert list(found) == [key]
    assert found[key].startswith(message)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"stages": ["adam"], "phases": ["soap"]}, r"phases: are given \(soap\), and stages \(adam\) too, which"),
        ({"stages": ["adam"], "optimizer": "lbfgs"}, r"optimizer: is lbfgs, and stages \(adam\) are given too, which"),
        ({"stages": ["adam"], "method": "features"}, "stages: is given, and method=features reads no stages"),
        ({"levels": 2, "method": "features"}, "levels: is given, and method=features reads no levels"),
    ],
)
def test_stages_take_the_place_of_optimizers(words, message):
    with pytest.raises(pinnkit.ProblemError, match=message):
        read_checked(words)


def test_a_stage_trains_its_terms_alone(heat_words, quick, tmp_path):
    settings = {**quick, "phases": None, "stages": PRETRAINED, "trainer": {"max_steps": 9}}
    settings |= {"operators": {"engine": "autograd"}, "callbacks": {**quick["callbacks"], "evaluate_every": 1}}
    solution = pinnkit.solve(Problem(**heat_words), tmp_path / "run", settings)
    rows = read_checkpoint(tmp_path / "run" / "checkpoints" / "last.ckpt")["callbacks"]["Record"]["rows"]
    assert set(rows[0]["losses"]) == {"initial", "ends", "objective"}
    assert set(rows[-1]["losses"]) == {"initial", "ends", "heat", "objective"}
    assert solution.module.progress.stage_step == 2
    settings["stages"] = [{"name": "adam", "terms": ["initial", "end"]}]
    message = r"stages\[1\]\.terms: there is no equation or condition 'end'; did you mean 'ends'\?"
    with pytest.raises(pinnkit.ProblemError, match=message):
        pinnkit.solve(Problem(**heat_words), tmp_path / "other", settings)


@pytest.mark.parametrize(
    ("stages", "limits"),
    [
        (["ssbroyden"], []),
        (["ssbroyden", "polish"], [float("inf")]),
        (["adam", {"name": "polish", "max_time": 5}], [5]),
    ],
)
def test_a_polish_among_the_stages_is_done_within_its_time(stages, limits, heat_words, quick, tmp_path, monkeypatch):
    answers = Answers()
    monkeypatch.setattr(corrections, "FeatureAnswers", answers)
    settings = {**quick, "phases": None, "stages": stages, "trainer": {"max_steps": 2}}
    pinnkit.solve(Problem(**heat_words), tmp_path, settings | {"operators": {"engine": "autograd"}})
    assert answers.limits == limits
