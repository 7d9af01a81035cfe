"""Runs under SLURM, on two emulated nodes: ranks by srun, requeueing, submitit's jobs, workers of a search."""

import csv
import sys
from pathlib import Path

import pytest
import torch

from pinnkit.training.checkpoint_reader import read

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
PYTHON = f"env PYTHONPATH={ROOT} {sys.executable}"
TRAIN = f"{PYTHON} {ROOT}/scripts/train.py"
SMALL = (
    "network.width=8 network.depth=2 sampling.equations=64 sampling.conditions=16 sampling.redraw_every=10 "
    "optimizer=ssbroyden operators=autograd callbacks=quiet callbacks.figures=false logger=none"
)
ONE = f"pde=heat {SMALL} trainer.shards=2 checkpoint.every_steps=20"
TWO = f"{ONE} trainer=multi_node trainer.nodes=2 trainer.devices=1 trainer.accelerator=cpu"
NODES = ("--nodes=2", "--ntasks-per-node=1", "--exclusive")
STEPS = 1500


def weights(run):
    """Of the last checkpoint, as one vector, and its step."""
    checkpoint = read(run / "checkpoints" / "last.ckpt")
    return torch.cat([one.flatten() for one in checkpoint["state_dict"].values()]), checkpoint["progress"]["step"]


def step(run):
    """Of the last checkpoint; -1 before there is one."""
    return weights(run)[1] if (run / "checkpoints" / "last.ckpt").exists() else -1


def log(folder, number):
    return (folder / f"{number}.out").read_text()


def submit_run(cluster, folder, steps, *words):
    """A run on both nodes, as on the page about clusters; the number of its job, and its run folder."""
    line = f"srun {TRAIN} {TWO} trainer.max_steps={steps} hydra.run.dir=runs/$SLURM_JOB_ID"
    number = cluster.submit(folder, line, *NODES, "--requeue", *words)
    return number, folder / "runs" / number


@pytest.fixture(scope="module")
def uninterrupted(cluster, tmp_path_factory):
    """The weights of a run in one process, without SLURM."""
    folder = tmp_path_factory.mktemp("alone")
    line = f"{TRAIN} {ONE} trainer.max_steps={STEPS} hydra.run.dir=run"
    cluster.command("bash", "-c", line, folder=folder, check=True)
    found, steps = weights(folder / "run")
    assert steps == STEPS
    return found


def test_two_tasks_of_srun_take_the_steps_of_one_process_to_the_bit(cluster, uninterrupted, tmp_path):
    number, run = submit_run(cluster, tmp_path, STEPS)
    assert cluster.ended(number)["JobState"] == "COMPLETED", log(tmp_path, number)
    found, steps = weights(run)
    assert steps == STEPS
    assert torch.equal(found, uninterrupted)
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [number]
    assert log(tmp_path, number).count("report: ") == 1  # one of them prints


def requeued(cluster, number):
    cluster.command("scontrol", "requeue", number, check=True)


def preempted(cluster, number):
    """A job of the partition `urgent` takes both nodes for a second."""
    cluster.command("srun", "--partition=urgent", "--nodes=2", "--exclusive", "sleep", "1", check=True)


def signalled(cluster, number):
    """What SLURM sends before the time of a job is over; the run asks for its requeueing itself."""
    cluster.command("scancel", "--signal=USR1", number, check=True)


@pytest.mark.parametrize("interrupt", [requeued, preempted, signalled])
def test_a_job_that_is_queued_again_ends_with_the_weights_of_an_uninterrupted_run(
    interrupt, cluster, uninterrupted, tmp_path
):
    number, run = submit_run(cluster, tmp_path, STEPS)
    cluster.wait(lambda: step(run) >= 40, f"step 40 of job {number}", 900)
    interrupt(cluster, number)
    cluster.wait(lambda: cluster.job(number)["Restarts"] == "1", f"the requeueing of job {number}")
    assert 40 <= step(run) < STEPS
    job = cluster.ended(number)
    assert (job["JobState"], job["Restarts"]) == ("COMPLETED", "1"), log(tmp_path, number)
    found, steps = weights(run)
    assert steps == STEPS
    assert torch.equal(found, uninterrupted)
    told = log(tmp_path, number)
    assert f"finished: {STEPS} steps" in told.partition("interrupted")[2]
    assert ("pinnkit: requeued" in told) == (interrupt is signalled)


