"""The start of a checked run: in this process, or in processes of its own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from pinnkit.cli.arguments import Arguments
from pinnkit.cli.checks import Checked
from pinnkit.cli.quoting import quoted
from pinnkit.reporting.artifacts import RunFolder
from pinnkit.reporting.folder_lock import RunFolderLock
from pinnkit.runs import environment
from pinnkit.runs.configuration import folder_errors_as_mistakes


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
    text = saved_text(run.config, choice)
    return train(run.problem, run.settings, folder, text, arguments.overrides, run.resume)


def saved_text(config: Mapping[str, Any], choice: str | None) -> str:
    """config.yaml: the resolved configuration, which `--config-dir RUN --config-name config` runs again."""
    name = choice or config["pde"].get("name", "run")
    again = {
        "defaults": ["_self_", {"override hydra/job_logging": "none"}, {"override hydra/hydra_logging": "none"}],
        "hydra": {"run": {"dir": f"outputs/{name}/${{now:%Y-%m-%d_%H-%M-%S}}"}, "output_subdir": None},
    }
    return yaml.safe_dump({**again, **config, "overwrite": False}, sort_keys=False, allow_unicode=True)
