"""The start of a checked run: in this process, or in processes of its own."""

from __future__ import annotations

import os
from pathlib import Path

from pinnkit.cli.arguments import Arguments
from pinnkit.cli.checks import Checked
from pinnkit.cli.quoting import quoted
from pinnkit.reporting.artifacts import RunFolder
from pinnkit.reporting.folder_lock import RunFolderLock
from pinnkit.runs import environment
from pinnkit.runs.configuration import folder_errors_as_mistakes, repeatable


def start(arguments: Arguments, run: Checked, folder: Path, choice: str | None = None) -> int:
    """Train in this process, or start the processes that do; the exit code.

    Args:
        choice: the option of the group `pde`, by which later runs are named.

    Raises:
        ProblemError: the configuration is wrong, or the folder is not free.
    """
    if environment.first():
        with folder_errors_as_mistakes(run.resume):
            RunFolderLock(RunFolder(folder), overwrite=run.settings.overwrite, resume=run.resume).check()
    # OpenMP's threads wait for each other by spinning. Where another program holds a core they spin through its whole
    # time slices: a step was seen to take 80 times as long. After 2000 rounds they sleep, at no cost otherwise.
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    from pinnkit.cli.launch import launch, processes  # torch is loaded here, after every check
    from pinnkit.cli.train_and_measure import run as train

    if environment.rank() is None and (count := processes(run.settings.trainer)) > 1:
        again = [*arguments.restart_arguments(), f"hydra.run.dir={quoted(folder)}"]
        again += ["overwrite=true"] if run.settings.overwrite else []
        return launch(count, again, folder)
    text = repeatable(run.config, choice)
    return train(run.problem, run.settings, folder, text, arguments.overrides, run.resume)
