"""Sweeps by Hydra: every value is checked before the first run, and each run leaves its exit code and its row."""

from __future__ import annotations

import os
import shutil
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from hydra._internal.callbacks import Callbacks
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.core.utils import configure_log
from hydra.errors import HydraException
from hydra.types import HydraContext
from omegaconf import DictConfig, read_write
from omegaconf.errors import OmegaConfBaseException

from pinnkit.cli.arguments import Arguments
from pinnkit.cli.checks import check_configuration
from pinnkit.cli.composition import Composer, Composition, task_of
from pinnkit.cli.dispatch import start
from pinnkit.cli.entry import FAILED, INTERRUPTED, print_error, report_error
from pinnkit.cli.multirun_summary import EXIT_CODE, Summary
from pinnkit.cli.quoting import quoted
from pinnkit.cli.requeue import interrupted, requeued_override
from pinnkit.cli.variants import variants
from pinnkit.language.errors import Mistake, ProblemError, Report
from pinnkit.reporting.artifacts import RunFolder, RunFolderError
from pinnkit.reporting.atomic import write_text
from pinnkit.reporting.folder_lock import FOLDER_KEY
from pinnkit.runs import environment
from pinnkit.runs.configuration import check_same, repeatable, with_settings
from pinnkit.runs.validation import read_and_check
from pinnkit.training.signals import Interrupted

SLURM = ("hydra/launcher=slurm", "hydra/launcher=submitit_slurm")
"""Launchers that ask SLURM for jobs."""


class SweepEnded(BaseException):
    """A run of a sweep was interrupted, and the sweep with it. No Exception: Hydra would go on with the next run."""


def check_sweep(composer: Composer) -> Composition:
    """The configuration of a sweep after the check of each value that its runs differ in.

    Raises:
        ProblemError: what is wrong with the sweep or with one of its runs.
    """
    arguments = composer.arguments
    if mistake := _no_sweep(arguments.overrides):
        raise ProblemError([mistake])
    for overrides in variants(arguments.overrides, composer.folders):
        check_configuration(composer.compose(overrides).task, overrides, elsewhere=_launched(overrides))
    sweep = composer.compose_sweep()
    sweep.check_folder("hydra.sweep.dir")
    if _launched(arguments.overrides):
        _name_folder_in_full(sweep.whole)
    return sweep


def run_sweep(composer: Composer, sweep: Composition) -> int:
    """Run a checked sweep by Hydra's sweeper and launcher; the worst exit code of its runs.

    Raises:
        ProblemError: values that are right one by one cannot be composed with each other.
    """
    arguments, whole = composer.arguments, sweep.whole
    codes: list[int] = []
    configure_log(whole.hydra.hydra_logging, whole.hydra.verbose)
    callbacks = Callbacks(whole)
    callbacks.on_multirun_start(config=whole, config_name=arguments.config_name)
    context = HydraContext(config_loader=composer.hydra.config_loader, callbacks=callbacks)
    job = partial(_job, arguments, composer.folders, codes)
    try:
        sweeper = Plugins.instance().instantiate_sweeper(config=whole, hydra_context=context, task_function=job)
        sweeper.sweep(arguments=list(whole.hydra.overrides.task))
    except SweepEnded:
        print_error("the sweep ends here")
        return INTERRUPTED
    except (HydraException, OmegaConfBaseException) as error:
        raise ProblemError([composer.mistake(error, arguments.overrides)]) from None
    callbacks.on_multirun_end(config=whole, config_name=arguments.config_name)
    return max(codes, default=Summary.code)  # a launcher may have run them elsewhere


