"""`pinnkit sweep`: search settings for the least error, by Optuna.

A command of its own, and not Hydra's Optuna sweeper: that one resolves to Optuna 2.10, cannot prune, judges a run by
its last value, and loses the whole sweep where one run crashes.
"""

from __future__ import annotations

import importlib.util
import shlex
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from pinnkit.cli import yaml_files
from pinnkit.cli.arguments import Arguments, parse
from pinnkit.cli.checks import check_configuration
from pinnkit.cli.composition import Composer
from pinnkit.cli.entry import DIVERGED, FINISHED, INTERRUPTED, asks_help, print_error, report_error
from pinnkit.cli.invocation import TRAIN, typed
from pinnkit.cli.problem_files import with_paths
from pinnkit.cli.space import Choice, Span, read_space
from pinnkit.cli.trial import POLL, Budget, Outcome, ReservedTrial, run, share_cores
from pinnkit.cli.variants import variants
from pinnkit.language.errors import Mistake, ProblemError, Report
from pinnkit.reading import read_as
from pinnkit.runs.resources import check_environment

if TYPE_CHECKING:
    from pinnkit.cli.study import Study  # Optuna is loaded after every check

HELP = """
Search settings for the least error, by Optuna; every trial is a training run in a process of its own.

usage: python scripts/sweep.py sweep.folder=FOLDER KEY=SPACE [KEY=SPACE ...] [KEY=VALUE ...] [FILE.yaml]

  SPACE             choice(a,b), range(10,41), interval(0,1), int(interval(1,9)), tag(log,interval(1e-4,1e-1))
  sweep.folder      its database, summary.csv and runs; a sweep that is there goes on
  sweep.trials=20   results in all              sweep.workers=1   runs at a time
  sweep.prune=true  end runs that are worse than the median
  sweep.seed=0      of the search               KEY=VALUE         as for training, the same for every trial

example:
  python scripts/sweep.py sweep.folder=sweeps/heat sweep.trials=20 pde=heat trainer.max_time=30 \\
      'network.width=range(10,41)' 'network.activation=choice(tanh,sin)'

Exit codes: 0 every trial has its result, 2 the configuration is wrong, 3 no trial came to a value,
130 interrupted (the same command goes on).
"""

QUIET = ("callbacks.progress=false", "callbacks.figures=false")
"""Before the user's overrides, which may say otherwise."""
OURS = ("resume", "hydra.run.dir", "hydra.sweep.dir")


@dataclass(frozen=True)
class Sweep:
    """The arguments sweep.KEY=VALUE."""

    folder: str = ""
    """Where its database, its table and its runs are; a sweep that is there goes on."""
    trials: int = field(default=20, metadata={"minimum": 1, "maximum": 1_000_000})
    """Results in all: complete, pruned and failed."""
    workers: int = field(default=1, metadata={"minimum": 1, "maximum": 1000})
    """Runs at a time."""
    seed: int = field(default=0, metadata={"minimum": 0, "maximum": 2**63 - 1})
    """Of the search."""
    prune: bool = True
    """Whether runs that are worse than the median are ended."""


@dataclass(frozen=True)
class _Request:
    sweep: Sweep = field(default_factory=Sweep)


