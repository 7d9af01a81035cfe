"""Run folders: nothing is touched before everything is checked, nothing that was there is lost, one run at a time."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import filelock
import pytest
import yaml

from pinnkit.language.errors import ProblemError
from pinnkit.reporting.artifacts import RunFolder, RunFolderError
from pinnkit.reporting.folder_lock import LOCK_FILE, MARKER_FILE, FolderUnavailableError, RunFolderLock
from pinnkit.runs.console import logged
from pinnkit.training.exceptions import CannotWrite
from tests.runs.small import DECAY, QUICK, WORDS, command, content, solved


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run, with TensorBoard and figures."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    shown = {"progress": False, "figures": True, "evaluate_every": 5}
    solved(folder, settings={**QUICK, "callbacks": shown, "logger": {"tensorboard": True}})
    (folder / "evaluation" / "figures").mkdir(parents=True)
    (folder / "evaluation" / "metrics.json").write_text("{}")
    (folder / "evaluation" / "figures" / "solution_u.png").write_bytes(b"")
    return folder


@pytest.fixture
def old(finished, tmp_path):
    """A copy of it."""
    subprocess.run(["cp", "-r", finished, tmp_path / "old"], check=True)
    return tmp_path / "old"


def test_a_folder_that_holds_a_run_is_refused(old):
    before = content(old)
    advice = "name another folder, or overwrite=true to remove that run"
    with pytest.raises(ProblemError, match=rf"run folder: {old} holds a run already \(finished, 10 steps\): {advice}"):
        solved(old)
    assert content(old) == before


LATE = {
    "too many parameters": ({}, {"phases": [{"name": "ssbroyden", "max_parameters": 3}]}, "max_parameters: 3, but 16"),
    "a bad table": ({}, {"reference": "bad.csv"}, "reference: "),
    "no spectral reference": ({"coordinates": {"x": [0, 1]}, "equations": {"decay": "u_x*u = -u"},
                               "conditions": {"start": {"at": "x = 0", "equations": "u = 1"}}, "exact": {}},
                              {"reference": "spectral"}, "reference: "),
    "a wrong setting": ({}, {"seed": -1}, "seed: -1"),
}  # fmt: skip


@pytest.mark.parametrize("case", LATE)
def test_a_mistake_that_is_found_late_leaves_the_folder_alone(case, old, tmp_path):
    words, settings, message = LATE[case]
    (tmp_path / "bad.csv").write_text("t,u\n0,what\n")
    before = content(old)
    with pytest.raises(ProblemError, match=message):
        solved(old, {**DECAY, **words, "folder": tmp_path}, {**QUICK, **settings}, overwrite=True)
    assert content(old) == before


def test_overwriting_removes_the_former_run_whole_and_nothing_else(old):
    (old / "notes.txt").write_text("mine")
    (old / "figures" / "mine.svg").write_text("mine too")
    (old / "checkpoints" / "kept.ckpt").write_text("and this")
    solved(old, overwrite=True)
    assert set(content(old)) == {
        ".pinnkit", "config.yaml", "metrics.json", "solution.npz", "history.jsonl", "train.log", "notes.txt",
        "figures/mine.svg", "checkpoints/kept.ckpt", "checkpoints/best.ckpt", "checkpoints/last.ckpt",
        "checkpoints/previous.ckpt", "report.html",
    }  # fmt: skip
    assert (old / "train.log").read_text().count("run folder") == 1
    steps = [json.loads(line)["step"] for line in (old / "history.jsonl").read_text().splitlines()]
    assert steps == sorted(set(steps))


@pytest.mark.parametrize("name", ["config.yaml", "metrics.json", "solution.npz", "train.log", "figures/error_u.png"])
def test_what_is_not_pinnkits_is_never_removed(name, tmp_path):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("{}")
    for overwrite in (False, True):
        told = f"run folder: {tmp_path} holds {name}, which no run of pinnkit has written: name another folder"
        with pytest.raises(ProblemError, match=re.escape(told)):
            solved(tmp_path, overwrite=overwrite)
    assert content(tmp_path) == {name: b"{}"}
    assert not (tmp_path / LOCK_FILE).exists()


@pytest.mark.parametrize("kept", ["metrics.json", "checkpoints/last.ckpt", "checkpoints/best.ckpt"])
def test_a_run_without_a_mark_is_known_by_what_it_holds(kept, old):
    """As runs of earlier versions are."""
    for name in content(old):
        if name not in ("config.yaml", kept):
            (old / name).unlink()
    with pytest.raises(FolderUnavailableError, match="holds a run already"):
        RunFolderLock(RunFolder(old)).check()
    RunFolderLock(RunFolder(old), overwrite=True).acquire()
    assert set(content(old)) == {MARKER_FILE}


def test_links_are_removed_and_not_followed(old, tmp_path):
    other = tmp_path / "elsewhere"
    (old / "checkpoints").rename(other)
    (old / "checkpoints").symlink_to(other)
    (tmp_path / "table.npz").write_bytes(b"mine")
    (old / "solution.npz").unlink()
    (old / "solution.npz").symlink_to(tmp_path / "table.npz")
    before = content(other)
    solved(old, overwrite=True)
    assert content(other) == before
    assert (tmp_path / "table.npz").read_bytes() == b"mine"
    assert not (old / "checkpoints").is_symlink()


def test_a_folder_in_the_place_of_a_checkpoint_is_told(tmp_path):
    (tmp_path / "checkpoints" / "last.ckpt").mkdir(parents=True)
    with pytest.raises(ProblemError, match=r"last\.ckpt is no file, and a run keeps one there: move it away"):
        solved(tmp_path, overwrite=True)


@pytest.mark.parametrize("name", ["train.log", "history.jsonl", "metrics.json", ".pinnkit"])
@pytest.mark.parametrize("resume", [False, True])
def test_a_pipe_in_the_place_of_a_file_is_told(name, resume, old):
    (old / name).unlink()
    os.mkfifo(old / name)
    before = {one for one in old.rglob("*") if one.name != LOCK_FILE}
    with pytest.raises(ProblemError, match=rf"{name} is no file, and a run keeps one there"):
        solved(old, overwrite=True, resume=resume)
    assert {one for one in old.rglob("*") if one.name != LOCK_FILE} == before


@pytest.mark.parametrize("name", ["checkpoints", "figures"])
def test_a_file_in_the_place_of_a_folder_of_the_run_is_told_before_anything_is_removed(name, old):
    subprocess.run(["rm", "-r", old / name], check=True)
    (old / name).write_text("")
    before = content(old)
    with pytest.raises(ProblemError, match=rf"{name} is no folder, and a run keeps one there"):
        solved(old, overwrite=True)
    assert content(old) == before


def test_a_log_that_cannot_be_written_does_not_end_the_run(old, tmp_path, monkeypatch, capfd):
    from pinnkit.runs import console

    def full(self):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(console._FileHandler, "flush", full)
    assert solved(tmp_path / "new").status == "finished"
    told = capfd.readouterr().err
    assert told.count("train.log cannot be written") == 1
    assert "Traceback" not in told


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path):
    (tmp_path / "taken").write_text("")
    for path in (tmp_path / "taken", tmp_path / "taken" / "below"):
        with pytest.raises(ProblemError, match="no folder can be made there, as a file is in the way"):
            solved(path)


@pytest.mark.parametrize("resume", [False, True])
def test_a_second_run_in_a_folder_is_refused_while_the_first_goes_on(resume, old):
    before = content(old)
    with filelock.FileLock(old / LOCK_FILE), pytest.raises(ProblemError, match="another run works in this folder now"):
        solved(old, resume=resume, overwrite=True)
    assert content(old) == before


def test_the_lock_of_a_process_that_was_killed_does_not_hold(old):
    script = "import filelock, os, sys; filelock.FileLock(sys.argv[1]).acquire(); os.kill(os.getpid(), 9)"
    assert subprocess.run([sys.executable, "-c", script, old / LOCK_FILE]).returncode == -9
    assert solved(old, resume=True).status == "finished"


def test_a_run_that_ended_in_any_way_leaves_no_lock(old, monkeypatch):
    for refused in (False, True):
        if refused:
            with pytest.raises(ProblemError):
                solved(old)
        with filelock.FileLock(old / LOCK_FILE, timeout=0):
            pass


def test_the_command_refuses_overwrites_and_repeats(tmp_path, capfd):
    words = [*WORDS, f"hydra.run.dir={tmp_path / 'out'}"]
    assert command(tmp_path, *words) == 0
    before = content(tmp_path / "out")
    capfd.readouterr()
    assert command(tmp_path, *words) == 2
    told = capfd.readouterr().err
    assert told.count("holds a run already") == 1
    assert "Traceback" not in told
    assert content(tmp_path / "out") == before
    assert command(tmp_path, *words, "overwrite=true") == 0
    kept = yaml.safe_load((tmp_path / "out" / "config.yaml").read_text())
    assert kept["overwrite"] is False  # it was for that run, not for those that repeat it


def test_users_files_survive_a_run_in_their_folder(tmp_path, monkeypatch, capfd):
    mine = {"config.yaml": b"a: 1\n", "metrics.json": b"[]", "solution.npz": b"numbers"}
    for name, text in mine.items():
        (tmp_path / name).write_bytes(text)
    monkeypatch.chdir(tmp_path)
    for more in ([], ["overwrite=true"]):
        assert command(tmp_path, *WORDS, "hydra.run.dir=.", *more) == 2
    assert "which no run of pinnkit has written" in capfd.readouterr().err
    assert {name: (tmp_path / name).read_bytes() for name in mine} == mine
    assert {path.name for path in tmp_path.iterdir()} == {*mine, "pde"}


def test_two_runs_of_a_sweep_in_one_folder_are_refused_and_a_repeated_sweep_is_not(tmp_path, capfd):
    words = [*WORDS, f"hydra.sweep.dir={tmp_path / 'sweep'}", "hydra.sweep.subdir=same"]
    assert command(tmp_path, *words, "seed=1,2", flags=["-m"]) == 2
    assert "holds a run already" in capfd.readouterr().err
    run = RunFolder(tmp_path / "sweep" / "same")
    assert (run.read_metrics()["status"], run.read_metrics()["seed"]) == ("finished", 1)
    assert command(tmp_path, *words, "seed=1", flags=["-m"]) == 0  # the same once more
    assert command(tmp_path, *words, "seed=3", flags=["-m"]) == 2
    assert run.read_metrics()["seed"] == 1
    assert command(tmp_path, *words, "seed=3", "overwrite=true", flags=["-m"]) == 0
    assert run.read_metrics()["seed"] == 3


def test_a_sweep_whose_run_failed_before_it_began_can_be_repeated(tmp_path, capfd):
    words = [*WORDS, f"hydra.sweep.dir={tmp_path / 'sweep'}", "optimizer.max_parameters=3,1000"]
    for _ in range(2):
        assert command(tmp_path, *words, flags=["-m"]) == 2
        rows = [RunFolder(tmp_path / "sweep" / name).read_metrics()["status"] for name in "01"]
        assert rows == ["failed", "finished"]


def test_a_requeued_job_that_had_hardly_begun_begins_again(tmp_path, monkeypatch, capfd):
    run = RunFolder(tmp_path / "out")
    RunFolderLock(run).acquire()
    run.write_config("seed: 0\n")
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    assert command(tmp_path, *WORDS, f"hydra.run.dir={run.path}") == 0


def test_warnings_of_the_checks_are_told_once_and_kept(tmp_path, capfd):
    words = {
        "coordinates": {"x": [0, 1], "t": [0, 1]},
        "fields": ["u"],
        "equations": {"wave": "u_tt = u_xx"},
        "conditions": {
            "start": {"at": "t = 0", "equations": "u = sin(pi*x)"},
            "ends": {"at": ["x = 0", "x = 1"], "equations": "u = 0"},
        },
    }
    (tmp_path / "pde").mkdir()
    (tmp_path / "pde" / "decay.yaml").write_text(yaml.safe_dump(words))
    assert command(tmp_path, *WORDS, f"hydra.run.dir={tmp_path / 'out'}") == 0
    (warning,) = [line for line in (tmp_path / "out" / "train.log").read_text().splitlines() if "WARNING" in line]
    message = warning.split("WARNING ")[1]
    assert "u has order 2 in t but 1 condition at a fixed t" in message
    assert capfd.readouterr().err.count(message) == 1


def test_what_is_told_before_there_is_a_file_is_kept_in_it(tmp_path, capfd):
    import logging

    log = logging.getLogger("pinnkit")
    with logged() as kept:
        log.warning("early")
        kept.keep(tmp_path / "log")
        log.info("late")
    log.warning("after")
    lines = (tmp_path / "log").read_text().splitlines()
    assert [line.split(" ", 2)[2] for line in lines] == ["WARNING early", "INFO late"]
    assert capfd.readouterr().err.splitlines()[:2] == ["early", "late"]


@pytest.mark.parametrize("name", ["", "checkpoints", "figures"])
@pytest.mark.parametrize("resume", [False, True])
def test_a_closed_folder_is_told_before_anything_is_removed(name, resume, old, monkeypatch):
    """Root may write anywhere: what a user could not is told by os.access alone."""
    closed, access = str(old / name), os.access
    monkeypatch.setattr(os, "access", lambda path, mode: str(path) != closed and access(path, mode))
    before = content(old)
    with pytest.raises(CannotWrite, match=rf"{old} cannot be written \(.*Permission denied: '{closed}'\)"):
        solved(old, resume=resume, overwrite=True)
    assert content(old) == before


def test_a_run_folder_that_cannot_be_read_is_told(old, monkeypatch, capfd):
    def closed(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", closed)
    with pytest.raises(RunFolderError, match=r"config\.yaml: cannot be read \(Permission denied\)"):
        RunFolder(old).read_config()
