"""Sweeps: values, failures, pruning, several workers, and what is left after SIGKILL."""

import csv
import json
import signal
import time
from pathlib import Path

import psutil

from tests.processes import Command, completed

ROOT = Path(__file__).resolve().parents[2]
DRIVER = """
import sys
from pathlib import Path
from pinnkit.cli.sweep import sweep
sys.exit(sweep(sys.argv[2:], Path("{conf}"), sys.argv[1:2]))
"""
STAND_IN = """
import json, os, signal, sys, time
from pathlib import Path

words = dict(word.split("=", 1) for word in sys.argv[1:])
folder = Path((words.get("resume") or words["hydra.run.dir"]).strip("'"))
number, width = int(folder.name), int(words["network.width"])


def measured(step, error):
    row = {"step": step, "time_s": 0.01 * step, "objective": 1.0, "errors": {"u": error, "v": error / 2}}
    with (folder / "history.jsonl").open("a") as file:
        file.write(json.dumps(row) + chr(10))


def stopped(*_):
    (folder / "checkpoints").mkdir(exist_ok=True)
    (folder / "checkpoints" / "last.ckpt").touch()
    sys.exit(130)


signal.signal(signal.SIGTERM, stopped)
with (folder / "attempts.jsonl").open("a") as file:
    kind = "resumed" if "resume" in words else "new"
    file.write(json.dumps({"kind": kind, "width": width, "pid": os.getpid()}) + chr(10))
"""
RISING = """
if width % 4 == 1:
    print("a warning", file=sys.stderr)
    print("pinnkit: optimizer.max_parameters: 10, but 105 parameters are trained", file=sys.stderr)
    sys.exit(2)
if width % 4 == 3:
    measured(100, 1e-9)
    (folder / "metrics.json").write_text('{"status": "diverged", "reason": "the term heat is nan"}')
    sys.exit(3)
for step, error in ((100, 1.0), (200, 1.0 / width), (300, 7.0)):
    measured(step, error)
"""
BAD_AFTER_FIVE = """
if number < 5:
    for step in range(100, 2001, 100):
        measured(step, 0.1)
else:
    for step in range(100, 100000, 100):
        measured(step, 0.5)
        time.sleep(0.1)
    sys.exit(9)
"""
SLOW = """
for step in range(100, 1001, 100):
    measured(step, 1.0 / (width + step))
    time.sleep(0.1)
(folder / "checkpoints").mkdir(exist_ok=True)  # as a run has it that ends just before the sweep is killed
(folder / "checkpoints" / "last.ckpt").touch()
"""


class Sweep:
    """A sweep over a stand-in for train.py, in a process of its own."""

    def __init__(self, folder, body, *words):
        self.folder = folder / "sweep"
        (folder / "stand_in.py").write_text(STAND_IN + body)
        (folder / "driver.py").write_text(DRIVER.format(conf=ROOT / "conf"))
        self.line = [
            str(folder / "driver.py"), str(folder / "stand_in.py"), f"sweep.folder={self.folder}",
            "pde=oscillator", "trainer.max_steps=2000", "network.width=range(4,40)", "sweep.prune=false", *words,
        ]  # fmt: skip

    def start(self, *words):
        return Command(*self.line, *words, cwd=self.folder.parent)

    def run(self, *words, code=0):
        process = self.start(*words)
        try:
            out, errors = process.communicate(timeout=120)
        finally:
            process.kill()
        assert process.returncode == code, errors
        assert "Traceback" not in errors
        return out + errors

    def rows(self):
        path = self.folder / "summary.csv"
        return list(csv.DictReader(path.read_text().splitlines())) if path.exists() else []

    def attempts(self, number):
        path = self.folder / "trials" / f"{number:04d}" / "attempts.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def wait_for_rows(self, count):
        until(lambda: sum(row["state"] == "complete" for row in self.rows()) >= count)


