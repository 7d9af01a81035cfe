"""Runs that are killed at any moment, whose disk is full, whose folder or samples have changed: nothing is lost."""

import json
import random
import socket
import subprocess
import sys
import time
from dataclasses import asdict

import pytest
import torch
import yaml

from pinnkit.cli.resume import resumed
from pinnkit.language.errors import ProblemError
from pinnkit.reporting.artifacts import RunFolder
from pinnkit.training.checkpoint_reader import read
from pinnkit.training.settings import Trainer
from tests.runs.scripted import ENVIRONMENT, ROOT, SMALL, finish, start

WAYS = {
    "adam": ["optimizer=adam", "sampling.batch=20"],
    "soap": ["optimizer=soap", "sampling.batch=20"],
    "lbfgs": ["optimizer=lbfgs"],
    "bfgs": ["optimizer=bfgs"],
    "ssbfgs": ["optimizer=ssbfgs"],
    "ssbroyden": ["phases=[{name: adam, steps: 60}, ssbroyden]"],
    "gauss_newton": ["optimizer=gauss_newton"],
    "gauss_newton_cg": ["optimizer=gauss_newton_cg", "optimizer.cg_iterations=20"],
    "engd_w": ["optimizer=engd_w", "sampling.batch=20"],
    "spring": ["optimizer=spring", "sampling.batch=20"],
}


def killed(words, folder, kills, steps, seed):
    """Run with SIGKILL at random moments after the first checkpoint, the third time while one is being written.

    Returns the steps of the checkpoints gone on from, and how many kills left a checkpoint half written.
    """
    chance = random.Random(seed)
    checkpoint = folder / "out" / "checkpoints" / "last.ckpt"
    half = checkpoint.with_suffix(".tmp")
    found, torn = [], 0
    more = [*words, "hydra.run.dir=out"]
    for number in range(kills):
        began = checkpoint.stat().st_mtime if checkpoint.exists() else 0.0
        process = start(*more, cwd=folder)
        while process.poll() is None and not (checkpoint.exists() and checkpoint.stat().st_mtime > began):
            time.sleep(0.005)
        time.sleep(chance.uniform(0.0, 0.5))
        while number % 3 == 2 and process.poll() is None and not half.exists():
            time.sleep(0.0005)
        process.kill()
        process.communicate()
        more = ["resume=out"]
        torn += half.exists()
        kept = [path for name in ("last", "previous") if (path := checkpoint.with_name(f"{name}.ckpt")).exists()]
        found.append(read(kept[0])["progress"]["step"])
        if found[-1] >= steps:
            break
    finish(start(*more, cwd=folder))
    return found, torn


def check_kills(way, kills, folder, steps=1500, pde="heat", more=()):
    """How many kills a run has survived, and how many of them left a checkpoint half written."""
    words = [f"pde={pde}", *SMALL, *WAYS[way], f"trainer.max_steps={steps}", "checkpoint.every_steps=10", *more]
    (folder / "whole").mkdir()
    (folder / "killed").mkdir()
    finish(start(*words, "hydra.run.dir=out", cwd=folder / "whole"))
    found, torn = killed(words, folder / "killed", kills, steps, seed=len(way))
    assert found == sorted(found)
    ends = [read(folder / one / "out" / "checkpoints" / "last.ckpt") for one in ("whole", "killed")]
    assert ends[0]["progress"]["step"] == ends[1]["progress"]["step"]
    for name, value in ends[0]["state_dict"].items():
        assert torch.equal(ends[1]["state_dict"][name], value), name
    return len(found), torn


def test_a_run_that_is_killed_ends_with_the_same_weights_to_the_bit(tmp_path):
    check_kills("ssbroyden", 2, tmp_path, steps=600)


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_every_optimizer_survives_being_killed(way, tmp_path, record_property):
    kills, torn = check_kills(way, 3, tmp_path)
    record_property("kills", kills)
    record_property("while writing", torn)


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize("pde", ["poisson_l_shape", "heat_in_a_part", "poisson_two_materials", "heat_family"])
def test_a_killed_run_on_a_shape_a_mesh_an_interface_and_a_family_goes_on_to_the_bit(pde, ranks, tmp_path):
    """With points drawn by residual; two ranks share the sums of four shards."""
    more = ["sampling.equations_by_residual=60", "sampling.redraw_every=7", "reference=none", "trainer.shards=4"]
    more += ["trainer=ddp_cpu", "trainer.devices=2"] if ranks == 2 else []
    kills, _ = check_kills("ssbroyden", 2, tmp_path, 400, pde, more)
    assert kills


