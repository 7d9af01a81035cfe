"""Whole runs by the command line: the run folder to the letter, and its evaluation."""

import json
import shutil

import numpy as np
import pytest
import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.processes import completed
from tests.runs.whole_runs import SMALL, rows_of


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
        "history.jsonl", "report.html", ".pinnkit", ".pinnkit.lock",
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
        "loss/heat", "loss/initial", "loss/ends", "loss/objective", "weight/heat", "error/u", "optimizer/phase",
        "optimizer/learning_rate", "optimizer/step_length", "speed/points_per_second",
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
