"""Whole runs: the run folder to the letter, resuming to the bit, interruption, sweeps, evaluation."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import pinnkit
from pinnkit.language.errors import ProblemError, Report
from pinnkit.losses.view import ResidualError
from pinnkit.problem.problem import Problem
from pinnkit.reading import config_of
from pinnkit.runs.load import restore
from pinnkit.runs.validation import read_and_check
from pinnkit.settings import read_settings
from pinnkit.training import callbacks
from pinnkit.training.checkpoint_reader import DamagedCheckpoint, check_fits
from pinnkit.training.module import PINN
from tests.processes import Command, completed

ROOT = Path(__file__).resolve().parents[2]
SMALL = [
    "network.width=8",
    "network.depth=2",
    "sampling.equations=100",
    "sampling.conditions=20",
    "sampling.redraw_every=25",
    "phases=[{name: adam, steps: 20}, ssbroyden]",
    "callbacks=quiet",
]


def rows_of(path):
    return list(csv.DictReader(path.read_text().splitlines()))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """One small run of the heat equation by the command line, with everything that it leaves behind."""
    folder = tmp_path_factory.mktemp("run")
    done = completed("train.py", "pde=heat", *SMALL, "trainer.max_steps=60", "hydra.run.dir=out", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "out"


def test_the_run_folder_holds_what_the_design_says(run):
    for name in (
        "config.yaml",
        "metrics.json",
        "solution.npz",
        "train.log",
        "checkpoints/last.ckpt",
        "checkpoints/best.ckpt",
    ):
        assert (run / name).is_file(), name
    figures = {path.stem for path in (run / "figures").glob("*.png")}
    assert figures == {"solution_u", "reference_u", "error_u", "slices_u", "residual_heat", "loss_history", "points"}
    assert not list(run.rglob("*.tmp"))
    assert {path.name for path in run.iterdir()} == {
        "config.yaml", "metrics.json", "solution.npz", "figures", "checkpoints", "tensorboard", "train.log",
        "history.jsonl", ".pinnkit", ".pinnkit.lock",
    }  # fmt: skip
    log = (run / "train.log").read_text()
    assert "adam ended: its 20 steps are done; ssbroyden follows" in log
    assert "relative L2 error of u" in log
    parameters = json.loads((run / "metrics.json").read_text())["parameters"]
    assert f"network: 2 hidden layers of 8, tanh; {parameters} parameters are trained" in log


def test_metrics_are_those_of_the_solution(run):
    metrics = json.loads((run / "metrics.json").read_text())
    solution = np.load(run / "solution.npz")
    assert set(solution.files) == {"x", "t", "u", "u_reference"}
    exact = np.exp(-0.1 * np.pi**2 * solution["t"]) * np.sin(np.pi * solution["x"])
    np.testing.assert_allclose(solution["u_reference"], exact, atol=1e-14)
    error = np.linalg.norm(solution["u"] - exact) / np.linalg.norm(exact)
    assert metrics["relative_l2"]["u"] == pytest.approx(error, rel=1e-10)
    assert metrics["max_error"]["u"] == pytest.approx(np.abs(solution["u"] - exact).max(), rel=1e-10)
    assert metrics["relative_l2"]["u"] < 0.1
    assert metrics["residual_rms"]["heat"] > 0
    assert (metrics["status"], metrics["steps"], metrics["seed"], metrics["parameters"]) == ("finished", 60, 0, 105)
    assert metrics["evaluations"] >= 60
    assert 0 < metrics["train_time_s"] < metrics["wall_time_s"]
    assert {"python", "torch", "lightning", "pinnkit"} <= set(metrics["versions"])
    assert metrics["learned"] == {}
    assert "network.width=8" in metrics["overrides"]
    assert metrics["device"].startswith("cpu")


def test_tensorboard_holds_scalars_and_figures(run):
    events = EventAccumulator(str(run / "tensorboard"), size_guidance={"images": 0, "scalars": 0})
    events.Reload()
    tags = events.Tags()
    assert {
        "loss/heat", "loss/initial", "loss/ends", "loss/objective", "weight/heat", "error/u", "phase",
        "optimizer/learning_rate", "optimizer/step_length", "points_per_second",
    } <= set(tags["scalars"])  # fmt: skip
    assert {"figures/solution_u", "figures/error_u", "figures/loss_history"} <= set(tags["images"])
    losses, magnitudes = events.Scalars("loss/objective"), events.Scalars("log10_loss/objective")
    for loss, magnitude in zip(losses, magnitudes, strict=True):
        assert magnitude.value == pytest.approx(np.log10(loss.value), rel=1e-5)
    assert [one.step for one in events.Scalars("loss/objective")] == [10, 20, 25, 35, 45, 50, 60]


def test_the_saved_configuration_repeats_the_run(run, tmp_path):
    done = completed(
        "train.py", "--config-dir", str(run), "--config-name", "config", "hydra.run.dir=again", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    first, second = (json.loads((folder / "metrics.json").read_text()) for folder in (run, tmp_path / "again"))
    for key in ("relative_l2", "loss", "steps", "evaluations"):
        assert first[key] == second[key]
    kept, again = (yaml.safe_load((folder / "config.yaml").read_text()) for folder in (run, tmp_path / "again"))
    assert kept == again


def test_evaluate_reads_the_run_back(run, tmp_path):
    done = completed("evaluate.py", f"run={run}", "grid=31", "export=csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "relative L2 error of u" in done.stdout
    solution = np.load(run / "evaluation" / "solution.npz")
    assert solution["u"].shape == (31, 31)
    training = np.load(run / "solution.npz")
    np.testing.assert_allclose(solution["u"][0, 0], training["u"][0, 0], rtol=1e-12)
    rows = rows_of(run / "evaluation" / "solution.csv")
    assert len(rows) == 31**2
    assert float(rows[5]["u"]) == solution["u"].ravel()[5]
    wrong = completed("evaluate.py", f"run={run}", "gird=31", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "did you mean 'grid'" in wrong.stderr
    nowhere = completed("evaluate.py", "run=nowhere", cwd=tmp_path)
    assert nowhere.returncode == 2
    assert "nowhere" in nowhere.stderr
    assert "Traceback" not in wrong.stderr + nowhere.stderr


def test_an_evaluation_that_cannot_be_written_is_told_in_words(run, tmp_path):
    copied = tmp_path / "run"
    shutil.copytree(run, copied, ignore=shutil.ignore_patterns("evaluation"))
    (copied / "evaluation" / "solution.npz").mkdir(parents=True)
    done = completed("evaluate.py", f"run={copied}", cwd=tmp_path)
    assert done.returncode == 1
    assert str(copied / "evaluation" / "solution.npz") in done.stderr
    assert "Traceback" not in done.stderr


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


def test_solve_from_python_gives_a_solution_to_call(heat_words, quick, tmp_path):
    solution = pinnkit.solve(Problem(**heat_words), tmp_path, quick)
    x = np.linspace(-1, 1, 5)
    found = solution(x=x, t=0.3)
    assert found["u"].shape == (5,)
    with torch.no_grad():
        expected = solution.module(torch.tensor(np.stack([x, np.full(5, 0.3)], axis=1)))[:, 0].numpy()
    np.testing.assert_array_equal(found["u"], expected)
    with pytest.raises(ValueError, match="x, t are needed"):
        solution(x=x)


def test_a_run_from_python_keeps_its_configuration_too(heat_words, quick, tmp_path):
    problem = Problem(**heat_words)
    pinnkit.solve(problem, tmp_path / "text", quick)
    read, settings = read_and_check(yaml.safe_load((tmp_path / "text" / "config.yaml").read_text()))
    assert read.replace(folder=problem.folder) == problem
    assert config_of(settings)["network"]["width"] == 8
    assert config_of(settings)["phases"][0] == {"name": "adam", **config_of(settings.phases[0])}
    heat_words["equations"] = {"heat": lambda p: p.u_t - p.alpha * p.u_xx}
    pinnkit.solve(Problem(**heat_words), tmp_path / "python", quick)
    kept = yaml.safe_load((tmp_path / "python" / "config.yaml").read_text())
    assert kept["pde"]["equations"]["heat"] == "given in Python: <lambda>"


def test_a_run_that_fails_leaves_its_reason(heat_words, quick, tmp_path):
    heat_words["equations"] = {"heat": lambda p: p.u_t[:, 0]}
    with pytest.raises(ResidualError):
        pinnkit.solve(Problem(**heat_words), tmp_path, quick)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["status"] == "failed"
    assert "'heat' has shape (64,)" in metrics["reason"]


def test_a_network_of_the_users_is_trained(heat_words, quick, tmp_path):
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(2, 6), torch.nn.Tanh(), torch.nn.Linear(6, 1))
    before = [value.detach().clone() for value in network.parameters()]
    solution = pinnkit.solve(Problem(**heat_words), tmp_path, quick, network=network)
    after = list(network.parameters())
    assert all(not torch.equal(a.double(), b) for a, b in zip(before, after, strict=True))
    assert solution.metrics["parameters"] == 25


def test_a_manufactured_solution_is_what_the_network_learns(heat_words, quick, tmp_path):
    quick["trainer"]["max_steps"] = 150
    settings = {**quick, "manufactured": {"u": "x*t + cos(x)"}}
    solution = pinnkit.solve(Problem(**heat_words), tmp_path, settings)
    assert solution.metrics["relative_l2"]["u"] < 1e-2
    found = solution(x=np.array([0.5]), t=np.array([0.5]))["u"][0]
    assert found == pytest.approx(0.25 + np.cos(0.5), abs=2e-2)


def test_the_reference_can_be_the_classical_solver(heat_words, quick, tmp_path):
    del heat_words["exact"]
    solution = pinnkit.solve(Problem(**heat_words), tmp_path, {**quick, "reference": "spectral"})
    arrays = np.load(tmp_path / "solution.npz")
    exact = np.exp(-0.1 * np.pi**2 * arrays["t"]) * np.sin(np.pi * arrays["x"])
    np.testing.assert_allclose(arrays["u_reference"], exact, atol=1e-8)
    assert solution.metrics["reference"].startswith("spectral")


def test_float32_is_kept_throughout(heat_words, quick, tmp_path):
    quick["phases"] = ["adam"]
    solution = pinnkit.solve(Problem(**heat_words), tmp_path, {**quick, "dtype": "float32"})
    assert isinstance(solution.module, PINN)
    assert {value.dtype for value in solution.module.parameters()} == {torch.float32}
    assert {loss.dtype for loss in solution.module.losses_now.values()} == {torch.float32}


def test_a_long_record_becomes_sparser_and_keeps_its_errors(heat_words, quick, tmp_path, monkeypatch):
    monkeypatch.setattr(callbacks, "ROWS", 40)
    quick["trainer"] |= {"steps_per_batch": 1}
    quick["callbacks"] |= {"evaluate_every": 10}
    trainer = pinnkit.solve(Problem(**heat_words), tmp_path, quick).module.trainer
    (record,) = [one for one in trainer.callbacks if isinstance(one, callbacks.Record)]
    steps = [row["step"] for row in record.rows]
    assert steps == sorted(steps)
    assert len(steps) <= 40
    assert (steps[0], steps[-1]) == (1, 60)
    assert [row["step"] for row in record.rows if row["errors"]] == [1, 10, 50, 60]


def test_a_rare_measurement_stays_in_a_record_that_becomes_sparser():
    rows = [{"step": step, "errors": {"u": 0.1} if step in (0, 700, 999) else {}} for step in range(1000)]
    for _ in range(8):
        rows = callbacks._sparser(rows)
    assert [row["step"] for row in rows if row["errors"]] == [0, 700, 999]
    assert len(rows) < 15
