"""`pinnkit train`: compose a configuration, check it, train."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from hydra import main
from hydra._internal.callbacks import Callbacks
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import configure_log, run_job
from hydra.types import HydraContext, RunMode
from omegaconf import read_write

from pinnkit.cli.arguments import Arguments, as_hydra, parse
from pinnkit.cli.checks import Checked, check_configuration
from pinnkit.cli.compare_methods import compare_methods, compares
from pinnkit.cli.composition import VERSION, Composer, Composition
from pinnkit.cli.dispatch import start
from pinnkit.cli.entry import FINISHED, asks_help, report_error, report_refusal
from pinnkit.cli.multirun import check_sweep, run_sweep
from pinnkit.cli.requeue import interrupted, resume_if_requeued
from pinnkit.cli.variants import variants
from pinnkit.language.errors import ProblemError
from pinnkit.runs import environment
from pinnkit.runs.resources import check_environment
from pinnkit.training.signals import Interrupted, raise_on_signal

HELP = """
Train a network on a problem, and leave a run folder with its solution, errors, figures and checkpoints.

usage: python scripts/train.py [pde=NAME | FILE.yaml] [KEY=VALUE ...] [--config-dir FOLDER] [-m]

  FILE.yaml               a problem file of your own; or pde=FILE.yaml
  pde=NAME                a shipped problem, or FOLDER/pde/NAME.yaml (default: heat)
  method=NAME             network, features (solved for by least squares), auto, compare (both, in a table)
  polish=VALUE            auto, true, false: whether features correct the trained network
  windows=VALUE           auto, 8: windows of time with a network each, trained one after the other
  network.width, .depth   size of the network             sampling.equations, .conditions   points
  experiment=NAME         several settings at once: quick, accurate
  optimizer=NAME          auto, adam, soap, lbfgs, ssbroyden ...; phases=[...]: one after the other
  operators=NAME          auto, autograd, compiled, jets: how derivatives are computed
  trainer.max_time        seconds of training             trainer.max_steps                 optimizer steps
  trainer=NAME            cpu, gpu, ddp, ddp_cpu, multi_node
  reference, manufactured what the error is measured against
  resume=RUN_FOLDER       go on from the last checkpoint of a run
  hydra.run.dir=FOLDER    the run folder (default: outputs/NAME/DATE)
  seed, dtype             0; float64 or float32
  --config-dir FOLDER     configuration files of your own, which come before the shipped ones
  --allow-target CLASS    code that a file of yours may name to be run
  -m, --multirun          a run for each value of a sweep: network.width=10,20,40
  --cfg job, --info       the composed configuration, as Hydra shows it; --hydra-help: Hydra's other flags

examples:
  python scripts/train.py pde=burgers network.width=40 trainer.max_time=120
  python scripts/train.py my_problem.yaml optimizer=lbfgs
  python scripts/train.py resume=outputs/heat/2026-01-31_12-00-00 trainer.max_steps=8000

Every key, with its meaning and default, stands in CONF.
Exit codes: 0 finished, 2 the configuration is wrong, 3 training diverged, 130 interrupted (a checkpoint was written),
1 a process was lost or a file cannot be written.
"""


def train(argv: Sequence[str], conf: Path) -> int:
    """Train as the command line says; returns the exit code.

    0 finished; 2 the configuration is wrong (a message, no traceback); 3 training diverged; 130 interrupted.
    Every value of a sweep is checked before its first run starts.
    """
    if asks_help(argv, HELP.replace("CONF", str(conf))):
        return FINISHED
    try:
        # The others end with the first; a handler would keep them from it while they wait for it in torch.
        with raise_on_signal() if environment.first() else nullcontext():
            return _train(argv, conf)
    except (KeyboardInterrupt, Interrupted) as error:  # before training or after it
        return interrupted(error)


def _train(argv: Sequence[str], conf: Path) -> int:
    try:
        check_environment()
        arguments = resume_if_requeued(parse(argv))
        if not arguments.plain and compares(arguments):
            return compare_methods(arguments, conf, lambda words: _train(words, conf))
        if arguments.plain:
            return _answered_by_hydra(as_hydra(arguments), conf)
        composer = Composer(arguments, conf)
        if arguments.multirun:
            return run_sweep(composer, check_sweep(composer))
        composed = composer.compose(arguments.overrides)
        run = check_configuration(composed.task, arguments.overrides)
        if not environment.first():  # only the first process makes a folder; the others read a checkpoint there
            return start(arguments, run, Path(run.config.get("resume") or "outputs"))
        composed.check_folder()
    except ProblemError as error:
        return report_refusal(error)
    return _single(composer, composed, run)


def _single(composer: Composer, composed: Composition, run: Checked) -> int:
    """One run in its folder, as Hydra makes it for a composed configuration; the exit code."""
    arguments, whole = composer.arguments, composed.whole

    def job(_: Any) -> int:
        try:
            hydra = HydraConfig.get()
            return start(arguments, run, Path(hydra.runtime.output_dir), hydra.runtime.choices.get("pde"))
        except ProblemError as error:
            return report_error(error)

    with read_write(whole.hydra):
        whole.hydra.mode = RunMode.RUN
        if run.resume:
            whole.hydra.run.dir = str(composed.folder)
    configure_log(whole.hydra.hydra_logging, whole.hydra.verbose)
    callbacks = Callbacks(whole)
    callbacks.on_run_start(config=whole, config_name=arguments.config_name)
    context = HydraContext(config_loader=composer.hydra.config_loader, callbacks=callbacks)
    returned = run_job(job, whole, "hydra.run.dir", None, context)
    callbacks.on_run_end(config=whole, config_name=arguments.config_name, job_return=returned)
    return returned.return_value


def _answered_by_hydra(arguments: Arguments, conf: Path) -> int:
    """Let Hydra answer flags such as --cfg and --info; what it would run is checked first.

    Raises:
        ProblemError: the configuration names code to run, or cannot be composed.
    """
    composer = Composer(arguments, conf)
    single = [list(arguments.overrides)]
    for overrides in variants(arguments.overrides, composer.folders) if arguments.multirun else single:
        composer.compose(overrides)
    _hydra(arguments, conf)
    return FINISHED


def _hydra(arguments: Arguments, conf: Path) -> None:
    """Hydra's own program without a task; files in `--config-dir` come before the shipped ones."""
    first, argv = conf, list(arguments.argv)
    if arguments.config_dir is not None:
        first, argv = arguments.config_dir, [*argv, "--config-dir", str(conf.resolve())]
    sys.argv = [sys.argv[0], *argv]
    GlobalHydra.instance().clear()
    os.environ["HYDRA_FULL_ERROR"] = "1"  # an error comes out as it is, and not as text and an exit code of Hydra's
    main(config_path=str(first.resolve()), config_name="train", version_base=VERSION)(lambda config: None)()
