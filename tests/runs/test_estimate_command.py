"""`pinnkit evaluate RUN estimate=true`: the estimated error of runs that have ended."""

import json

import numpy as np
import pytest

import pinnkit
from pinnkit.cli.evaluate import evaluate
from pinnkit.runs import corrections
from tests.runs.small import QUICK, command, solved
from tests.runs.small_features import SOLVED, Answers

T = np.linspace(0.0, 1.0, 5)


@pytest.fixture
def without_estimate(monkeypatch):
    """Runs of which no error was estimated."""

    def solve(folder, settings):
        with monkeypatch.context() as patch:
            patch.setattr(corrections, "FeatureAnswers", Answers(unready="it was left out"))
            solution = solved(folder, settings=settings)
        assert solution.estimated_error == {"u": None}
        return solution

    return solve


def estimated(folder):
    assert evaluate([str(folder), "estimate=true"]) == 0
    return json.loads((folder / "evaluation" / "metrics.json").read_text())


@pytest.mark.parametrize(
    "settings", [QUICK, {**SOLVED, "features": {"kind": "tanh", "range": 2.0, "count": 5}}], ids=["network", "features"]
)
def test_the_estimate_of_an_ended_run_is_its_error(settings, without_estimate, tmp_path, capsys):
    before = without_estimate(tmp_path / "run", {**settings, "polish": False})
    metrics = estimated(tmp_path / "run")
    true = before.metrics["relative_l2"]["u"]
    assert true > 1e-12
    assert true / 2 < metrics["estimated_error"]["u"] < 2 * true
    assert f"estimated error of u: {metrics['estimated_error']['u']:.1e}" in capsys.readouterr().out
    assert np.array_equal(pinnkit.load(tmp_path / "run")(t=T)["u"], before(t=T)["u"])
    assert (tmp_path / "run" / "evaluation" / "figures" / "estimated_error_u.png").exists()
    kept = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert kept["estimated_error"] == {"u": None}  # the run's own stays


def test_what_cannot_be_estimated_is_said(without_estimate, tmp_path, capsys):
    slabs = {**SOLVED, "features": {"kind": "sin", "range": 2.0, "count": 10, "windows": 2}}
    without_estimate(tmp_path / "run", slabs)
    metrics = estimated(tmp_path / "run")
    assert metrics["estimated_error"] == {"u": None}
    assert "of slabs of time it is estimated at the end of their run alone" in " ".join(capsys.readouterr().out.split())


def test_a_mistake_in_it_is_said(tmp_path, capsys):
    assert evaluate([str(tmp_path), "estimate=often"]) == 2
    assert "estimate: 'often'" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["network=features"], ["optimizer=least_squares"]])
def test_what_users_guess_names_the_method(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert command(tmp_path, "pde=decay", *words) == 2
    assert "write method=features in its place" in capsys.readouterr().err
