"""Hydra's launchers run a sweep in other processes: its folders, its table and its exit code are the same."""

import csv
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hydra_plugins.hydra_joblib_launcher import _core as joblib_core

from pinnkit.cli import multirun
from pinnkit.cli.targets import LAUNCHERS
from pinnkit.cli.train import train
from pinnkit.language.errors import ProblemError
from tests.conftest import composed
from tests.processes import completed

ROOT = Path(__file__).resolve().parents[2]
RAY = importlib.util.find_spec("hydra_plugins.hydra_ray_launcher") is not None
QUICK = [
    "network.width=6", "network.depth=1", "sampling.equations=40", "sampling.conditions=8", "optimizer=adam",
    "operators=autograd", "trainer.max_steps=20", "callbacks=quiet", "callbacks.figures=false", "logger=none",
]  # fmt: skip


def sweep(launcher, folder, *words, **variables):
    """The exit code of a sweep by a launcher, and the rows of its table."""
    line = [sys.executable, str(ROOT / "scripts" / "train.py"), "-m", f"hydra/launcher={launcher}", "pde=heat", *QUICK]
    environment = {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), **variables}
    line += [*words, "hydra.sweep.dir=sweep"]
    if launcher == "basic":  # the runs are in the process of the sweep
        done = completed("train.py", *line[2:], cwd=folder, env=environment, timeout=300)
    else:
        environment = {**os.environ, **environment}
        done = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    table = folder / "sweep" / "summary.csv"
    assert table.exists(), done.stderr
    with table.open() as file:
        return done.returncode, list(csv.DictReader(file))


def test_a_launcher_leaves_the_rows_and_the_exit_code_of_the_worst_run(tmp_path):
    code, rows = sweep("submitit_local", tmp_path, "optimizer.learning_rate=1e-3,1e308")
    assert code == 3
    assert [row["status"] for row in rows] == ["finished", "diverged"]
    assert [int((tmp_path / "sweep" / name / "exit_code").read_text()) for name in "01"] == [0, 3]
    assert "training diverged" in rows[1]["reason"]


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["workers", "submitit_local"])
def test_a_launcher_leaves_what_a_plain_sweep_leaves(launcher, tmp_path):
    """Four runs, one of which diverges and two are refused: a row each, and the exit code of the worst."""
    code, rows = sweep(launcher, tmp_path, "optimizer.learning_rate=1e-3,1e308", "trainer.devices=1,null")
    assert code == 3
    found = {(row["optimizer.learning_rate"], row["trainer.devices"]): row for row in rows}
    assert {key: row["status"] for key, row in found.items()} == {
        ("0.001", "1"): "finished",
        ("0.001", "null"): "failed",
        ("1e+308", "1"): "diverged",
        ("1e+308", "null"): "failed",
    }
    codes = {path.name: int((path / "exit_code").read_text()) for path in (tmp_path / "sweep").glob("[0-9]")}
    assert codes == {"0": 0, "1": 2, "2": 3, "3": 2}
    assert "training diverged" in found["1e+308", "1"]["reason"]
    assert "trainer.devices: null means every GPU" in found["0.001", "null"]["reason"]


def test_paths_count_from_the_folder_of_the_sweep_where_workers_have_another(tmp_path, monkeypatch):
    """As on a cluster of Ray. With one worker joblib runs here."""
    here, elsewhere = tmp_path / "it's here, now", tmp_path / "elsewhere"
    for folder in (here, elsewhere):
        folder.mkdir()
    monkeypatch.chdir(here)
    (here / "conf" / "pde").mkdir(parents=True)
    decay = "coordinates: {t: [0, 1]}\nfields: [u]\nequations: u_t = -u\n"
    samples = "conditions: {samples: {data: samples.csv, equations: u = w}}\n"
    (here / "conf" / "pde" / "decay.yaml").write_text(decay + samples)
    (here / "conf" / "pde" / "samples.csv").write_text("t,w\n0,1\n")
    run_job = joblib_core.run_job

    def from_elsewhere(*given, **named):
        os.chdir(elsewhere)
        return run_job(*given, **named)

    monkeypatch.setattr(joblib_core, "run_job", from_elsewhere)
    words = ["--config-dir", "conf", "pde=decay", "hydra/launcher=workers", "hydra.launcher.n_jobs=1", "--allow-target"]
    words += [target for target in LAUNCHERS if "joblib" in target]
    assert train([*words, "-m", *QUICK, "seed=0", "hydra.sweep.dir=sweep"], ROOT / "conf") == 0
    assert (here / "sweep" / "0" / "metrics.json").is_file()
    assert list(elsewhere.iterdir()) == []


