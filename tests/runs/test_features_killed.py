"""Runs by features, and polishes, that are killed: the run that goes on comes to the end of one that was not; and the
same answer by two processes."""

import random
import time

import numpy as np
import pytest

import pinnkit
from pinnkit.reporting.artifacts import RunFolder
from tests.runs.scripted import SMALL, begun, finish, start

FEATURES = [
    "method=features", "features.max_unknowns=800", "callbacks=quiet", "callbacks.figures=false", "logger=none",
]  # fmt: skip
POLISH = [*SMALL, "polish=true", "optimizer=adam", "trainer.max_steps=30", "features.max_unknowns=300"]
WAYS = {
    "features": ([*FEATURES, "features.kind=tanh", "features.range=2"], "run folder"),
    "polish": (POLISH, "training ended"),
}


def values(folder):
    return pinnkit.load(folder)(x=np.linspace(-1, 1, 9), t=np.linspace(0, 1, 9))["u"]


def killed(words, folder, begins, kills, seed):
    """Run, and kill it some moments after it begins what is named in its log, again and again; then let it end."""
    chance, more = random.Random(seed), [*words, "hydra.run.dir=out"]
    for _ in range(kills):
        process = start(*more, cwd=folder)
        begun(process, folder / "out")
        log, more = folder / "out" / "train.log", ["resume=out"]
        before = log.read_text().count(begins)
        while process.poll() is None and log.read_text().count(begins) == before:
            time.sleep(0.01)
        time.sleep(chance.uniform(0.0, 1.0))
        process.kill()
        process.communicate()
    finish(start(*more, cwd=folder))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "begins"), [(FEATURES, "run folder"), (POLISH, "training ended")], ids=["features", "polish"]
)
def test_a_run_that_is_killed_comes_to_the_same_end(words, begins, tmp_path):
    finish(start("pde=heat", *words, "hydra.run.dir=whole", cwd=tmp_path))
    killed(["pde=heat", *words], tmp_path, begins, 4, 1)
    expected = values(tmp_path / "whole")
    assert np.abs(values(tmp_path / "out") - expected).max() <= 1e-13 * np.abs(expected).max()
    metrics = [RunFolder(tmp_path / name).read_metrics() for name in ("out", "whole")]
    assert [one["status"] for one in metrics] == ["finished", "finished"]
    assert metrics[0]["estimated_error"] == pytest.approx(metrics[1]["estimated_error"], rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("processes", [2, 4])
@pytest.mark.parametrize("count", [80, 1200], ids=["one part", "four parts"])
def test_processes_come_to_the_answer_of_one_to_the_bit(processes, count, tmp_path):
    words = ["pde=heat", *FEATURES, "features.kind=sin", "features.range=8", f"features.count={count}"]
    finish(start(*words, "hydra.run.dir=one", cwd=tmp_path))
    finish(start(*words, "trainer=ddp_cpu", f"trainer.devices={processes}", "hydra.run.dir=several", cwd=tmp_path))
    assert np.array_equal(values(tmp_path / "one"), values(tmp_path / "several"))
    estimates = [RunFolder(tmp_path / name).read_metrics()["estimated_error"] for name in ("one", "several")]
    assert estimates[0] == estimates[1]


@pytest.mark.slow
def test_a_polish_by_two_processes_is_that_of_one_to_the_bit(tmp_path):
    words = ["pde=heat", *POLISH, "trainer.shards=2"]
    finish(start(*words, "hydra.run.dir=one", cwd=tmp_path))
    finish(start(*words, "trainer=ddp_cpu", "trainer.devices=2", "hydra.run.dir=two", cwd=tmp_path))
    assert RunFolder(tmp_path / "one").read_metrics()["polish"]["accepted"]
    assert np.array_equal(values(tmp_path / "one"), values(tmp_path / "two"))