def sweep(argv: Sequence[str], conf: Path, program: Sequence[str] = TRAIN) -> int:
    """Search; every trial is a run of `program` by Python, in a process of its own. Returns the exit code.

    0 every trial has its result; 2 the configuration is wrong; 3 no trial came to a value; 130 interrupted: the same
    command goes on. The overrides and both ends of everything that is searched are checked before the first run.
    """
    if asks_help(argv, HELP):
        return FINISHED
    try:
        check_environment()
        request = _request([one for one in argv if one.startswith("sweep.")])
        arguments = parse([one for one in argv if not one.startswith("sweep.")])
        fixed, space = _space(arguments)
        budget = _checked(arguments, conf, fixed, space)
        if importlib.util.find_spec("optuna") is None:
            raise ProblemError([Mistake("sweep", "needs Optuna: pip install 'pinnkit[sweep]'")])
        from pinnkit.cli.study import Study

        flags = arguments.flags()
        given = [*(flags if flags != ["--config-name", "train"] else []), *with_paths(fixed, arguments.files)]
        study = Study(Path(request.folder), given, space, request.seed, request.prune)
    except ProblemError as error:
        return report_error(error)
    except OSError as error:
        return report_error(ProblemError([Mistake("sweep.folder", str(error))]))
    share_cores(request.workers)

    def train(claim: ReservedTrial, stop: threading.Event) -> Outcome:
        return run(program, [*QUIET, *given, *with_paths(claim.overrides, arguments.files)], claim, budget, stop)

    if _search(study, request, train):
        print_error("interrupted; the same command goes on")
        return INTERRUPTED
    found = study.best()
    print(f"written to {study.folder / 'summary.csv'}")
    if found is None:
        print_error("no trial came to a value; summary.csv has the reasons")
        return DIVERGED
    number, value, place = found
    best = shlex.join([*given, *with_paths(place, arguments.files)])
    print(f"best: {value:.3g} in trial {number}:\n{typed('train')} {best}")
    return FINISHED


def _request(own: Sequence[str]) -> Sweep:
    report = Report()
    given: dict[str, Any] = {}
    for argument in own:
        key, _, text = argument.removeprefix("sweep.").partition("=")
        try:
            given[key] = text if key == "folder" else yaml_files.value(text)
        except yaml.YAMLError:
            report.add(f"sweep.{key}", f"{text!r} cannot be read: write sweep.trials=20 or sweep.prune=false")
    request = read_as(_Request, {"sweep": given}, report).sweep
    if not request.folder:
        report.add("sweep.folder", "is missing: write sweep.folder=sweeps/heat")
    report.raise_if_any()
    return request


def _space(arguments: Arguments) -> tuple[list[str], list[Choice | Span]]:
    if arguments.plain or arguments.multirun:
        raise ProblemError([Mistake("command line", "sweep takes no such flag: it is a sweep by itself")])
    fixed, space = read_space(arguments.overrides)
    report = Report()
    for one in (*fixed, *(one.key for one in space)):
        key = one.split("=")[0].lstrip("+~")
        if key in OURS:
            report.add(key, "is set by the sweep, for each trial: leave it out")
    report.raise_if_any()
    return fixed, space


def _checked(arguments: Arguments, conf: Path, fixed: Sequence[str], space: Sequence[Choice | Span]) -> Budget:
    """Check every choice and both ends of every span; the budget of the first of these runs."""
    ends = [f"{one.key}=choice({','.join(one.ends())})" for one in space]
    composer = Composer(arguments, conf)
    budgets = []
    for overrides in variants((*QUIET, *fixed, *ends), composer.folders):
        run = check_configuration(composer.compose(overrides).task, overrides)
        budgets.append(Budget.of(run.settings.trainer))
    return budgets[0]


def _search(study: Study, request: Sweep, train: Callable[[ReservedTrial, threading.Event], Outcome]) -> bool:
    """Work until every trial has its result; true where SIGINT or SIGTERM came first."""
    stop, asked = threading.Event(), threading.Event()

    def interrupt(*_: Any) -> None:
        asked.set()
        stop.set()

    def work() -> None:
        while not stop.is_set():
            claim = study.claim(request.trials)
            if claim is not None:
                outcome = train(claim, stop)
                study.close(claim, outcome)
                message = f"{outcome.value:.3g}" if outcome.state == "complete" else outcome.reason
                print(
                    f"trial {claim.trial.number}: {outcome.state}, {' '.join(claim.overrides)}: {message}", flush=True
                )
            elif study.open():  # by another sweep, or by a run that is still ending: it may be left to us
                stop.wait(POLL)
            else:
                return

    former = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with ThreadPoolExecutor(request.workers) as pool:
            workers = [pool.submit(work) for _ in range(request.workers)]
            while (states := wait(workers, POLL, FIRST_EXCEPTION)).not_done:
                if any(one.exception() for one in states.done):
                    stop.set()
        for one in workers:
            one.result()
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
    return asked.is_set()
