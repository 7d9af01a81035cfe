"""Runs whose processes are stopped, or started, by something else: a scheduler, a launcher, one of their ranks."""

import json
import os
import signal
import subprocess
import sys
import time

import psutil

from pinnkit.training.checkpoint_reader import read
from tests.runs.scripted import ENVIRONMENT, ROOT, SMALL, begun, finish, start


def test_where_one_rank_is_killed_the_others_end_within_a_minute(tmp_path):
    words = ["pde=heat", *SMALL, "optimizer=ssbroyden", "trainer=ddp_cpu", "trainer.max_time=200"]
    process = start(*words, "hydra.run.dir=out", cwd=tmp_path)
    begun(process, tmp_path / "out")
    ranks = [one for one in psutil.Process(process.pid).children() if one.environ().get("RANK") == "1"]
    ranks[0].kill()
    began = time.monotonic()
    _, told = process.communicate(timeout=100)
    assert time.monotonic() - began < 60
    assert process.returncode == 1
    assert "the process of rank 1 ended by SIGKILL, and the run with it; resume=" in told
    assert "Traceback" not in told
    assert "no one can go on" not in told
    finish(
        start("resume=out", "trainer.max_time=null", "trainer.max_steps=20000", "trainer.stop_loss=1e6", cwd=tmp_path)
    )


def test_sigterm_to_the_launcher_checkpoints_and_exits_with_130(tmp_path):
    words = ["pde=heat", *SMALL, "optimizer=ssbroyden", "trainer=ddp_cpu", "trainer.max_time=200"]
    process = start(*words, "hydra.run.dir=out", cwd=tmp_path)
    checkpoint = begun(process, tmp_path / "out")
    process.send_signal(signal.SIGTERM)
    finish(process, code=130)
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["status"] == "interrupted"
    assert read(checkpoint)["progress"]["step"] == metrics["steps"]


def test_the_ranks_end_with_their_launcher_and_leave_a_checkpoint(tmp_path):
    words = ["pde=heat", *SMALL, "optimizer=ssbroyden", "trainer=ddp_cpu", "trainer.max_time=200"]
    process = start(*words, "hydra.run.dir=out", cwd=tmp_path)
    checkpoint = begun(process, tmp_path / "out")
    ranks = psutil.Process(process.pid).children()
    assert len(ranks) == 2
    process.kill()
    process.communicate(timeout=60)
    assert psutil.wait_procs(ranks, timeout=60)[1] == []
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["status"] == "interrupted"
    assert read(checkpoint)["progress"]["step"] == metrics["steps"]


def test_processes_that_the_configuration_does_not_ask_for_are_refused(tmp_path):
    line = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    line += [str(ROOT / "scripts" / "train.py"), "pde=heat", *SMALL, "trainer.max_steps=20", "hydra.run.dir=out"]
    done = subprocess.run(line, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=240)
    assert done.returncode != 0
    told = "trainer.devices: 2 processes were started for this run, and the configuration asks for 1 on 1 machine(s)"
    assert told in done.stderr
    assert not (tmp_path / "out" / "checkpoints" / "last.ckpt").exists()


def test_slurm_starts_an_interrupted_job_again_and_it_goes_on(tmp_path):
    """With a `scontrol` that keeps what it is asked; a requeued job has SLURM_RESTART_COUNT."""
    asked = tmp_path / "asked"
    (tmp_path / "scontrol").write_text(f"#!/bin/sh\necho $@ > {asked}\n")
    (tmp_path / "scontrol").chmod(0o755)
    job = {**ENVIRONMENT, "SLURM_JOB_ID": "77", "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    words = ["pde=heat", *SMALL, "optimizer=ssbroyden", "hydra.run.dir=out"]
    line = [sys.executable, str(ROOT / "scripts" / "train.py"), *words]
    process = subprocess.Popen(
        [*line, "trainer.max_time=200"], cwd=tmp_path, env=job, stderr=subprocess.PIPE, text=True
    )
    checkpoint = begun(process, tmp_path / "out")
    process.send_signal(signal.SIGUSR1)
    finish(process, code=130)
    assert asked.read_text() == "requeue 77\n"
    before = read(checkpoint)["progress"]["step"]
    line += ["trainer.max_time=null", f"trainer.max_steps={before + 30}"]
    again = subprocess.Popen(
        line, cwd=tmp_path, env={**job, "SLURM_RESTART_COUNT": "1"}, stderr=subprocess.PIPE, text=True
    )
    finish(again)
    assert read(checkpoint)["progress"]["step"] == before + 30
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["steps"] == before + 30
