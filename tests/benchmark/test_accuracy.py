"""The benchmark of accuracy: medians and targets, curves read from runs, rows of runs that fail, runs in pieces."""

import json
import math
import subprocess
import sys
import time

import numpy as np
import pytest

from benchmark import accuracy, accuracy_run
from benchmark.accuracy_figure import draw
from benchmark.accuracy_run import Run
from benchmark.accuracy_summary import against, missed, summary
from benchmark.accuracy_table import markdown
from benchmark.peers.accuracy_timing import EVERY, TrainingTimer
from benchmark.targets import TARGETS
from tests.conftest import ROOT

SCRIPTS = ROOT / "scripts"
QUICK = ("trainer.max_steps=20", "network.width=6", "callbacks.figures=false", "logger=none", "operators=autograd")


def made_up(problem="burgers", seed=0, seconds=180, error=None, curve=(), **more):
    """A row as a run leaves it; the error is the curve's last, where it is not given."""
    points = [list(point) for point in curve]
    row = {**Run(problem, "auto", seed, seconds).words(), "status": "finished", "reason": "the time is over"}
    row |= {"measured": "relative L2 of u", "error": points[-1][1] if points and error is None else error}
    row |= {"steps": 100 + seed, "evaluations": 250, "train_time_s": 180.0, "optimizers": ["adam", "ssbroyden"]}
    row |= {"curve": points, "versions": {"torch": "2"}, "machine": "1 CPU", "date": "2026-01-31", "commit": "abc"}
    return {**row, **more}


def test_the_targets_are_of_problems_that_are_shipped_and_all_of_these_have_one(conf):
    assert set(TARGETS) == {path.stem for path in (conf / "pde").glob("*.yaml")}
    for target in TARGETS.values():
        seconds = [goal.seconds for goal in target.goals]
        assert seconds == sorted(seconds)
        assert [goal.error for goal in target.goals] == sorted((goal.error for goal in target.goals), reverse=True)


def test_the_median_of_the_seeds_counts_and_its_time():
    curves = [[(t, e, 10)] for t, e in ((50.0, 4e-6), (30.0, 8e-6), (90.0, 2e-5))]
    (row,) = summary([made_up(seed=seed, curve=one) for seed, one in enumerate(curves)])
    assert (row["seconds"], row["seeds"], row["median"], row["worst"]) == (180, 3, 8e-6, 2e-5)
    assert row["met"] is True
    assert row["time_to_target"] == 50.0  # of 30, 50, never
    assert row["steps"] == 101
    assert row["optimizer"] == "auto: adam then ssbroyden"
    assert row["ended"] == "the time is over (3)"


def test_the_worst_seed_must_be_within_ten_times_the_median():
    errors = [1e-6, 1e-6, 1.1e-5]
    (row,) = summary([made_up(seed=seed, error=error) for seed, error in enumerate(errors)])
    assert (row["median"], row["met"]) == (1e-6, False)
    page = markdown({"commands": [], "rows": [made_up(seed=i, error=e) for i, e in enumerate(errors)]})
    assert "| 1e-05 | no: the worst is 11 times the median |" in page
    (row,) = summary([made_up(seed=seed, error=error) for seed, error in enumerate([1e-6, 1e-6, 0.9e-5])])
    assert row["met"] is True


def test_a_run_without_an_error_counts_as_infinite_and_its_reason_is_told():
    failed = made_up(seed=2, status="diverged", reason="training diverged at step 5", optimizers=[], steps=5)
    rows = [made_up(seed=0, error=1e-6), made_up(seed=1, error=2e-6), failed]
    (row,) = summary(rows)
    assert (row["median"], row["worst"], row["met"]) == (2e-6, math.inf, False)
    assert row["ended"] == "the time is over (2); training diverged at step 5 (1)"
    assert missed(rows)
    page = markdown({"commands": ["c"], "rows": rows})
    assert "| burgers | 180 s | auto | 2 | diverged |  | 5 | 250 | 180.0 | training diverged at step 5 | abc |" in page


def test_a_longer_run_tells_the_error_of_the_shorter_budget_unless_that_was_run_too():
    long = made_up(seconds=1200, curve=[(10, 1e-2, 1), (170, 2e-5, 50), (190, 9e-6, 60), (1200, 4e-7, 400)])
    short, full = summary([long])
    assert (short["seconds"], short["read_from"], short["median"], short["steps"]) == (180, 1200, 2e-5, 50)
    assert (short["met"], short["time_to_target"]) == (False, math.inf)
    assert (full["read_from"], full["median"], full["met"], full["time_to_target"]) == (None, 4e-7, True, 1200)
    assert "| 180 s of the 1200 s run |" in markdown({"commands": [], "rows": [long]})
    short, _ = summary([long, made_up(curve=[(100, 3e-6, 40)])])
    assert (short["read_from"], short["median"], short["met"]) == (None, 3e-6, True)


