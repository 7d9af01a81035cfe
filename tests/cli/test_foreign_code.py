"""Code that a configuration names: nothing runs but what the command line allows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pinnkit.cli import composition, targets
from pinnkit.cli.arguments import parse
from pinnkit.cli.check import check as checked
from pinnkit.cli.train import train
from tests.cli.hostile_files import ROOT, foreign
from tests.conftest import composed

EVIL = (
    "hydra: {{callbacks: {{evil: {{_target_: pathlib.Path.touch, self: {{_target_: pathlib.Path, _args_: [{}]}}}}}}}}"
)
OWN = """\
from pathlib import Path
from hydra.experimental.callback import Callback

class Own(Callback):
    def __init__(self, path):
        Path(path).touch()
"""


def script(argv: list[str], folder: Path) -> subprocess.CompletedProcess:
    """`python scripts/train.py ...`, with the folder among those that Python imports from."""
    paths = os.pathsep.join([str(folder), *filter(None, sys.path)])
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "train.py"), *argv],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False, env={**os.environ, "PYTHONPATH": paths},
    )  # fmt: skip


@pytest.mark.parametrize(("where", "flags"), [("experiment", []), ("train", ["-m"]), ("experiment", ["--run"])])
def test_a_foreign_file_runs_no_code(where, flags, tmp_path):
    done = script([*foreign(tmp_path, where, EVIL.format(tmp_path / "trace")), *flags], tmp_path)
    assert done.returncode == 2
    assert not (tmp_path / "trace").exists()
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith(
        "pinnkit: hydra.callbacks.evil._target_: names 'pathlib.Path.touch' as code to run: if you trust it, add "
        "--allow-target pathlib.Path.touch\n"
    )


def test_a_class_of_ones_own_is_allowed_by_the_command_line(tmp_path):
    (tmp_path / "mine.py").write_text(OWN)
    text = f"hydra: {{callbacks: {{own: {{_target_: mine.Own, path: {tmp_path / 'trace'}}}}}}}"
    argv = [*foreign(tmp_path, "experiment", text), "--run"]  # --run: Hydra alone, with callbacks and without training
    assert script(argv, tmp_path).returncode == 2
    assert not (tmp_path / "trace").exists()
    done = script([*argv, targets.FLAG, "mine.Own"], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "trace").exists()


def test_the_flag_is_handed_on_and_stands_in_no_file():
    given = parse(["pde=heat", targets.FLAG, "a.B", f"{targets.FLAG}=c.D", "--config-name", "other"])
    assert given.targets == ("a.B", "c.D")
    assert not given.plain
    assert parse(given.flags()).targets == given.targets
    assert parse(given.flags()).config_name == "other"


HYDRA: dict[str, tuple[str, str]] = {
    "an attribute of an allowed module": (
        "callbacks: {evil: {_target_: pinnkit.cli.train.os.system}}", "'pinnkit.cli.train.os.system'"),
    "a function of Hydra's": ("callbacks: {evil: {_target_: hydra.core.utils.configure_log}}", "configure_log"),
    "a target below": (
        "callbacks: {evil: {_target_: pinnkit.cli.multirun_summary.Summary, a: [{_target_: b.C}]}}", "a.0"
    ),
    "a launcher": ("launcher: {_target_: evil.Launcher}", "hydra.launcher._target_: names 'evil.Launcher'"),
    "a factory of logging": ("job_logging: {formatters: {a: {(): os.system}}, root: {}}", "formatters.a.(): names"),
    "a handler of logging": ("hydra_logging: {handlers: {a: {class: logging.os.system}}}", "a.class: names"),
    "an object of logging": ("job_logging: {handlers: {a: {stream: ext://os.system}}}", "a.stream: names 'ext://os"),
    "a mapping out of text": (
        "callbacks: {evil: '${oc.create:\"{_target_: os.system}\"}'}", "hydra.callbacks.evil: calls ${oc.create:...}"),
    "a default out of text": (
        "callbacks: {evil: '${oc.select:no,{_target_:os.system}}'}", "hydra.callbacks.evil: calls ${oc.select:...}"),
    "a resolver that is computed": ("callbacks: {evil: {a: '${${dtype}:b}'}}", "hydra.callbacks.evil.a: calls ${${"),
    "a target that is computed": ("callbacks: {evil: {_target_: '${dtype}'}}", "names '${dtype}' as code"),
    "the environment": ("job: {env_set: {LD_PRELOAD: evil.so}}", "hydra.job.env_set: has no place in a file"),
    "a sweep that -m does not ask for": ("mode: MULTIRUN", "hydra.mode: MULTIRUN: a sweep is asked for by -m"),
    "another working folder": ("job: {chdir: true}", "hydra.job.chdir: true: paths of the command line"),
    "a variable that is not there": ("job: {env_copy: [NOPE]}", "hydra.job.env_copy: there is no environment variable"),
    "a variable of the shell": ("job: {env_copy: [HOME]}", "hydra.job.env_copy: has no place in a file"),
    "words for the log": ("verbose: 5", "hydra.verbose: 5: true, false, or names of loggers are needed"),
    "another log": ("job_logging: {version: 7}", "hydra.job_logging: is not one of none, disabled, stdout as Hydra"),
    "another log of Hydra's": ("hydra_logging: {root: {handlers: [x]}}", "hydra.hydra_logging: is not one of none"),
    "a list of callbacks": ("callbacks: [5]", "experiment/evil.yaml: Cannot merge DictConfig with ListConfig"),
    "values of a sweep": ("sweeper: {params: {experiment: worse}}", "hydra.sweeper.params: has no place in a file"),
}  # fmt: skip


ANSWERED = [
    ["--hydra-help"],
    ["--cfg", "job"],
    ["--info"],
    ["-r"],
    ["--multi"],
    ["-m", "seed=1,2"],
]


@pytest.mark.parametrize("folder", ["../stolen", "/tmp/stolen", "..", "''", "'${oc.env:HOME}'", "[a]"])
def test_hydras_records_stay_in_the_run_folder(folder, tmp_path, conf, capsys):
    assert checked(foreign(tmp_path, "train", f"hydra: {{output_subdir: {folder}}}"), conf) == 2
    assert "hydra.output_subdir: " in capsys.readouterr().err


def test_a_run_folder_that_refers_to_nothing_is_told(tmp_path, conf, capsys):
    assert checked(foreign(tmp_path, "train", "hydra: {run: {dir: '${nothing}'}}"), conf) == 2
    assert "hydra.run.dir: Interpolation key 'nothing' not found" in capsys.readouterr().err


@pytest.mark.parametrize(("case", "flags"), [(case, []) for case in HYDRA] + [("a launcher", one) for one in ANSWERED])
def test_what_hydra_would_call_is_refused_before_it_runs(case, flags, tmp_path, conf, capsys, nothing_starts):
    text, expected = HYDRA[case]
    assert train([*foreign(tmp_path, "experiment", f"hydra: {{{text}}}"), *flags], conf) == 2
    assert expected in capsys.readouterr().err


def test_folders_and_records_that_would_not_be_checked_are_refused(conf, capsys):
    for flag in ("--config-path", "--experimental-rerun"):
        with pytest.raises(SystemExit) as caught:
            train([flag, "/tmp"], conf)
        assert caught.value.code == 2
        assert "are not taken: name a folder by --config-dir" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("+hydra.sweeper.params.seed=1", "hydra.sweeper.params.seed: cannot be set: give the values of a sweep on the"),
        ("hydra.sweeper.params={seed:1}", "hydra.sweeper.params: cannot be set: give the values of a sweep on the"),
        ("+hydra.job.env_set.FOO=1", "hydra.job.env_set.FOO: cannot be set: set the variables in the shell"),
        ("hydra.job.env_copy=[HOME]", "hydra.job.env_copy: cannot be set: set the variables in the shell"),
    ],
)
def test_what_has_no_place_on_the_command_line_is_refused(word, told, conf, capsys):
    for flags in ([], ["-m"]):
        assert train(["pde=heat", word, *flags], conf) == 2
        assert f"pinnkit: {told}" in capsys.readouterr().err


def test_only_a_variable_of_the_shell_is_reported_as_one(monkeypatch):
    monkeypatch.setattr(composition.Hydra, "compose_config", lambda *_, **__: {}["column"])
    with pytest.raises(KeyError, match="column"):
        composed([])
