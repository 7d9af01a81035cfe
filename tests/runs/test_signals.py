"""Signals before, in and after training: a word, exit 130, and what can be kept is kept."""

import contextlib
import os
import signal

import pytest

from pinnkit.reporting.artifacts import RunFolder
from pinnkit.runs import environment, evaluation
from pinnkit.runs import setup as runs
from pinnkit.training.checkpoint_reader import read
from pinnkit.training.exceptions import Diverged
from pinnkit.training.signals import SIGNALS
from pinnkit.training.step import OptimizerStep
from tests.runs.small import WORDS, command, content, solved

ENDING = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture(autouse=True)
def usual():
    """The handlers that a process begins with, which every run leaves as they were."""
    usual = dict.fromkeys(SIGNALS, signal.SIG_DFL) | {signal.SIGINT: signal.default_int_handler}
    former = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    left = {number: signal.signal(number, handler) for number, handler in former.items()}
    assert left == usual


def sends(number, function, when=lambda *_: True):
    """The function, before which this process sends itself a signal."""

    def called(*arguments, **named):
        if when(*arguments):
            os.kill(os.getpid(), number)
        return function(*arguments, **named)

    return called


def at_step(step):
    return lambda taken, *_: taken.state.progress.step == step


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_while_the_reference_is_computed_leaves_nothing_behind(number, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(runs, "choose", sends(number, runs.choose))
    assert command(tmp_path, *WORDS, f"hydra.run.dir={tmp_path / 'out'}") == 130
    told = capfd.readouterr().err
    assert f"pinnkit: interrupted by {number.name}\n" in told
    assert "Traceback" not in told
    assert content(tmp_path / "out") == {}


def test_a_signal_before_a_run_goes_on_loses_nothing(tmp_path, monkeypatch, capfd):
    out = tmp_path / "out"
    assert command(tmp_path, *WORDS, f"hydra.run.dir={out}") == 0
    before = content(out)
    monkeypatch.setattr(runs, "choose", sends(signal.SIGTERM, runs.choose))
    assert command(tmp_path, f"resume={out}", "trainer.max_steps=20") == 130
    assert content(out) == before


@pytest.mark.parametrize("number", [*ENDING, signal.SIGUSR1])
def test_a_signal_in_training_writes_a_checkpoint(number, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(OptimizerStep, "take", sends(number, OptimizerStep.take, at_step(4)))
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    assert command(tmp_path, *WORDS, f"hydra.run.dir={tmp_path / 'out'}") == 130
    run = RunFolder(tmp_path / "out")
    metrics = run.read_metrics()
    assert (metrics["status"], metrics["reason"], metrics["steps"]) == (
        "interrupted",
        f"interrupted by {number.name}",
        5,
    )
    assert read(run.last_checkpoint)["progress"]["step"] == 5
    assert "requeued" not in capfd.readouterr().err


def test_a_signal_in_steps_that_diverge_ends_the_run_where_it_goes_back_to(tmp_path, monkeypatch, capfd):
    step, sent = OptimizerStep.take, []

    def diverges(self, *arguments):
        if self.state.progress.step == 4 and not sent:
            sent.append(os.kill(os.getpid(), signal.SIGTERM))
            raise Diverged(4, "decay")
        step(self, *arguments)

    monkeypatch.setattr(OptimizerStep, "take", diverges)
    often = ["checkpoint.every_steps=2", "trainer.steps_per_batch=1"]
    assert command(tmp_path, *WORDS, *often, f"hydra.run.dir={tmp_path / 'out'}") == 130
    run = RunFolder(tmp_path / "out")
    metrics, progress = run.read_metrics(), read(run.last_checkpoint)["progress"]
    assert (metrics["status"], metrics["steps"]) == ("interrupted", progress["step"])
    assert (progress["step"], progress["rollbacks"]) == (4, 1)  # or the resumed run would take the same steps again
    assert "training diverged at step 4" in capfd.readouterr().err


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_after_training_keeps_the_checkpoint_and_says_so(number, tmp_path, monkeypatch, capfd):
    with monkeypatch.context() as patch:
        patch.setattr(evaluation, "evaluate", sends(number, evaluation.evaluate))
        assert command(tmp_path, *WORDS, f"hydra.run.dir={tmp_path / 'out'}") == 130
    run = RunFolder(tmp_path / "out")
    reason = f"interrupted by {number.name} after training (10 steps are done)"
    assert run.read_metrics()["reason"] == reason
    told = capfd.readouterr().err
    assert f"{reason}; resume={run.path} writes what is missing" in told
    assert "Traceback" not in told
    assert not run.solution.exists()
    assert command(tmp_path, f"resume={run.path}") == 0
    assert run.read_metrics()["status"] == "finished"
    assert run.solution.exists()


def test_under_nohup_a_closed_terminal_is_ignored(tmp_path, monkeypatch, capfd):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    monkeypatch.setattr(runs, "choose", sends(signal.SIGHUP, runs.choose))
    monkeypatch.setattr(OptimizerStep, "take", sends(signal.SIGHUP, OptimizerStep.take))
    assert command(tmp_path, *WORDS, f"hydra.run.dir={tmp_path / 'out'}") == 0
    assert signal.signal(signal.SIGHUP, signal.SIG_DFL) == signal.SIG_IGN


def test_a_second_signal_ends_training_at_once(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(
        OptimizerStep, "take", sends(signal.SIGTERM, sends(signal.SIGTERM, OptimizerStep.take, at_step(4)), at_step(4))
    )
    assert command(tmp_path, *WORDS, f"hydra.run.dir={tmp_path / 'out'}") == 130
    assert "pinnkit: interrupted by SIGTERM" in capfd.readouterr().err
    assert read(RunFolder(tmp_path / "out").last_checkpoint)["progress"]["step"] == 0


@pytest.mark.parametrize("place", ["setup", "training"])
def test_a_signal_ends_a_sweep_with_a_row_for_each_run_that_had_begun(place, tmp_path, monkeypatch, capfd):
    if place == "setup":
        monkeypatch.setattr(runs, "choose", sends(signal.SIGHUP, runs.choose))
    else:
        monkeypatch.setattr(OptimizerStep, "take", sends(signal.SIGHUP, OptimizerStep.take, at_step(4)))
    assert (
        command(
            tmp_path,
            *WORDS,
            f"hydra.sweep.dir={tmp_path / 'sweep'}",
            "seed=1,2",
            flags=["-m", "--allow-target", LAUNCHER],
        )
        == 130
    )
    table = (tmp_path / "sweep" / "summary.csv").read_text().splitlines()
    assert [line.split(",")[:2] for line in table[1:]] == [["0", "interrupted"]]
    assert not (tmp_path / "sweep" / "1").exists()


def test_slurm_is_asked_to_start_again_what_it_ended_before_training(tmp_path, monkeypatch, capfd):
    asked = []
    monkeypatch.setenv("SLURM_JOB_ID", "77")
    monkeypatch.setattr("pinnkit.runs.environment.requeue", asked.append)
    monkeypatch.setattr(runs, "choose", sends(signal.SIGUSR1, runs.choose))
    assert command(tmp_path, *WORDS, f"hydra.run.dir={tmp_path / 'out'}") == 130
    assert asked == ["77"]
    assert "pinnkit: requeued\n" in capfd.readouterr().err


@pytest.mark.parametrize(("restarts", "again"), [("0", False), ("1", True)])
def test_a_job_that_slurm_has_queued_again_is_told_from_one_that_was_cancelled(restarts, again, tmp_path, monkeypatch):
    """`Restarts` of SLURM's answer, against the number that the job began with."""
    (tmp_path / "scontrol").write_text(f'#!/bin/sh\necho "JobId=$3 Requeue=1 Restarts={restarts} BatchFlag=1"\n')
    (tmp_path / "scontrol").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    monkeypatch.delenv("SLURM_RESTART_COUNT", raising=False)
    assert not environment.queued_again()
    monkeypatch.setenv("SLURM_JOB_ID", "77")
    assert environment.queued_again() == again
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    assert not environment.queued_again()


LAUNCHER = "hydra_plugins.hydra_joblib_launcher.joblib_launcher.JoblibLauncher"


@pytest.mark.parametrize("again", [False, True])
def test_a_launcher_is_given_no_result_of_a_run_that_slurm_starts_again(again, tmp_path, monkeypatch):
    """It would end the sweep with that of the interrupted part."""
    monkeypatch.setattr(OptimizerStep, "take", sends(signal.SIGTERM, OptimizerStep.take, at_step(4)))
    monkeypatch.setattr("pinnkit.runs.environment.queued_again", lambda: again)
    launched = ["hydra/launcher=workers", "hydra.launcher.n_jobs=1", f"hydra.sweep.dir={tmp_path / 'sweep'}"]
    ends = pytest.raises(SystemExit, match="130") if again else contextlib.nullcontext()
    with ends:
        assert command(tmp_path, *WORDS, *launched, flags=["-m", "--allow-target", LAUNCHER]) == 130
    assert RunFolder(tmp_path / "sweep" / "0").read_metrics()["steps"] == 5
    assert (tmp_path / "sweep" / "summary.csv").exists() != again


def test_the_handlers_are_restored_after_divergence(tmp_path, monkeypatch):
    def diverges(self, *_):
        raise Diverged(self.state.progress.step, "decay")

    monkeypatch.setattr(OptimizerStep, "take", diverges)
    with pytest.raises(Diverged):
        solved(tmp_path)  # the fixture sees what is left


def test_interrupting_a_run_from_python_after_training_raises_and_keeps_the_reason(tmp_path, monkeypatch):
    monkeypatch.setattr(evaluation, "evaluate", sends(signal.SIGINT, evaluation.evaluate))
    with pytest.raises(KeyboardInterrupt):
        solved(tmp_path)
    assert RunFolder(tmp_path).read_metrics()["reason"].startswith("interrupted by SIGINT after training")
