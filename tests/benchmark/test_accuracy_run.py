"""One run of the accuracy benchmark: its row, its failures, and other frameworks."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest

from benchmark import accuracy, accuracy_run
from benchmark.accuracy_run import Run
from benchmark.peers.accuracy_timing import EVERY, TrainingTimer
from tests.benchmark.accuracy_rows import SCRIPTS
from tests.processes import completed

QUICK = ("trainer.max_steps=20", "network.width=6", "callbacks.figures=false", "logger=none", "operators=autograd")


def forked(line, folder, patience):
    """As `execute`, from a process that has imported torch."""
    return completed(*line[1:], cwd=folder.parent, timeout=patience).returncode


@pytest.fixture(scope="module")
def inverse(tmp_path_factory):
    """The row of a run of 20 steps."""
    run = Run("heat_inverse", "auto", 3, None, QUICK)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accuracy_run, "execute", forked)
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


def test_the_gradient_is_what_gradient_matching_is_judged_by(tmp_path, monkeypatch):
    monkeypatch.setattr(accuracy_run, "execute", forked)
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
