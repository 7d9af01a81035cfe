"""Runs that are resumed, interrupted, swept or fail."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

import pinnkit
from pinnkit.language.errors import ProblemError, Report
from pinnkit.problem.problem import Problem
from pinnkit.runs.load import restore
from pinnkit.settings import read_settings
from pinnkit.training.checkpoint_reader import DamagedCheckpoint, check_fits
from tests.processes import Command, completed
from tests.runs.whole_runs import SMALL, rows_of

ROOT = Path(__file__).resolve().parents[2]


def test_resuming_a_run_that_is_done_changes_nothing(heat_words, quick, tmp_path):
    first = pinnkit.solve(Problem(**heat_words), tmp_path, quick).metrics
    again = pinnkit.solve(Problem(**heat_words), tmp_path, quick, resume=True).metrics
    for key in ("steps", "evaluations", "loss", "relative_l2"):
        assert first[key] == again[key]


def test_a_checkpoint_of_other_networks_is_refused_in_words(heat_words, quick, tmp_path):
    pinnkit.solve(Problem(**heat_words), tmp_path, quick)
    other = {**quick, "network": {**quick["network"], "width": 9}}
    told = r"last\.ckpt: holds other networks or parameters than this problem and these settings make"
    with pytest.raises(ProblemError, match=r"network.width: is 9, but 8 in .*last\.ckpt"):
        pinnkit.solve(Problem(**heat_words), tmp_path, other, resume=True)
    network = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
    with pytest.raises(ProblemError, match=r"custom_network: is 'Sequential', but None in .*last\.ckpt"):
        pinnkit.solve(Problem(**heat_words), tmp_path, quick, network=network, resume=True)
    last = tmp_path / "checkpoints" / "last.ckpt"
    with pytest.raises(DamagedCheckpoint, match=told):
        restore(Problem(**heat_words), read_settings(other, Report()), last)
    module = restore(Problem(**heat_words), read_settings(quick, Report()), last).module
    for strange in (1, {}, dict.fromkeys(module.state_dict(), 1)):
        with pytest.raises(DamagedCheckpoint, match=told):
            check_fits(last, {"state_dict": strange}, module)


def weights_of(folder):
    return torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]


@pytest.mark.parametrize("stop", [13, 37, 50])
def test_resuming_ends_where_the_whole_run_ends_to_the_bit(stop, heat_words, quick, tmp_path):
    """Stops in Adam, within a draw by residual, and where a draw ends."""
    whole = pinnkit.solve(Problem(**heat_words), tmp_path / "whole", quick)
    first = {**quick, "trainer": {"max_steps": stop}}
    pinnkit.solve(Problem(**heat_words), tmp_path / "parts", first)
    parts = pinnkit.solve(Problem(**heat_words), tmp_path / "parts", quick, resume=True)
    assert parts.metrics["steps"] == whole.metrics["steps"] == 60
    assert parts.metrics["evaluations"] == whole.metrics["evaluations"]
    expected, found = weights_of(tmp_path / "whole"), weights_of(tmp_path / "parts")
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        assert torch.equal(value, found[name]), name
    assert parts.metrics["relative_l2"] == whole.metrics["relative_l2"]


def test_resuming_by_the_command_line_goes_on_in_the_same_folder(tmp_path):
    first = completed("train.py", "pde=heat", *SMALL, "trainer.max_steps=30", "hydra.run.dir=out", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    other = completed("train.py", "resume=out", "network.width=9", cwd=tmp_path)
    assert other.returncode == 2
    assert "network.width: is 8 in the run that goes on" in other.stderr
    more = completed("train.py", "resume=out", "trainer.max_steps=60", cwd=tmp_path)
    assert more.returncode == 0, more.stderr
    whole = completed("train.py", "pde=heat", *SMALL, "trainer.max_steps=60", "hydra.run.dir=whole", cwd=tmp_path)
    assert whole.returncode == 0
    metrics = [json.loads((tmp_path / name / "metrics.json").read_text()) for name in ("out", "whole")]
    assert metrics[0]["relative_l2"] == metrics[1]["relative_l2"]
    assert metrics[0]["steps"] == 60
    nowhere = completed("train.py", "resume=nowhere", cwd=tmp_path)
    assert nowhere.returncode == 2
    assert "Traceback" not in nowhere.stderr


def test_ctrl_c_ends_a_sweep_with_a_row_for_each_run_that_had_begun(tmp_path):
    words = [*SMALL, "trainer.max_time=100", "hydra.sweep.dir=sweep", "seed=0,1,2"]
    process = Command("train.py", "-m", "pde=heat", *words, cwd=tmp_path)
    checkpoint = tmp_path / "sweep" / "0" / "checkpoints" / "last.ckpt"
    while not checkpoint.exists():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 130, told
    assert "Traceback" not in told
    rows = rows_of(tmp_path / "sweep" / "summary.csv")
    assert [(row["run"], row["status"]) for row in rows] == [("0", "interrupted")]
    assert not (tmp_path / "sweep" / "1").exists()


def test_an_error_that_nobody_foresaw_is_a_row_and_the_sweep_goes_on(tmp_path):
    script = """
