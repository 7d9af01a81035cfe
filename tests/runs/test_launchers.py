"""Hydra's launchers run a sweep in other processes: its folders, its table and its exit code are the same."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pinnkit.commands.arguments import configuration, parse
from pinnkit.language.errors import ProblemError

ROOT = Path(__file__).resolve().parents[2]
QUICK = [
    "network.width=6", "network.depth=1", "sampling.equations=40", "sampling.conditions=8", "optimizer=adam",
    "operators=autograd", "trainer.max_steps=20", "callbacks=quiet", "callbacks.figures=false", "logger=none",
]  # fmt: skip


@pytest.mark.parametrize(
    ("launcher", "share"),
    [("workers", ["hydra.launcher.n_jobs=2"]), ("submitit_local", ["hydra.launcher.cpus_per_task=1"])],
)
def test_a_launcher_leaves_what_a_plain_sweep_leaves(launcher, share, tmp_path):
    """Three runs, one of which diverges: a row each, and the exit code of the worst."""
    words = ["-m", f"hydra/launcher={launcher}", *share, "pde=heat", *QUICK, "optimizer.learning_rate=1e-3,1e-2,1e308"]
    line = [sys.executable, str(ROOT / "scripts" / "train.py"), *words, "hydra.sweep.dir=sweep"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 3, done.stderr
    with (tmp_path / "sweep" / "summary.csv").open() as file:
        rows = {row["optimizer.learning_rate"]: row for row in csv.DictReader(file)}
    assert {rate: row["status"] for rate, row in rows.items()} == {
        "0.001": "finished", "0.01": "finished", "1e+308": "diverged",
    }  # fmt: skip
    assert sorted(row["run"] for row in rows.values()) == ["0", "1", "2"]
    assert "training diverged" in rows["1e+308"]["reason"]


@pytest.mark.parametrize("launcher", ["workers", "slurm", "joblib", "submitit_local", "submitit_slurm"])
def test_a_launcher_that_the_command_line_names_is_allowed_and_one_from_a_foreign_folder_is_not(launcher, tmp_path):
    words = ["-m", f"hydra/launcher={launcher}", "pde=heat"]
    assert configuration(parse(words), ROOT / "conf")["pde"]["name"] == "heat"
    with pytest.raises(ProblemError, match=r"hydra.launcher._target_: names 'hydra_plugins\..*--allow-target"):
        configuration(parse([*words, "--config-dir", str(tmp_path)]), ROOT / "conf")


def test_a_launcher_that_is_not_installed_is_told_with_what_installs_it():
    with pytest.raises(ProblemError, match=r"hydra/launcher: there is no 'rays'.*pip install 'pinnkit\[launchers\]'"):
        configuration(parse(["-m", "hydra/launcher=rays", "pde=heat"]), ROOT / "conf")