def test_a_machine_that_lacks_the_folder_of_the_sweep_says_so(tmp_path):
    with pytest.raises(ProblemError, match=r"hydra/launcher: the sweep was started in .*nowhere.*that all share"):
        multirun._enter(str(tmp_path / "nowhere"))


@pytest.mark.slow
def test_a_run_of_a_launcher_may_have_several_processes(tmp_path):
    """They start pinnkit's script, whatever script the launcher runs in its own."""
    code, rows = sweep("submitit_local", tmp_path, "seed=0", "trainer=ddp_cpu")
    assert (code, [row["status"] for row in rows]) == (0, ["finished"])


def test_a_requeued_job_of_a_launcher_goes_on_from_its_checkpoint(tmp_path):
    assert sweep("basic", tmp_path, "seed=0")[0] == 0
    code, rows = sweep("basic", tmp_path, "seed=0", "trainer.max_steps=35", SLURM_RESTART_COUNT="1")
    assert (code, rows[0]["steps"]) == (0, "35")
    assert "max_steps: 20" in (tmp_path / "sweep" / "0" / "config.yaml").read_text()  # as it began


INSTALLED = ("workers", "slurm", "joblib", "submitit_local", "submitit_slurm")


def test_every_preset_is_known_here():
    assert {path.stem for path in (ROOT / "conf" / "hydra" / "launcher").iterdir()} <= {*INSTALLED, "ray_workers"}


@pytest.mark.parametrize("launcher", INSTALLED)
def test_a_launcher_that_the_command_line_names_is_allowed_and_one_from_a_foreign_folder_is_not(launcher, tmp_path):
    words = ["-m", f"hydra/launcher={launcher}", "pde=heat"]
    assert composed(words)["pde"]["name"] == "heat"
    with pytest.raises(ProblemError, match=r"hydra.launcher._target_: names 'hydra_plugins\..*--allow-target"):
        composed([*words, "--config-dir", str(tmp_path)])


@pytest.mark.parametrize("word", ["hydra.searchpath=[/tmp]", "network=../network/mlp"])
def test_a_launcher_needs_the_flag_where_another_file_could_set_what_it_runs(word):
    with pytest.raises(ProblemError, match=r"hydra.launcher._target_: names .* add --allow-target"):
        composed(["-m", "hydra/launcher=submitit_slurm", "pde=heat", word])


def test_a_mistyped_key_of_a_launcher_is_told_with_the_nearest():
    with pytest.raises(ProblemError, match=r"hydra.launcher.partitoin: unknown key 'partitoin'.*partition"):
        composed(["-m", "hydra/launcher=slurm", "pde=heat", "hydra.launcher.partitoin=gpu"])


@pytest.mark.skipif(RAY, reason="Hydra's launcher for Ray is installed")
def test_a_preset_whose_launcher_is_not_installed_is_told_with_what_installs_it():
    with pytest.raises(ProblemError, match=r"hydra/launcher: there is no 'ray'.*hydra-ray-launcher"):
        composed(["-m", "hydra/launcher=ray_workers", "pde=heat"])


def test_a_launcher_that_is_not_installed_is_told_with_what_installs_it():
    with pytest.raises(ProblemError, match=r"hydra/launcher: there is no 'rays'.*pip install 'pinnkit\[launchers\]'"):
        composed(["-m", "hydra/launcher=rays", "pde=heat"])
