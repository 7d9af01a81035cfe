"""The command of the accuracy benchmark: what it runs, keeps and writes."""

import json

import pytest

from benchmark import accuracy
from benchmark.targets import TARGETS
from pinnkit.runs.shipped import problems
from tests.benchmark.accuracy_rows import SCRIPTS, made_up


@pytest.fixture
def performed(monkeypatch):
    """Nothing is trained; gives the runs that would have been."""
    found = []

    def perform(run, *_):
        found.append(run)
        return {**made_up(), **run.words(), "curve": [[1.0, 1e-3, 5]], "error": 1e-12}

    monkeypatch.setattr(accuracy, "perform", perform)
    monkeypatch.setattr(accuracy, "code", lambda root, *paths: "abc")
    return found


def test_what_is_there_is_not_run_again_and_the_page_has_all(performed, tmp_path, monkeypatch, capsys):
    words = ["--out", str(tmp_path), "--append", "--problems"]
    assert accuracy.benchmark([*words, "oscillator"], SCRIPTS) == 0
    assert accuracy.benchmark([*words, "oscillator", "wave", "--seeds", "0", "1"], SCRIPTS) == 0
    assert [(run.problem, run.seed) for run in performed] == [
        ("oscillator", 0), ("oscillator", 1), ("wave", 0), ("wave", 1),
    ]  # fmt: skip
    assert "oscillator, auto, seed 0, 30 s: is there already" in capsys.readouterr().out
    report = json.loads((tmp_path / "accuracy.json").read_text())
    assert len(report["rows"]) == 4
    assert len(report["commands"]) == 2
    page = (tmp_path / "accuracy.md").read_text()
    assert str(tmp_path) not in page
    assert "| yes, of 3 seeds 2 |" in page
    assert {path.name for path in tmp_path.glob("*.png")} == {"accuracy_oscillator.png", "accuracy_wave.png"}

    monkeypatch.setattr(accuracy, "code", lambda root, *paths: "new")
    accuracy.benchmark([*words, "oscillator"], SCRIPTS)
    rows = json.loads((tmp_path / "accuracy.json").read_text())["rows"]
    assert sorted((row["problem"], row["seed"], row["commit"]) for row in rows) == [
        ("oscillator", 0, "new"), ("oscillator", 1, "abc"), ("wave", 0, "abc"), ("wave", 1, "abc"),
    ]  # fmt: skip


def test_budgets_seeds_and_peers(performed, tmp_path):
    words = ["--out", str(tmp_path), "network.width=40", "--problems", "burgers", "advection", "--long", "--peers"]
    accuracy.benchmark(words, SCRIPTS)
    ours = [run for run in performed if run.framework == "pinnkit"]
    assert [(run.problem, run.seed, run.seconds) for run in ours] == [
        ("burgers", 0, 1200), ("burgers", 1, 1200), ("burgers", 2, 1200), ("advection", 0, None),
    ]  # fmt: skip
    assert {run.overrides for run in ours} == {("network.width=40",)}
    peers = [run for run in performed if run.framework != "pinnkit"]
    assert {(run.problem, run.framework, run.seconds) for run in peers} == {
        ("burgers", "DeepXDE", 180), ("burgers", "jinns", 180),
    }  # fmt: skip
    assert "## Beside other frameworks" in (tmp_path / "accuracy.md").read_text()


def test_a_missed_target_is_the_exit_code(performed, tmp_path, monkeypatch):
    monkeypatch.setattr(accuracy, "perform", lambda run, *_: {**made_up(error=1.0), **run.words()})
    assert accuracy.benchmark(["--out", str(tmp_path), "--problems", "advection"], SCRIPTS) == 1
    assert "| advection | relative L2 of u | default |" in (tmp_path / "accuracy.md").read_text()


def test_robustness_runs_every_shipped_problem_at_least_twenty_times_in_all(performed, tmp_path, conf, monkeypatch):
    assert accuracy.benchmark(["--robustness", "--out", str(tmp_path)], SCRIPTS) == 0
    assert {run.problem for run in performed} == set(problems())
    assert {run.seconds for run in performed} == {20}
    assert len({(run.problem, run.seed) for run in performed}) == len(performed) >= 20
    assert f"{len(performed)} runs: {len(performed)} finished." in (tmp_path / "robustness.md").read_text()
    hung = {"status": "hung", "reason": "no end after 320 s", "error": None}
    monkeypatch.setattr(accuracy, "perform", lambda run, *_: {**made_up(), **run.words(), **hung})
    assert accuracy.benchmark(["--robustness", "--problems", "heat", "--out", str(tmp_path)], SCRIPTS) == 1
    assert "| hung |" in (tmp_path / "robustness.md").read_text()


def test_the_command_hides_the_places_of_this_machine():
    words = ["--peers-python", "/home/me/python", "--jinns-python=/home/me/python", "--out", "/home", "network.width=4"]
    assert accuracy.shown(words) == (
        "python scripts/benchmark_accuracy.py --peers-python PYTHON --jinns-python=PYTHON --out FOLDER network.width=4"
    )


def test_the_code_is_a_commit_or_pinnkits_version(tmp_path):
    assert accuracy.code(tmp_path, "pinnkit") == "0.1.0"


def test_an_unknown_problem_is_told_with_the_known_ones(capsys):
    with pytest.raises(SystemExit):
        accuracy.benchmark(["--problems", "haet"], SCRIPTS)
    assert "there is no problem 'haet': choose of advection, allen_cahn" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, target in TARGETS.items() if target.short.seconds is None])
def test_the_defaults_reach_the_limit(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert accuracy.benchmark(["--problems", name, "--out", str(tmp_path)], SCRIPTS) == 0
