"""The method that method=auto stands for, and the methods side by side."""

import pytest

from pinnkit.language.errors import ProblemError
from pinnkit.problem.problem import Problem
from pinnkit.reporting.artifacts import RunFolder
from pinnkit.runs import corrections
from pinnkit.runs.methods import suits_features, with_method
from pinnkit.runs.pinn import PINN
from pinnkit.settings import Settings, read_settings
from tests.problem.test_shipped import shipped
from tests.runs.small import DECAY, WORDS, command, solved
from tests.runs.small_features import SOLVED, Answers


@pytest.mark.parametrize(
    ("name", "fits", "why"),
    [
        ("heat", True, "the equations are linear, in 2 coordinates"),
        ("wave", True, "linear"),
        ("lotka_volterra", True, "one coordinate"),
        ("burgers", False, "nonlinear"),
        ("poisson_5d", False, "there are 5 coordinates, and features do for 3 at most"),
    ],
)
def test_features_where_they_solve_with_certainty(name, fits, why):
    problem = shipped(name)
    found, reason = suits_features(problem, Settings())
    assert found is fits
    assert why in reason
    assert with_method(problem, Settings(method="auto")).method == ("features" if fits else "network")


def test_a_network_where_features_cannot():
    heat = shipped("heat")
    assert with_method(heat, Settings(method="auto", dtype="float32")).method == "network"
    assert with_method(heat, Settings(method="auto"), custom_network=True).method == "network"


def test_what_is_given_stays_and_the_log_says_where_features_would_do(caplog):
    with caplog.at_level("INFO", "pinnkit"):
        assert with_method(shipped("heat"), Settings()).method == "network"
        assert with_method(shipped("burgers"), Settings()).method == "network"
    (line,) = caplog.messages
    assert line == "method=features would solve this in seconds: the equations are linear, in 2 coordinates"


def test_of_auto_the_configuration_names_what_was_chosen(monkeypatch, tmp_path):
    monkeypatch.setattr(corrections, "FeatureAnswers", Answers())
    settings = {**SOLVED, "method": "auto", "network": {"width": 7}}
    assert solved(tmp_path, DECAY, settings).metrics["method"] == "features"
    assert "method: features" in RunFolder(tmp_path).read_config()


def test_methods_side_by_side(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(corrections, "FeatureAnswers", Answers())
    words = [*WORDS, "features.kind=sin", "features.range=4", "features.count=30", "method=compare"]
    assert command(tmp_path, *words, f"hydra.run.dir={tmp_path / 'out'}") == 0
    head, features, network, spectral, written = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["method", "error", "estimated"]
    assert features.split()[0] == "features"
    assert float(features.split()[1]) < 1e-10
    assert features.split()[2] == "2.000e-04"
    assert network.split()[:3:2] == ["network", "—"]
    assert spectral.split()[0] == "spectral"
    assert float(spectral.split()[1]) < 1e-6
    assert (tmp_path / "out" / "comparison.csv").is_file()
    assert str(tmp_path / "out" / "comparison.png") in written
    assert RunFolder(tmp_path / "out" / "network").read_metrics()["method"] == "network"


def test_a_comparison_is_no_run_to_go_on_with(tmp_path, capfd):
    assert command(tmp_path, "pde=decay", "method=compare", f"resume={tmp_path}") == 2
    with pytest.raises(ProblemError, match="compare is of the command line"):
        solved(tmp_path / "run", DECAY, {"method": "compare"})


def test_a_module_for_a_trainer_of_ones_own_trains_a_network():
    with pytest.raises(ProblemError, match="solve takes other methods"):
        PINN(Problem(**DECAY), {"method": "features"})


@pytest.mark.parametrize("given", [True, False, "true", "auto"])
def test_polish_is_a_word_or_a_truth_value(given):
    from pinnkit.language.errors import Report

    report = Report()
    assert read_settings({"polish": given}, report).polish == str(given).lower()
    assert report.mistakes == []