def test_a_full_disk_ends_the_run_in_words_and_the_last_checkpoint_is_whole(tmp_path):
    limit = 400_000  # bytes that a file may have: what a full disk is to the writer
    words = ["pde=heat", *SMALL, "optimizer=ssbroyden", "network.width=14", "trainer.max_steps=60"]
    finish(start(*words, "hydra.run.dir=out", cwd=tmp_path))
    kept = read(tmp_path / "out" / "checkpoints" / "last.ckpt")
    script = (
        "import resource, runpy, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit})); sys.argv = sys.argv[1:]; "
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    line = [sys.executable, "-c", script, str(ROOT / "scripts" / "train.py"), "resume=out", "trainer.max_steps=90"]
    process = subprocess.Popen(line, cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
    told = finish(process, code=1)
    assert "cannot be written" in told
    assert read(tmp_path / "out" / "checkpoints" / "last.ckpt")["progress"] == kept["progress"]


def test_a_disk_that_fills_up_ends_the_run_in_words_and_the_last_checkpoint_is_whole(tmp_path):
    """A disk of 1 MB: it holds the checkpoints of Adam, and not those with an H of 501 x 501."""
    script = 'mkdir disk && mount -t tmpfs -o size=1m tmpfs disk || exit 99; "$@"; end=$?; cp -r disk/out .; exit $end'
    words = ["pde=heat", *SMALL, "network.width=20", "phases=[{name: adam, steps: 30}, ssbroyden]"]
    words += ["checkpoint.every_steps=10", "trainer.max_steps=60", "hydra.run.dir=disk/out"]
    line = ["unshare", "--map-root-user", "--mount", "bash", "-c", script, "bash", sys.executable]
    try:
        process = subprocess.Popen(
            [*line, str(ROOT / "scripts" / "train.py"), *words],
            cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    except FileNotFoundError as error:
        pytest.skip(f"no tmpfs: {error}")
    _, told = process.communicate(timeout=240)
    if process.returncode == 99 or told.startswith("unshare:"):
        pytest.skip(f"no tmpfs: {told}")
    assert process.returncode == 1, told
    assert "cannot be written ([Errno 28] No space left on device" in told
    assert "Traceback" not in told
    assert read(tmp_path / "out" / "checkpoints" / "last.ckpt")["progress"]["step"] == 20


def test_a_port_that_is_taken_ends_the_run_in_words(tmp_path):
    """As the first of two processes that srun has started; the launcher of pinnkit takes a free port by itself."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        srun = {"SLURM_NTASKS": "2", "SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_NODEID": "0"}
        srun |= {"SLURM_JOB_ID": "77", "SLURM_NODELIST": "127.0.0.1", "SLURM_NTASKS_PER_NODE": "2"}
        srun |= {"SLURM_STEP_NUM_TASKS": "2"}
        srun |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        words = ["pde=heat", *SMALL, "trainer=ddp_cpu", "trainer.max_steps=5", "hydra.run.dir=out"]
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "scripts" / "train.py"), *words],
            cwd=tmp_path, env={**ENVIRONMENT, **srun}, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        told = finish(process, code=1)
    assert f"the processes of this run cannot meet at 127.0.0.1:{port}" in told
    assert "MASTER_PORT" in told


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "out").write_text("a file")
    told = finish(start("pde=heat", *SMALL, "trainer.max_steps=5", "hydra.run.dir=out", cwd=tmp_path), code=2)
    assert f"hydra.run.dir: no folder can be made at {tmp_path / 'out'}" in told


def test_samples_that_have_changed_end_the_resumed_run_in_words(tmp_path):
    pde = tmp_path / "pde"
    pde.mkdir()
    (pde / "fit.yaml").write_text(
        "coordinates: {t: [0, 1]}\nfields: [u]\nequations: {decay: u_t = -u}\n"
        "conditions: {seen: {data: seen.csv, equations: u = y}}\nreference: truth.csv\n"
    )
    (pde / "seen.csv").write_text("t,y\n0,1\n1,0.37\n")
    (pde / "truth.csv").write_text("t,u\n0,1\n1,0.3679\n")
    words = ["--config-dir", str(tmp_path), "pde=fit", *SMALL, "optimizer=ssbroyden", "trainer.max_steps=20"]
    finish(start(*words, "hydra.run.dir=out", cwd=tmp_path))
    (pde / "seen.csv").write_text("t,y\n0,1\n1,0.38\n")
    (pde / "truth.csv").write_text("t,u\n0,1\n1,0.3678\n")
    told = finish(start("resume=out", "trainer.max_steps=40", cwd=tmp_path), code=2)
    for key in ("conditions.seen.data", "reference"):
        assert f"{key}: its samples are not those that the run began with" in told
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["steps"] == 20


def test_a_choice_of_machines_on_resuming_keeps_the_limits_of_the_run(tmp_path):
    kept = {"trainer": {**asdict(Trainer()), "max_steps": 60, "shards": 2}, "seed": 0}
    run = RunFolder(tmp_path).create()
    run.write_config(yaml.safe_dump(kept))
    run.last_checkpoint.write_bytes(b"")
    words = {"resume": str(tmp_path), "trainer": {**asdict(Trainer()), "devices": 2, "stop_loss": 1e-3}}
    found = resumed(words, [f"resume={tmp_path}", "trainer=ddp_cpu"])["trainer"]
    assert found == {**kept["trainer"], "devices": 2, "stop_loss": 1e-3}
    with pytest.raises(ProblemError, match=r"hydra\.run\.dir: a run goes on in its own folder"):
        resumed(words, [f"hydra.run.dir='{tmp_path / 'other'}'"])
    again = {**words, "trainer": {**words["trainer"], "max_steps": None}}
    assert resumed(again, ["trainer=ddp_cpu", "trainer.max_steps=null"])["trainer"]["max_steps"] is None
