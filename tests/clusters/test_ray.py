"""Sweeps by Hydra's launcher for Ray, on Ray of this machine and on a cluster of it."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import torch

from pinnkit.training.checkpoint_reader import read
from tests.clusters.slurm import free_ports
from tests.runs.test_launchers import RAY, sweep

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not RAY, reason="there is no hydra-ray-launcher: pip install hydra-ray-launcher"),
]


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """Ray writes into folders of the test alone, tells nobody of it, and does not give way to other processes."""
    short = tempfile.TemporaryDirectory(prefix="ray")  # the path of a socket has 107 characters at most
    with short as folder:
        values = {"HOME": str(tmp_path), "RAY_TMPDIR": folder, "RAY_USAGE_STATS_ENABLED": "0"}
        for name, value in (values | {"RAY_worker_niceness": "0", "RAY_DISABLE_IMPORT_WARNING": "1"}).items():
            monkeypatch.setenv(name, value)
        for name in ("RAY_ADDRESS", "RAY_NAMESPACE"):
            monkeypatch.delenv(name, raising=False)
        yield Path(folder)


@pytest.fixture
def address(settings, tmp_path):
    """Of a cluster with one machine of two cores, whose workers are in another folder than the sweep."""
    (port,) = free_ports(1)
    line = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", f"--port={port}"]
    line += ["--node-ip-address=127.0.0.1", "--num-cpus=2", "--include-dashboard=false", f"--temp-dir={settings}"]
    with (tmp_path / "ray.log").open("w") as file:
        process = subprocess.Popen(line, cwd=settings, stdout=file, stderr=file, stdin=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 240
        while "Ray runtime started" not in (told := (tmp_path / "ray.log").read_text()):
            assert process.poll() is None, told
            assert time.monotonic() < end, told
            time.sleep(0.5)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=60)


def weights(run):
    state = read(run / "checkpoints" / "last.ckpt")["state_dict"]
    return torch.cat([one.flatten() for one in state.values()])


def test_ray_on_this_machine_leaves_what_a_plain_sweep_leaves(settings, tmp_path):
    """Two runs, one of which diverges: a row each, the exit code of the worst, and the same weights."""
    word = "optimizer.learning_rate=1e-3,1e308"
    plain = tmp_path / "plain"
    plain.mkdir()
    assert sweep("basic", plain, word)[0] == 3
    code, rows = sweep("ray", tmp_path, word)
    assert code == 3
    found = {row["optimizer.learning_rate"]: row["status"] for row in rows}
    assert found == {"0.001": "finished", "1e+308": "diverged"}
    assert [(tmp_path / "sweep" / name / "exit_code").read_text() for name in "01"] == ["0\n", "3\n"]
    assert torch.equal(weights(tmp_path / "sweep" / "0"), weights(plain / "sweep" / "0"))


def test_the_preset_sends_the_runs_to_a_cluster_of_ray(address, tmp_path):
    """`object_store_memory`, which Ray refuses for a cluster that is there, is left out."""
    where = f"hydra.launcher.ray.init.address={address}"
    code, rows = sweep("ray_workers", tmp_path, where, "hydra.launcher.ray.remote.num_cpus=1", "seed=0,1")
    assert (code, [(row["seed"], row["status"]) for row in rows]) == (0, [("0", "finished"), ("1", "finished")])
