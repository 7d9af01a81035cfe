"""Every command ends in words: its help, its streams, the environment, and what nothing else foresees."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pinnkit.cli import checks, entry, quoting, run_folders
from pinnkit.cli import train as command
from pinnkit.cli.arguments import parse
from pinnkit.cli.check import check
from pinnkit.cli.compare import compare
from pinnkit.cli.composition import Composer
from pinnkit.cli.entry import run
from pinnkit.cli.evaluate import evaluate
from pinnkit.cli.references import make_references
from pinnkit.cli.sweep import sweep
from pinnkit.cli.train import train
from pinnkit.language.errors import Mistake, ProblemError
from pinnkit.runs import environment
from pinnkit.runs.resources import check_environment
from tests.conftest import composed

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = {
    "train": lambda argv: train(argv, ROOT / "conf"),
    "check": lambda argv: check(argv, ROOT / "conf"),
    "evaluate": evaluate,
    "compare": compare,
    "sweep": lambda argv: sweep(argv, ROOT / "conf"),
    "make_references": lambda argv: make_references(argv, ROOT / "nowhere"),
}


@pytest.fixture(autouse=True)
def _no_run(nothing_starts, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")


# Help


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("name", COMMANDS)
def test_help_tells_usage_and_exit_codes(name, flag, capsys, tmp_path):
    assert COMMANDS[name](["pde=heat", flag]) == 0
    out, err = capsys.readouterr()
    assert f"usage: python scripts/{name}.py" in out
    assert "xit codes: 0 " in out
    assert err == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["train", "make_references", "compare"])
def test_help_of_a_script_loads_neither_torch_nor_matplotlib(name):
    line = [sys.executable, "-X", "importtime", str(ROOT / "scripts" / f"{name}.py"), "--help"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert "usage: python" in done.stdout
    loaded = {line.split("|")[-1].strip() for line in done.stderr.splitlines()}
    assert "pinnkit.cli.entry" in loaded
    assert not {"torch", "lightning", "matplotlib"} & loaded


# Errors


def test_what_nothing_foresees_is_told_with_the_file_of_its_traceback(capsys, monkeypatch):
    def fails() -> int:
        raise ZeroDivisionError("a\nb")

    assert run(fails) == 1
    err = capsys.readouterr().err
    assert err.startswith("pinnkit: an error that should have been foreseen: ZeroDivisionError: a b\nplease report it")
    path = Path(err.split()[-1])
    assert "in fails" in path.read_text()
    path.unlink()
    monkeypatch.setenv(entry.SHOW, "1")
    with pytest.raises(ZeroDivisionError):
        run(fails)


def test_an_interruption_before_anything_began_is_told(capsys):
    def stopped() -> int:
        raise KeyboardInterrupt

    assert run(stopped) == 130
    assert capsys.readouterr().err == "pinnkit: interrupted\n"


SCRIPT = """
import sys
from pinnkit.cli.entry import run
sys.exit(run(lambda: print({text})))
"""


@pytest.mark.parametrize(
    ("shell", "code", "told"),
    [
        ("{} > /dev/full", 1, "pinnkit: standard output cannot be written: No space left on device\n"),
        ("{} >&-", 0, ""),
        ("(sleep 0.3; exec {} ) | true; exit ${{PIPESTATUS[0]}}", 1, ""),
        ("PYTHONIOENCODING=ascii {}", 0, ""),
    ],
)
def test_streams_that_are_closed_full_or_without_letters(shell, code, told, tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT.format(text="'é' * 100"), encoding="utf-8")
    line = shell.format(f"{sys.executable} script.py")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (code, told)


def test_a_working_folder_that_is_gone_is_told(tmp_path, monkeypatch, capsys):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert run(lambda: pytest.fail("the command would have started")) == 2
    assert capsys.readouterr().err.startswith("pinnkit: the working folder has been removed")


def test_an_unknown_backend_of_matplotlib_is_in_no_ones_way(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "nope")
    assert run(lambda: int(os.environ["MPLBACKEND"] != "agg")) == 0


# The environment

VARIABLES = [
    ({"RANK": "x", "WORLD_SIZE": "2"}, "RANK: 'x' is no whole number: torchrun sets it"),
    ({"RANK": "-1", "WORLD_SIZE": "2"}, "RANK: '-1' is no whole number"),
    ({"RANK": ""}, "RANK: '' is no whole number"),
    ({"RANK": "1"}, "RANK: 1, but WORLD_SIZE is not set: start the command by torchrun, or unset RANK"),
    ({"RANK": "2", "WORLD_SIZE": "2"}, "RANK: 2 is not less than WORLD_SIZE=2"),
    ({"WORLD_SIZE": "two"}, "WORLD_SIZE: 'two' is no whole number"),
    ({"LOCAL_RANK": "9" * 20}, "LOCAL_RANK: '99999999999999999999' is no whole number"),
    ({"SLURM_NTASKS": "x"}, "SLURM_NTASKS: 'x' is no whole number: SLURM sets it"),
    ({"SLURM_NTASKS": "2"}, "SLURM_NTASKS: 2, but srun has not started this process"),
    ({"SLURM_PROCID": "\u00b2"}, "SLURM_PROCID: '\u00b2' is no whole number"),
    ({"SLURM_RESTART_COUNT": "1e3"}, "SLURM_RESTART_COUNT: '1e3' is no whole number"),
    ({"TORCHINDUCTOR_CACHE_DIR": "/dev/null/x"}, "TORCHINDUCTOR_CACHE_DIR: '/dev/null/x': no folder can be made"),
]


@pytest.mark.parametrize(("variables", "told"), VARIABLES)
@pytest.mark.parametrize("name", ["train", "check", "sweep"])
def test_variables_that_do_not_say_how_a_process_was_started_are_refused(name, variables, told, capsys, monkeypatch):
    for variable, text in variables.items():
        monkeypatch.setenv(variable, text)
    assert COMMANDS[name](["pde=heat"]) == 2
    assert f"pinnkit: {told}" in capsys.readouterr().err


def test_an_interactive_job_of_slurm_is_one_process(monkeypatch):
    monkeypatch.setenv("SLURM_NTASKS", "2")
    monkeypatch.setenv("SLURM_JOB_NAME", "interactive")
    assert list(environment.mistakes()) == []
    assert environment.rank() is None


@pytest.mark.parametrize(
    ("variables", "tells"),
    [
        ({}, True),
        ({"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "4"}, True),
        ({"RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "4"}, False),
        ({"RANK": "2", "LOCAL_RANK": "0", "WORLD_SIZE": "4"}, True),
        ({"SLURM_NTASKS": "4", "SLURM_PROCID": "3", "SLURM_LOCALID": "1"}, False),
    ],
)
def test_a_mistake_is_told_once_on_each_machine(variables, tells, monkeypatch, capsys):
    for variable, text in variables.items():
        monkeypatch.setenv(variable, text)
    entry.print_error("wrong")
    assert capsys.readouterr().err == ("pinnkit: wrong\n" if tells else "")


@pytest.mark.parametrize("fails", ["first", "later"])
def test_a_process_that_alone_is_refused_tells_it_after_a_while(fails, monkeypatch, capsys):
    """Were it the mistake of all, the end of the first would have ended it before."""
    waited: list[float] = []
    monkeypatch.setattr(entry.time, "sleep", waited.append)
    for name, value in {"RANK": "3", "LOCAL_RANK": "3", "WORLD_SIZE": "4"}.items():
        monkeypatch.setenv(name, value)

    def refused(*_: object, **__: object) -> int:
        raise ProblemError([Mistake("trainer.accelerator", "gpu: no CUDA device is at hand")])

    monkeypatch.setattr(checks, "check_run", refused if fails == "first" else lambda *_: None)
    monkeypatch.setattr(command, "start", refused)
    assert COMMANDS["train"](["pde=heat"]) == 2
    assert capsys.readouterr().err == "pinnkit: process 3: trainer.accelerator: gpu: no CUDA device is at hand\n"
    assert waited == [entry.PATIENCE]


def test_a_wrong_number_of_a_process_is_told_at_once(monkeypatch, capsys):
    monkeypatch.setattr(entry.time, "sleep", lambda _: pytest.fail("no process waits for another"))
    for name, value in {"RANK": "5", "LOCAL_RANK": "0", "WORLD_SIZE": "4"}.items():
        monkeypatch.setenv(name, value)
    assert COMMANDS["train"](["pde=heat"]) == 2
    assert "pinnkit: RANK: 5 is not less than WORLD_SIZE=4" in capsys.readouterr().err


def test_only_a_cache_that_is_named_is_checked(monkeypatch, tmp_path):
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR", raising=False)
    monkeypatch.setattr("pinnkit.runs.resources.os.access", lambda *_: False)  # the working folder is read-only
    check_environment()


# Folders of runs


@pytest.mark.parametrize("name", ["train", "check"])
@pytest.mark.parametrize("folder", ["/proc/x", "/dev/null/x", "x" * 300, "a/" * 5000, "file/x", "file"])
def test_a_folder_that_cannot_be_made_is_refused(name, folder, capsys, tmp_path):
    (tmp_path / "file").touch()
    assert COMMANDS[name](["pde=heat", f"hydra.run.dir={folder}"]) == 2
    assert "pinnkit: hydra.run.dir: no folder can be made at " in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_whose_disk_is_full_is_refused(monkeypatch, tmp_path):
    def full(path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "mkdir", full)
    assert (
        run_folders.unwritable_reason(tmp_path / "run")
        == f"no folder can be made at {tmp_path / 'run'}: No space left on device"
    )


ODD = [
    "it's",
    "a b",
    "a,b",
    "a=b",
    "a{b}",
    'a"b',
    "a$b",
    "a\\b",
    "a\\",
    "\u00e9",
    "a;b",
    "a#b",
    "[a]",
    "(a)",
    "-x",
    "a'",
]


@pytest.mark.parametrize("name", ODD)
def test_a_run_folder_may_have_any_name(name, conf):
    for word in (f"hydra.run.dir=runs/{name}", f"hydra.run.dir={quoting.quoted(f'runs/{name}')}"):
        arguments = parse([word])
        assert Composer(arguments, conf).compose(arguments.overrides).folder == Path("runs", name)
    assert composed([f"resume=runs/{name}"])["resume"] == f"runs/{name}"
    assert quoting.unquoted(quoting.quoted(name)) == name