def until(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_trial_is_worth_its_best_value_and_a_failed_one_is_a_row(tmp_path):
    sweep = Sweep(tmp_path, RISING, "sweep.trials=12", "sweep.workers=3")
    told = sweep.run()
    rows = sweep.rows()
    assert sorted(int(row["number"]) for row in rows) == list(range(12))
    complete = [row for row in rows if row["state"] == "complete"]
    failed = [row for row in rows if row["state"] == "failed"]
    assert rows == complete + failed
    assert len(complete) >= 2
    for row in complete:
        assert float(row["value"]) == 1.0 / int(row["network.width"])
    assert [float(row["value"]) for row in complete] == sorted(float(row["value"]) for row in complete)
    reasons = {1: "exit code 2: pinnkit: optimizer.max_parameters: 10, but", 3: "diverged: the term heat is nan"}
    assert {int(row["network.width"]) % 4 for row in failed} == {1, 3}
    for row in failed:
        assert row["reason"].startswith(reasons[int(row["network.width"]) % 4])
        assert row["value"] == ""
    assert f"in trial {complete[0]['number']}:" in told
    width = complete[0]["network.width"]
    assert f"python scripts/train.py pde=oscillator trainer.max_steps=2000 network.width={width}\n" in told
    assert {row["run"] for row in rows} == {f"trials/{number:04d}" for number in range(12)}


def test_a_run_above_the_median_is_stopped(tmp_path):
    sweep = Sweep(tmp_path, BAD_AFTER_FIVE, "sweep.trials=7", "sweep.prune=true")
    sweep.run()
    rows = {int(row["number"]): row for row in sweep.rows()}
    assert [rows[number]["state"] for number in range(7)] == ["complete"] * 5 + ["pruned"] * 2
    for number in (5, 6):
        folder = sweep.folder / "trials" / f"{number:04d}"
        assert (folder / "checkpoints" / "last.ckpt").exists()  # it was asked to end, not killed
        steps = [json.loads(line)["step"] for line in (folder / "history.jsonl").read_text().splitlines()]
        assert 400 <= max(steps) < 2000  # after a fifth of the budget, and long before its end
        assert float(rows[number]["value"]) == 0.5
        assert not psutil.pid_exists(sweep.attempts(number)[0]["pid"])


def test_after_sigkill_the_same_command_comes_to_as_many_results_none_twice(tmp_path):
    sweep = Sweep(tmp_path, SLOW, "sweep.trials=8", "sweep.workers=2")
    first = sweep.start()
    sweep.wait_for_rows(3)
    until(lambda: sum(bool(sweep.attempts(number)) for number in range(8)) >= 5)
    first.kill()
    first.communicate()
    begun = [number for number in range(8) if sweep.attempts(number)]
    until(lambda: not any(psutil.pid_exists(sweep.attempts(number)[0]["pid"]) for number in begun), 20)
    done = {int(row["number"]) for row in sweep.rows()} - {
        int(row["number"]) for row in sweep.rows() if row["state"] == "open"
    }
    assert len(done) < 8
    sweep.run()
    rows = sweep.rows()
    assert sorted(int(row["number"]) for row in rows) == list(range(8))
    assert {row["state"] for row in rows} == {"complete"}
    taken_up = []
    for row in rows:
        attempts = sweep.attempts(int(row["number"]))
        assert {one["width"] for one in attempts} == {int(row["network.width"])}
        if int(row["number"]) in done:
            assert len(attempts) == 1
        if len(attempts) > 1:
            taken_up.append([one["kind"] for one in attempts])
    assert taken_up
    assert all(kinds == ["new", "resumed"] for kinds in taken_up)
    table = (sweep.folder / "summary.csv").read_text()
    sweep.run()  # all the results are there
    assert (sweep.folder / "summary.csv").read_text() == table
    assert len({row["network.width"] for row in rows}) > 2  # the restarted sampler did not repeat its first draws


def test_an_interrupted_sweep_stops_its_runs_and_goes_on(tmp_path):
    sweep = Sweep(tmp_path, SLOW, "sweep.trials=2")
    process = sweep.start()
    until(lambda: (sweep.folder / "trials" / "0000" / "history.jsonl").exists())
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "the same command goes on" in errors
    assert not psutil.pid_exists(sweep.attempts(0)[0]["pid"])
    assert [row["state"] for row in sweep.rows()] == ["open"]
    sweep.run()
    assert [one["kind"] for one in sweep.attempts(0)] == ["new", "resumed"]
    assert [row["state"] for row in sweep.rows()] == ["complete"] * 2


def test_two_sweeps_of_one_folder_share_its_trials(tmp_path):
    sweep = Sweep(tmp_path, SLOW, "sweep.trials=6")
    both = [sweep.start(), sweep.start()]
    outs = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], outs
    assert sorted(int(row["number"]) for row in sweep.rows()) == list(range(6))
    assert all(len(sweep.attempts(number)) == 1 for number in range(6))
    assert all(1 <= out.count(": complete") <= 5 for out, _ in outs)


def test_a_sweep_of_other_words_is_refused(tmp_path):
    sweep = Sweep(tmp_path, "measured(100, 0.5)", "sweep.trials=1")
    sweep.run("seed=4")
    told = sweep.run("seed=5", code=2)
    assert "holds a sweep with different words: seed=4, seed=5; name another folder" in told
    other = sweep.run("seed=4", "network.depth=1,2", code=2)
    assert "holds a sweep with different space: network.depth=choice(1,2); name another folder" in other


def test_a_sweep_over_real_runs(tmp_path):
    line = [
        "sweep.py", "sweep.folder=sweep", "sweep.trials=3", "sweep.workers=2", "callbacks.figures=false",
        "pde=oscillator", "trainer.max_steps=30", "callbacks.evaluate_every=10", "logger=none", "operators=autograd",
        "optimizer=ssbroyden", "network.depth=1", "sampling.equations=40", "network.width=range(3,9)",
        "optimizer.max_parameters=choice(10,1000)",
    ]  # fmt: skip
    done = completed(*line, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, timeout=600)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader((tmp_path / "sweep" / "summary.csv").read_text().splitlines()))
    assert len(rows) == 3
    assert {row["optimizer.max_parameters"] for row in rows} == {"10", "1000"}
    for row in rows:
        folder = tmp_path / "sweep" / row["run"]
        if row["optimizer.max_parameters"] == "10":
            assert row["state"] == "failed"
            assert "exit code 2: pinnkit: optimizer.max_parameters: 10, but" in row["reason"]
        else:
            history = [json.loads(text) for text in (folder / "history.jsonl").read_text().splitlines()]
            assert [one["step"] for one in history] == [10, 20, 30]
            assert float(row["value"]) == min(one["errors"]["u"] for one in history)
            words = json.loads((folder / "metrics.json").read_text())["overrides"]
            assert f"network.width={row['network.width']}" in words