def test_a_budget_without_a_target_is_a_row_that_misses_none():
    rows = [made_up(seconds=5, error=0.5)]
    (row,) = summary(rows)
    assert (row["seconds"], row["target"], row["met"], row["time_to_target"]) == (5, None, None, None)
    assert not missed(rows)


def test_settings_and_optimizers_are_not_mixed():
    rows = [made_up(error=1e-6), made_up(error=1e-2, overrides=["seed=0"]), made_up(error=1.0, optimizer="adam")]
    assert sorted(row["median"] for row in summary(rows)) == [1e-6, 1e-2, 1.0]


def test_every_line_of_the_tables_has_as_many_cells_as_its_head():
    rows = [made_up(reason="a | b"), made_up(framework="jinns", optimizer="", curve=[(60, 1e-4, 9)])]
    lines = [line.replace("\\|", "") for line in markdown({"commands": [], "rows": rows}).splitlines()]
    tables, counts = 0, None
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if following.startswith("| ---"):
            counts, tables = line.count("|"), tables + 1
        if line.startswith("|"):
            assert line.count("|") == counts
    assert tables == 4


def test_the_share_of_jinns_time():
    theirs = [made_up(seed=s, framework="jinns", optimizer="", error=e) for s, e in enumerate([1e-5, 2e-5, 4e-5])]
    ours = [made_up(seed=s, curve=[(20 + s, 3e-5, 1), (90 + s, 2e-5, 2)]) for s in range(3)]
    (one,) = against([*theirs, *ours])
    assert (one["error"], one["time"], one["share"]) == (2e-5, 91, pytest.approx(91 / 180))
    page = markdown({"commands": [], "rows": [*theirs, *ours]})
    assert "| burgers | 2.00e-05 after 180 s | auto | 91.0 | 51% |" in page


def test_the_figure_has_a_line_for_each_run_a_colour_for_each_optimizer_and_the_targets():
    curve = [(1, 1e-1, 1), (10, 1e-3, 2)]
    rows = [made_up(seed=s, curve=curve) for s in (0, 1)] + [made_up(optimizer="adam", curve=curve), made_up()]
    axes = draw("burgers", rows).axes[0]
    lines = [line for line in axes.get_lines() if len(line.get_xdata()) == 2]
    assert [line.get_color() for line in lines[:3]].count(lines[0].get_color()) == 2
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["auto", "adam", "target"]
    np.testing.assert_allclose(lines[-1].get_xdata(), [180, 1200])
    assert draw("burgers", [made_up()]) is None


@pytest.fixture(scope="module")
def inverse(tmp_path_factory):
    """The row of a run of 20 steps."""
    run = Run("heat_inverse", "auto", 3, None, QUICK)
    return accuracy_run.train(run, SCRIPTS, tmp_path_factory.mktemp("run") / "a folder, with a comma")


def test_the_curve_of_a_run_is_that_of_the_learned_coefficient_and_ends_at_its_error(inverse):
    assert (inverse["status"], inverse["reason"], inverse["steps"]) == ("finished", "20 steps are done", 20)
    assert inverse["measured"] == "relative error of alpha"
    assert inverse["optimizers"] == ["adam", "ssbroyden"]
    times, errors, steps = zip(*inverse["curve"], strict=True)
    assert list(times) == sorted(times)
    assert 0 < times[0] < times[-1] <= inverse["train_time_s"]
    assert steps == (10, 20)
    assert errors[-1] == pytest.approx(inverse["error"], rel=1e-12)
    assert errors[0] != errors[-1]
    json.dumps(inverse, allow_nan=False)


def test_the_gradient_is_what_gradient_matching_is_judged_by(tmp_path):
    row = accuracy_run.train(Run("gradient_matching", "auto", 0, None, QUICK), SCRIPTS, tmp_path / "run")
    assert row["measured"] == "relative L2 of the gradient, 1000 new points"
    assert 0.1 < row["error"] < 10
    assert row["curve"] == []


