"""Commands of documented shell blocks, run in this process with training cut to a few steps."""

from __future__ import annotations

import os
import re
import runpy
import shlex
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pinnkit.cli import main, sweep
from pinnkit.cli.trial import Outcome
from pinnkit.runs import solve
from tests.conftest import ROOT

STEPS, POINTS = 3, 64
"""Steps and points of a training run of a page."""
SET_UP = r"python3? -m venv|\. |source |pip install|git clone|python3? -m pytest|tensorboard|deactivate|export "
"""Commands that set up a Python or a shell, watch a run, or start these tests: taken for done."""
SHELL = ("ls", "cat", "head", "tail", "mkdir", "cp", "mv", "echo", "printf", "wc", "test", "sort", "cut")
STAMP = re.compile(r"outputs/[\w-]+/\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d")
"""A run folder as pages write it: the newest run of that problem stands for it."""
PROCESSES = re.compile(r"hydra/launcher=|trainer\.(devices|nodes)=(?!1\b)|trainer=(ddp|multi|gpu)")


def cut_training(patch: pytest.MonkeyPatch) -> None:
    """Every run has a few steps on a few points, and draws no figures; a sweep has two trials without a run."""
    read = solve.read

    def short(given):
        settings = read(given)
        return replace(
            settings,
            trainer=replace(settings.trainer, max_steps=STEPS),
            sampling=replace(settings.sampling, equations=POINTS, conditions=POINTS // 4),
            callbacks=replace(settings.callbacks, figures=False),
            logger=replace(settings.logger, tensorboard=False),
            reference_max_time=1.0,
        )

    patch.setattr(solve, "read", short)
    patch.setattr(sweep, "run", lambda *_: Outcome("complete", 1.0))


def run_shell(text: str, folder: Path, refused: str, capture: pytest.CaptureFixture) -> None:
    """Run the commands of a block, one after the other.

    Args:
        refused: part of the message with which the last command is refused, exit code 2; empty: all succeed.
    """
    lines = [line for line in re.sub(r"\\\n\s*", " ", text).splitlines() if line.strip()]
    for line in lines:
        for words in _commands(line):
            given, code = _run(words, folder)
            if refused:
                assert (code, refused in capture.readouterr().err) == (2, True), f"{given}: is not refused so"
            else:
                assert code == 0, f"{given}: exit code {code}"


def _commands(line: str) -> list[list[str]]:
    """The commands of a line, as words; && stands between them."""
    commands: list[list[str]] = [[]]
    for word in shlex.split(line, comments=True):
        if word == "&&":
            commands.append([])
        else:
            commands[-1].append(word)
    return [one for one in commands if one]


def _run(words: list[str], folder: Path) -> tuple[str, int]:
    line = " ".join(words)
    if re.match(SET_UP, line):
        _check_extras(line)
        return line, 0
    words = [STAMP.sub(lambda found: _newest(found[0], folder), word) for word in words]
    for start in (["pinnkit"], ["python", "-m", "pinnkit"]):
        if words[: len(start)] == start:
            return line, _pinnkit(words[len(start) :], line)
    if words[0] == "cd":
        os.chdir(words[1])
        return line, 0
    if words[0] == "python" and words[1].startswith("scripts/") and Path(words[1]).stem in main.COMMANDS:
        return line, _pinnkit([Path(words[1]).stem, *words[2:]], line)
    if words[0] == "python" and Path(words[1]).is_file():
        runpy.run_path(words[1], run_name="__main__")
        return line, 0
    assert words[0] in SHELL, f"{line}: mark this block with <!-- test: slow --> or <!-- test: skip, REASON -->"
    return line, subprocess.run(words, check=False, stdout=subprocess.DEVNULL).returncode


def _pinnkit(words: list[str], line: str) -> int:
    assert not PROCESSES.search(line), f"{line}: starts processes; mark its block with <!-- test: slow -->"
    if words[:1] == ["sweep"]:
        words = [*words, "sweep.trials=2", "sweep.workers=1"]
    if words[:1] == ["evaluate"]:
        words = [re.sub(r"^grid=.*", "grid=21", word) for word in words]
    sys.argv[0] = "pinnkit"
    while list(Path("outputs").glob(time.strftime("*/%Y-%m-%d_%H-%M-%S"))):
        time.sleep(0.05)  # a folder is named by the second: two runs of a page may be shorter than that
    return main.pinnkit(words)


def _newest(stamped: str, folder: Path) -> str:
    runs = sorted(folder.joinpath(stamped).parent.glob("*/metrics.json"), key=lambda path: path.stat().st_mtime)
    assert runs, f"{stamped}: no command above leaves a run of this problem"
    return runs[-1].parent.relative_to(folder).as_posix()


def _check_extras(line: str) -> None:
    """Check that pyproject.toml has the extras that a pip command names."""
    _, _, table = (ROOT / "pyproject.toml").read_text().partition("[project.optional-dependencies]")
    there = re.findall(r"^(\w+) = \[", table.split("\n[")[0], re.MULTILINE)
    for names in re.findall(r"(?:pinnkit|\.)\[([\w,-]+)\]", line):
        assert set(names.split(",")) <= set(there), f"{line}: there are {', '.join(there)}"