def test_a_job_is_queued_again_before_its_time_is_over(cluster, tmp_path):
    """--signal=USR1@60: SLURM sends it between 120 and 60 seconds before the end."""
    number, run = submit_run(cluster, tmp_path, 10_000_000, "--time=3", "--signal=USR1@60")
    cluster.wait(lambda: cluster.job(number)["Restarts"] == "1", f"the requeueing of job {number}", 900)
    reached = step(run)
    cluster.wait(lambda: step(run) > reached > 0, "steps of the second part", 900)
    cluster.command("scancel", number, check=True)
    assert cluster.ended(number)["JobState"] == "CANCELLED"
    assert "interrupted by SIGUSR1\n" in log(tmp_path, number)


def test_other_tasks_than_the_configuration_asks_for_are_refused(cluster, tmp_path):
    line = f"srun {TRAIN} {TWO} trainer.nodes=1 hydra.run.dir=run"
    number = cluster.submit(tmp_path, line, *NODES)
    job = cluster.ended(number)
    assert (job["JobState"], job["ExitCode"]) == ("FAILED", "2:0")
    assert "trainer.devices: 2 processes were started for this run" in log(tmp_path, number)


SWEEP = f"{TRAIN} -m hydra/launcher=slurm hydra.launcher.cpus_per_task=1 hydra.launcher.timeout_min=30"


def summary(folder):
    with (folder / "summary.csv").open() as file:
        return list(csv.DictReader(file))


def test_the_runs_of_a_sweep_are_jobs_of_submitit(cluster, tmp_path):
    line = f"{SWEEP} pde=heat {SMALL} trainer.max_steps=20 seed=0,1 hydra.sweep.dir=sweep"
    cluster.command("bash", "-c", line, folder=tmp_path, check=True)
    assert sorted((row["seed"], row["status"], row["steps"]) for row in summary(tmp_path / "sweep")) == [
        ("0", "finished", "20"),
        ("1", "finished", "20"),
    ]
    jobs = {path.name.split("_")[0] for path in (tmp_path / "sweep" / ".submitit").iterdir() if path.is_dir()}
    assert jobs  # folders of jobs, named by SLURM's numbers


def test_a_job_of_submitit_that_is_queued_again_goes_on_and_the_sweep_waits_for_it(cluster, uninterrupted, tmp_path):
    """A sweep of one run, in one process with the shards of the two."""
    line = f"{SWEEP} {ONE} trainer.max_steps={STEPS} seed=0 hydra.sweep.dir=sweep"
    with cluster.started("bash", "-c", line, folder=tmp_path) as sweep:
        run = tmp_path / "sweep" / "0"
        cluster.wait(lambda: step(run) >= 40 or sweep.poll() is not None, "step 40", 900)
        assert sweep.poll() is None, (tmp_path / "output").read_text()
        number = cluster.command("squeue", "-h", "-t", "RUNNING", "-o", "%A").split()[0]
        requeued(cluster, number)
        assert sweep.wait(timeout=900) == 0
    assert [(row["status"], row["steps"]) for row in summary(tmp_path / "sweep")] == [("finished", str(STEPS))]
    assert cluster.job(number)["Restarts"] == "1"
    assert torch.equal(weights(run)[0], uninterrupted)


def test_two_jobs_share_the_trials_of_a_search(cluster, tmp_path):
    """Two jobs with the same `sweep.folder`: every trial is run once, and both have some."""
    line = (
        f"srun {PYTHON} {ROOT}/scripts/sweep.py sweep.folder={tmp_path}/search sweep.trials=4 pde=oscillator "
        "trainer.max_steps=30 callbacks.evaluate_every=10 logger=none operators=autograd optimizer=ssbroyden "
        "network.depth=1 sampling.equations=40 'network.width=range(3,9)'"
    )
    numbers = [cluster.submit(tmp_path, line, "--ntasks=1", "--exclusive") for _ in range(2)]
    for number in numbers:
        assert cluster.ended(number, 900)["JobState"] == "COMPLETED", log(tmp_path, number)
    rows = summary(tmp_path / "search")
    assert sorted((row["number"], row["state"]) for row in rows) == [(str(n), "complete") for n in range(4)]
    counts = [log(tmp_path, number).count(": complete") for number in numbers]
    assert sum(counts) == 4
    assert all(counts)