import sys
from pathlib import Path
from pinnkit.cli import train_and_measure
from pinnkit.cli.train import train
real = train_and_measure.run
def broken(problem, settings, *others):
    if settings.seed == 0:
        raise KeyError("unforeseen")
    return real(problem, settings, *others)
train_and_measure.run = broken
sys.exit(train(sys.argv[2:], Path(sys.argv[1])))
"""
    words = ["-m", "pde=heat", *SMALL, "trainer.max_steps=25", "hydra.sweep.dir=sweep", "seed=0,1"]
    line = [sys.executable, "-c", script, str(ROOT / "conf"), *words]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 1, done.stderr
    rows = {row["run"]: row for row in rows_of(tmp_path / "sweep" / "summary.csv")}
    assert rows["0"]["status"] == "failed"
    assert rows["0"]["reason"] == "KeyError: 'unforeseen'"
    assert rows["1"]["status"] == "finished"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_writes_its_checkpoint_and_goes_on(number, tmp_path):
    words = ["pde=heat", *SMALL, "trainer.max_time=300", "hydra.run.dir=out"]
    process = Command("train.py", *words, cwd=tmp_path)
    log = tmp_path / "out" / "train.log"
    deadline = time.monotonic() + 120
    while not (log.exists() and "ssbroyden follows" in log.read_text()) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(number)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["status"] == "interrupted"
    assert signal.Signals(number).name in metrics["reason"]
    checkpoint = torch.load(tmp_path / "out" / "checkpoints" / "last.ckpt", weights_only=True)
    assert checkpoint["progress"]["step"] == metrics["steps"] >= 20
    more = completed(
        "train.py", "resume=out", "trainer.max_time=null", f"trainer.max_steps={metrics['steps'] + 5}", cwd=tmp_path
    )
    assert more.returncode == 0, more.stderr
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["steps"] == metrics["steps"] + 5


def test_a_sweep_leaves_a_folder_a_run_and_a_summary(tmp_path):
    done = completed(
        "train.py", "-m", "pde=heat,oscillator", "network.width=5,8", "trainer.max_steps=15", "hydra.sweep.dir=sweep",
        "callbacks=quiet", "callbacks.figures=false", "logger=none", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = rows_of(tmp_path / "sweep" / "summary.csv")
    assert {(row["pde"], row["network.width"]) for row in rows} == {
        ("heat", "5"), ("heat", "8"), ("oscillator", "5"), ("oscillator", "8"),
    }  # fmt: skip
    assert sorted(path.name for path in (tmp_path / "sweep").iterdir() if path.is_dir()) == ["0", "1", "2", "3"]
    errors = [float(row["relative_l2.u"]) for row in rows]
    assert errors == sorted(errors)
    assert {row["status"] for row in rows} == {"finished"}


def test_a_run_that_diverges_exits_with_3_and_names_the_term(tmp_path):
    problem = tmp_path / "pde" / "bad.yaml"
    problem.parent.mkdir()
    problem.write_text(
        "coordinates: {x: [0, 1]}\nfields: [u]\nequations: {steep: u_xx = log(u - 9)}\n"
        "conditions: {ends: {at: boundary, equations: u = 0}}\n"
    )
    done = completed("train.py", "--config-dir", str(tmp_path), "pde=bad", *SMALL, "hydra.run.dir=out", cwd=tmp_path)
    assert done.returncode == 3
    assert "the term 'steep' is nan at x = 0." in done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["status"] == "diverged"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["optimizer=ssbroyden", "optimizer.max_parameters=10"], "optimizer.max_parameters: 10, but 105 parameters"),
        (
            ["phases=[{name: adam, steps: 2}, {name: gauss_newton, max_parameters: 104}]"],
            "phases[2].max_parameters: 104, but 105 parameters are trained, and gauss_newton keeps matrices of 105",
        ),
        (["optimizer=spring", "optimizer.max_bytes=10"], "spring would keep J, 140 x 105"),
    ],
)
def test_matrices_beyond_their_limit_end_the_run_with_2(words, message, tmp_path):
    settings = [one for one in SMALL if not one.startswith("phases")]
    done = completed("train.py", "pde=heat", *settings, *words, "hydra.run.dir=out", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    if "max_bytes" in words[-1]:
        metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
        assert metrics["status"] == "failed"
        assert "and max_bytes = 10: draw fewer points" in metrics["reason"]
