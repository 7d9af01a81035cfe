"""`python scripts/train.py`: compose, check, train."""

from __future__ import annotations

import os
import shutil
import sys
import traceback
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import hydra
import yaml
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from pinnkit.cli.arguments import Arguments, as_hydra, composition, configuration, parse, variants
from pinnkit.cli.entry import FAILED, FINISHED, INTERRUPTED, asks_help, refused, say, wrong
from pinnkit.cli.paths import quoted, unquoted
from pinnkit.cli.resume import resumed
from pinnkit.cli.sweep import EXIT_CODE, Summary
from pinnkit.language.errors import Mistake, ProblemError, Report
from pinnkit.problem.problem import Problem
from pinnkit.reporting.artifacts import RunFolder, RunFolderError
from pinnkit.reporting.atomic import write_text
from pinnkit.reporting.folder_lock import FOLDER_KEY, RunFolderLock
from pinnkit.runs import environment
from pinnkit.runs.configuration import check_same, refusing, with_settings
from pinnkit.runs.resources import check_environment, check_run
from pinnkit.runs.validation import read_and_check
from pinnkit.settings import Settings
from pinnkit.training.signals import REQUEUES, Interrupted, raising

HELP = """
Train a network on a problem, and leave a run folder with its solution, errors, figures and checkpoints.

usage: python scripts/train.py [pde=NAME] [KEY=VALUE ...] [--config-dir FOLDER] [-m]

  pde=NAME                a problem: conf/pde/NAME.yaml, or FOLDER/pde/NAME.yaml of your own (default: heat)
  network.width, .depth   size of the network             sampling.equations, .conditions   points
  optimizer=NAME          auto, adam, soap, lbfgs, ssbroyden ...; phases=[...]: one after the other
  operators=NAME          auto, autograd, compiled, jets: how derivatives are computed
  trainer.max_time        seconds of training             trainer.max_steps                 optimizer steps
  trainer=NAME            cpu, gpu, ddp, ddp_cpu, multi_node
  reference, manufactured what the error is measured against
  resume=RUN_FOLDER       go on from the last checkpoint of a run
  hydra.run.dir=FOLDER    the run folder (default: outputs/NAME/DATE)
  seed, dtype             0; float64 or float32
  --config-dir FOLDER     configuration files of your own, which come before those of conf/
  --allow-target CLASS    code that a file of yours may name to be run
  -m, --multirun          a run for each value of a sweep: network.width=10,20,40
  --cfg job, --info       the composed configuration, as Hydra shows it; --hydra-help: Hydra's other flags

examples:
  python scripts/train.py pde=burgers network.width=40 trainer.max_time=120
  python scripts/train.py --config-dir my_conf pde=fisher optimizer=lbfgs
  python scripts/train.py resume=outputs/heat/2026-01-31_12-00-00 trainer.max_steps=8000

Every key, with its meaning and default, stands in conf/. Exit codes: 0 finished, 2 the configuration is wrong,
3 training diverged, 130 interrupted (a checkpoint was written), 1 a process was lost or a file cannot be written.
"""

SLURM = ("hydra/launcher=slurm", "hydra/launcher=submitit_slurm")
"""Launchers that ask SLURM for jobs."""


class SweepEnded(BaseException):
    """A run of a sweep was interrupted, and the sweep with it. No Exception: Hydra would go on with the next run."""


def train(argv: Sequence[str], conf: Path) -> int:
    """Train as the command line says; returns the exit code.

    0 finished; 2 the configuration is wrong (a message, no traceback); 3 training diverged; 130 interrupted.
    Every value of a sweep is checked before its first run starts.
    """
    if asks_help(argv, HELP):
        return FINISHED
    try:
        # The others end with the first; a handler would keep them from it while they wait for it in torch.
        with raising() if environment.first() else nullcontext():
            return _train(argv, conf)
    except (KeyboardInterrupt, Interrupted) as error:  # before training or after it
        return interrupted(error)


def interrupted(error: BaseException) -> int:
    """Tell of a signal; the exit code for that."""
    say(error if isinstance(error, Interrupted) else "interrupted")
    if isinstance(error, Interrupted) and error.name == REQUEUES:
        requeue()
    return INTERRUPTED


def requeue() -> None:
    """In a SLURM job: have it started again."""
    if environment.first() and (job := environment.job()) is not None:
        answer = environment.requeue(job)
        say(f"requeued{f': {answer}' if answer else ''}")