def _job(arguments: Arguments, folders: Sequence[Path], codes: list[int], config: DictConfig) -> None:
    """One run of a sweep, here or where a launcher has brought it; its exit code is left in its folder."""
    hydra = HydraConfig.get()
    folder = Path(hydra.runtime.output_dir)
    run = replace(arguments, overrides=tuple(hydra.overrides.task), multirun=False)
    (folder / EXIT_CODE).unlink(missing_ok=True)
    try:
        _enter(hydra.runtime.cwd)
        code = _run(run, config, folder, folders, hydra.runtime.choices.get("pde"))
    except ProblemError as error:
        code = report_error(error)
        if not any(mistake.key == FOLDER_KEY for mistake in error.mistakes):
            _write_row(folder, run, "failed", str(error))
    except (KeyboardInterrupt, Interrupted) as error:
        code = interrupted(error)
        _write_row(folder, run, "interrupted", str(error))
    except Exception as error:
        code = FAILED  # the other runs of the sweep go on
        traceback.print_exc()
        _write_row(folder, run, "failed", f"{type(error).__name__}: {error}")
    if environment.first():
        write_text(folder / EXIT_CODE, f"{code}\n")
    codes.append(code)
    if code == INTERRUPTED and hydra.runtime.choices.get("hydra/launcher") == "basic":
        Summary.write(Path(hydra.sweep.dir))
        raise SweepEnded
    if code == INTERRUPTED and environment.queued_again():
        raise SystemExit(code)  # a launcher that is given no result waits for that of the job when it has run again


def _enter(folder: str) -> None:
    """Work in the folder in which the sweep was started: paths of the command line count from there.

    Raises:
        ProblemError: this machine has no such folder.
    """
    try:
        os.chdir(folder)
    except OSError as error:
        message = f"the sweep was started in {folder}, which this machine does not have ({error})"
        raise ProblemError([Mistake("hydra/launcher", f"{message}: start it in a folder that all share")]) from None


def _run(arguments: Arguments, config: DictConfig, folder: Path, folders: Sequence[Path], choice: str | None) -> int:
    """Train with the configuration that Hydra has composed for a run; the exit code.

    Raises:
        ProblemError: the configuration is wrong.
    """
    task = task_of(config, choice, arguments.files, folders)
    if environment.requeued():  # the job of a launcher
        change = requeued_override(folder)
        task |= {"resume": str(folder)} if change.startswith("resume=") else {"overwrite": True}
        arguments = replace(arguments, overrides=(*arguments.overrides, change))
    task["overwrite"] = _may_overwrite(task, choice, RunFolder(folder))
    return start(arguments, check_configuration(task, arguments.overrides), folder, choice)


def _may_overwrite(config: Mapping[str, Any], choice: str | None, run: RunFolder) -> bool:
    """Whether a run of a sweep removes the run that its folder holds: where that is asked for, or it is the same.

    A sweep that is repeated runs again; two runs of one sweep that were given one folder do not.
    """
    if config.get("overwrite") is not False:
        return bool(config.get("overwrite"))
    try:
        kept = run.read_config()
    except RunFolderError:
        return True  # nothing there, or the row of a run that never began
    from pinnkit.runs.resolved import resolved  # torch is loaded here

    problem, settings = read_and_check({**config, "overwrite": False})
    report = Report()
    check_same(with_settings(repeatable(config, choice), resolved(problem, settings)), kept, run.config, report)
    return not report.mistakes


def _write_row(folder: Path, arguments: Arguments, status: str, reason: str) -> None:
    """Write the row of a run that ended before it could write its own."""
    run = RunFolder(folder)
    if environment.first() and not run.has_own_metrics():
        run.create().write_metrics({"status": status, "reason": reason, "overrides": list(arguments.overrides)})


def _launched(overrides: Sequence[str]) -> bool:
    """Whether a launcher starts the runs of a sweep elsewhere."""
    return any(one.startswith("hydra/launcher=") and one != "hydra/launcher=basic" for one in overrides)


def _name_folder_in_full(whole: DictConfig) -> None:
    """Make `hydra.sweep.dir` absolute, for the sweep and its runs: a worker of Ray has a working folder of its own."""
    folder = str(Path(whole.hydra.sweep.dir).absolute())
    with read_write(whole.hydra):
        whole.hydra.sweep.dir = folder
        whole.hydra.overrides.hydra.append(f"hydra.sweep.dir={quoted(folder)}")


def _no_sweep(overrides: Sequence[str]) -> Mistake | None:
    """Why these cannot be the runs of a sweep."""
    if environment.rank() is not None:
        message = "a sweep starts the processes of each run itself: leave torchrun or srun away, or run it without -m"
        return Mistake("--multirun", message)
    if any(one.startswith("resume=") for one in overrides):
        return Mistake("resume", "goes on with one run, in its folder: run it without -m")
    if shutil.which("srun") is None and any(one in SLURM for one in overrides):
        message = "there is no srun on this machine: start the sweep where SLURM is, or choose hydra/launcher=workers"
        return Mistake("hydra/launcher", message)
    return None