def test_a_run_that_fails_is_a_row_with_its_reason(tmp_path):
    row = accuracy_run.train(Run("oscillator", "auto", 0, 5, ("network.width=0",)), SCRIPTS, tmp_path / "run")
    assert (row["status"], row["error"], row["curve"]) == ("failed", None, [])
    assert row["reason"] == "exit 2: pinnkit: network.width: 0: at least 1 is needed"


@pytest.mark.parametrize(
    ("metrics", "status", "reason"),
    [
        (
            {"status": "finished", "not_finite": ["relative_l2.u"], "relative_l2": {"u": None}},
            "not finite",
            "relative_l2.u",
        ),
        ({"status": "diverged", "reason": "training diverged at step 3"}, "diverged", "training diverged at step 3"),
    ],
)
def test_numbers_that_are_not_finite_and_divergence_are_told(tmp_path, metrics, status, reason):
    (tmp_path / "metrics.json").write_text(json.dumps(metrics))
    row = accuracy_run.outcome(Run("heat", "auto", 0, 60), tmp_path, 3 if status == "diverged" else 0)
    assert (row["status"], row["error"]) == (status, None)
    assert reason in row["reason"]


def _state(process: int) -> str:
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False)
    return shown.stdout.strip()[:1]


def test_a_run_that_hangs_is_ended_with_what_it_started(tmp_path, monkeypatch):
    monkeypatch.setattr(accuracy_run, "GRACE", 0.2)
    child = "import time; time.sleep(60)"
    parent = (
        "import signal, subprocess, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        f"one = subprocess.Popen([sys.executable, '-c', '{child}']); print(one.pid, flush=True); one.wait()"
    )
    began = time.perf_counter()
    assert accuracy_run.execute([sys.executable, "-c", parent], tmp_path, patience=2.0) is None
    assert time.perf_counter() - began < 10
    process = int((tmp_path / "stdout").read_text())
    deadline = time.monotonic() + 30  # a killed process ends when the machine comes to it
    while _state(process) not in ("", "Z") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _state(process) in ("", "Z")
    row = accuracy_run.outcome(Run("heat", "auto", 0, 60), tmp_path, None)
    assert (row["status"], row["reason"], row["error"]) == ("hung", "no end after 360 s", None)


def test_the_lines_of_another_framework_are_read(tmp_path):
    (tmp_path / "peer.py").write_text(
        "import json, sys\n"
        "print('chatter')\n"
        "print(json.dumps({'versions': {'peer': '1'}}))\n"
        "for time, error in ((1, 0.5), (2, float(sys.argv[6]) / 10)):\n"
        "    print(json.dumps({'time': time, 'error': error, 'step': 10 * time}))\n"
    )
    run = Run("heat", "", 3, 2, framework="jinns")
    row = accuracy_run.train_peer(run, sys.executable, "peer", tmp_path, tmp_path / "data.npz", tmp_path / "run")
    assert row["curve"] == [[1, 0.5, 10], [2, 0.3, 20]]
    assert (row["error"], row["steps"], row["reason"], row["versions"]) == (
        0.3,
        20,
        "2 s of training are over",
        {"peer": "1"},
    )
    (tmp_path / "peer.py").write_text("raise ImportError('there is no such framework')")
    row = accuracy_run.train_peer(run, sys.executable, "peer", tmp_path, tmp_path / "data.npz", tmp_path / "run")
    assert (row["status"], row["error"]) == ("failed", None)
    assert row["reason"] == "exit 1: ImportError: there is no such framework"


def test_the_peers_are_measured_where_pinnkit_is(conf, tmp_path):
    accuracy.save_reference("heat", conf, tmp_path / "some" / "heat.npz")
    with np.load(tmp_path / "some" / "heat.npz") as file:
        (x, t), u = file["points"].T, file["u"][:, 0]
    assert len(u) == 201 * 201
    np.testing.assert_allclose(u, np.exp(-0.1 * np.pi**2 * t) * np.sin(np.pi * x), atol=1e-14)


def test_the_watch_stands_still_while_the_error_is_measured(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    timer = TrainingTimer(seconds=5.0)

    def measure():
        now[0] += 100.0
        return 0.25

    for step in range(1, 6):
        now[0] += 1.0
        timer.look(step, measure)
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert EVERY == 2.0
    assert told == [{"time": float(t), "error": 0.25, "step": t} for t in (2, 4, 5)]
    assert timer.over


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
    assert {run.problem for run in performed} == {path.stem for path in (conf / "pde").glob("*.yaml")}
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