def _train(argv: Sequence[str], conf: Path) -> int:
    try:
        check_environment()
        arguments, script = _again(parse(argv)), Path(sys.argv[0]).absolute()
        if arguments.multirun and (mistake := _no_sweep(arguments.overrides)):
            raise ProblemError([mistake])
        if arguments.plain:
            arguments = as_hydra(arguments)
        for overrides in variants(arguments, conf):
            composed = composition(arguments, conf, overrides)
            if not arguments.plain:
                checked(composed.words, overrides, elsewhere=arguments.multirun and _launched(overrides))
        if environment.first() and not arguments.plain:
            composed.check_folder("hydra.sweep.dir" if arguments.multirun else "hydra.run.dir")
    except ProblemError as error:
        return refused(error)
    words = composed.words
    if arguments.plain:
        _hydra(arguments, conf, lambda config: None, arguments.words)
        return FINISHED
    if not environment.first():  # Hydra would make a folder for each process; only the first writes
        try:
            return _run(arguments, words, Path(words.get("resume") or "outputs"), script)  # there it reads a checkpoint
        except ProblemError as error:
            return refused(error)
    codes: list[int] = []
    argv = ["--config-name", arguments.config_name, *(["--multirun"] if arguments.multirun else [])]
    argv += arguments.overrides
    if words.get("resume"):
        argv.append(f"hydra.run.dir={quoted(words['resume'])}")
    try:
        _hydra(arguments, conf, lambda config: codes.append(_job(config, arguments, conf, script)), argv)
    except SweepEnded:
        say("the sweep ends here")
        return INTERRUPTED
    return max(codes, default=Summary.code)  # a launcher may have run them elsewhere


def checked(words: Mapping[str, Any], overrides: Sequence[str], elsewhere: bool = False) -> tuple[Problem, Settings]:
    """The problem and the settings of a configuration after every check that needs no training.

    Args:
        elsewhere: the run will be on another machine, or in processes that are not started yet.

    Raises:
        ProblemError: all that is wrong.
    """
    problem, settings = read_and_check(resumed(words, overrides) if words.get("resume") else words)
    if not elsewhere:
        check_run(problem, settings)
    return problem, settings


def _launched(overrides: Sequence[str]) -> bool:
    """Whether a launcher starts the runs of a sweep elsewhere."""
    return any(word.startswith("hydra/launcher=") and word != "hydra/launcher=basic" for word in overrides)


def _no_sweep(overrides: Sequence[str]) -> Mistake | None:
    """Why these cannot be the runs of a sweep."""
    if environment.rank() is not None:
        message = "a sweep starts the processes of each run itself: leave torchrun or srun away, or run it without -m"
        return Mistake("--multirun", message)
    if any(word.startswith("resume=") for word in overrides):
        return Mistake("resume", "goes on with one run, in its folder: run it without -m")
    if shutil.which("srun") is None and any(word in SLURM for word in overrides):
        message = "there is no srun on this machine: start the sweep where SLURM is, or choose hydra/launcher=workers"
        return Mistake("hydra/launcher", message)
    return None


def _hydra(arguments: Arguments, conf: Path, job: Any, argv: Sequence[str]) -> None:
    """Run a job by Hydra, once or as a sweep; files in `--config-dir` come before pinnkit's own."""
    first = conf
    if arguments.config_dir is not None:
        first, argv = arguments.config_dir, [*argv, "--config-dir", str(conf.resolve())]
    sys.argv = [sys.argv[0], *argv]
    os.environ["HYDRA_FULL_ERROR"] = "1"  # an error comes out as it is, and not as text and an exit code of Hydra's
    hydra.main(config_path=str(first.resolve()), config_name="train", version_base="1.3")(job)()


def _job(config: DictConfig, arguments: Arguments, conf: Path, script: Path) -> int:
    """One run, here or where a launcher has brought it; of a sweep, its exit code is left in its folder."""
    runtime = HydraConfig.get()
    folder = Path(runtime.runtime.output_dir)
    single = replace(arguments, overrides=tuple(runtime.overrides.task), multirun=False)
    if arguments.multirun:
        (folder / EXIT_CODE).unlink(missing_ok=True)
        single = _again(single, folder)  # the job of a launcher may have been requeued
    pde = runtime.runtime.choices.get("pde")
    try:
        words = configuration(single, conf)
        if arguments.multirun:
            words["overwrite"] = _may_overwrite(words, pde, RunFolder(folder))
        code = _run(single, words, folder, script, pde)
    except ProblemError as error:
        code = wrong(error)
        if arguments.multirun and not any(mistake.key == FOLDER_KEY for mistake in error.mistakes):
            _row(folder, single, "failed", str(error))
    except (KeyboardInterrupt, Interrupted) as error:
        code = interrupted(error)
        if arguments.multirun:
            _row(folder, single, "interrupted", str(error))
    except Exception as error:
        if not arguments.multirun:
            raise
        code = FAILED  # the other runs of the sweep go on
        traceback.print_exc()
        _row(folder, single, "failed", f"{type(error).__name__}: {error}")
    if arguments.multirun and environment.first():
        write_text(folder / EXIT_CODE, f"{code}\n")
    if arguments.multirun and code == INTERRUPTED and runtime.runtime.choices.get("hydra/launcher") == "basic":
        Summary.write(Path(runtime.sweep.dir))
        raise SweepEnded
    return code


def _may_overwrite(words: Mapping[str, Any], pde: str | None, run: RunFolder) -> bool:
    """Whether a run of a sweep removes the run that its folder holds: where that is asked for, or it is the same.

    A sweep that is repeated runs again; two runs of one sweep that were given one folder do not.
    """
    if words.get("overwrite") is not False:
        return words.get("overwrite")
    try:
        kept = run.read_config()
    except RunFolderError:
        return True  # nothing there, or the row of a run that never began
    from pinnkit.runs.resolved import resolved  # torch is loaded here

    problem, settings = read_and_check({**words, "overwrite": False})
    report = Report()
    check_same(with_settings(_saved(words, pde), resolved(problem, settings)), kept, run.config, report)
    return not report.mistakes


def _row(folder: Path, arguments: Arguments, status: str, reason: str) -> None:
    """What the table of a sweep tells of a run that ended before it could say so itself; a run's own words stay."""
    run = RunFolder(folder)
    if environment.first() and not run.has_own_metrics():
        run.create().write_metrics({"status": status, "reason": reason, "overrides": list(arguments.overrides)})


def _again(arguments: Arguments, folder: Path | None = None) -> Arguments:
    """In a job that SLURM has started again: with resume= of its run folder, where that holds a checkpoint.

    Args:
        folder: the run folder; None: what hydra.run.dir= names.
    """
    folders = [word.removeprefix("hydra.run.dir=") for word in arguments.overrides if word.startswith("hydra.run.dir=")]
    named = folder or (Path(unquoted(folders[-1])) if folders else None)
    if not (environment.requeued() and named) or any(word.startswith("resume=") for word in arguments.overrides):
        return arguments
    run = RunFolder(named)
    if not run.resumable:
        return replace(arguments, overrides=(*arguments.overrides, "overwrite=true"))  # it had hardly begun
    others = [word for word in arguments.overrides if not word.startswith("hydra.run.dir=")]
    return replace(arguments, overrides=(*others, f"resume={quoted(run.path)}"))


def _run(arguments: Arguments, words: dict[str, Any], folder: Path, script: Path, pde: str | None = None) -> int:
    """Train in this process, or start the processes that do, of this script; the exit code.

    Raises:
        ProblemError: the configuration is wrong.
    """
    resume = bool(words.get("resume"))
    if resume:
        words = resumed(words, arguments.overrides)
    problem, settings = read_and_check(words)
    if environment.first():
        with refusing(resume):
            RunFolderLock(RunFolder(folder), overwrite=settings.overwrite, resume=resume).check()
    # OpenMP's threads wait for each other by spinning. Where another program holds a core they spin through its whole
    # time slices: a step was seen to take 80 times as long. After 2000 rounds they sleep, at no cost otherwise.
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    from pinnkit.cli.launch import launch, processes  # torch is loaded here, after every check
    from pinnkit.cli.run import run

    if environment.rank() is None and (count := processes(settings.trainer)) > 1:
        again = [*arguments.flags(), *arguments.overrides, f"hydra.run.dir={quoted(folder)}"]
        again += ["overwrite=true"] if settings.overwrite else []
        return launch(count, script, again, folder)
    return run(problem, settings, folder, _saved(words, pde), arguments.overrides, resume)


def _saved(words: Mapping[str, Any], pde: str | None) -> str:
    """config.yaml: the resolved configuration, which `--config-dir RUN --config-name config` runs again."""
    name = pde or words["pde"].get("name", "run")
    again = {
        "defaults": ["_self_", {"override hydra/job_logging": "none"}, {"override hydra/hydra_logging": "none"}],
        "hydra": {"run": {"dir": f"outputs/{name}/${{now:%Y-%m-%d_%H-%M-%S}}"}, "output_subdir": None},
    }
    return yaml.safe_dump({**again, **words, "overwrite": False}, sort_keys=False, allow_unicode=True)
