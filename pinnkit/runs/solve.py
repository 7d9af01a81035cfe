"""The public function `solve`: from a problem and settings to a solution and its run folder."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from pinnkit.problem.problem import Problem, check_is_problem
from pinnkit.reporting.artifacts import RunFolder
from pinnkit.reporting.folder_lock import RunFolderLock
from pinnkit.runs import environment
from pinnkit.runs.configuration import as_yaml, folder_errors_as_mistakes, with_settings
from pinnkit.runs.console import logged, silent, suppress_library_logs
from pinnkit.runs.deflation import known_solutions, tell_distances
from pinnkit.runs.factory import check_network
from pinnkit.runs.methods import with_method
from pinnkit.runs.recovery import check_resumed
from pinnkit.runs.resolved import resolved
from pinnkit.runs.resources import check_run
from pinnkit.runs.run import Run
from pinnkit.runs.setup import Setup, locked, path_of, read, writable
from pinnkit.runs.solution import Solution
from pinnkit.runs.threads import single_thread_if_small
from pinnkit.runs.validation import validate
from pinnkit.settings import Settings

log = logging.getLogger("pinnkit")


def solve(
    problem: Problem,
    folder: Path | str,
    settings: Settings | Mapping[str, Any] | None = None,
    *,
    network: nn.Module | None = None,
    config: str | None = None,
    overrides: Sequence[str] = (),
    resume: bool = False,
    overwrite: bool = False,
) -> Solution:
    """Train a network on a problem and write its run folder.

    The problem, the settings, the network and the reference are checked before anything is written.

    Args:
        folder: the run folder; made where it is not there. One that holds what no run of pinnkit wrote is refused.
        settings: how to solve it, as `Settings` or as a mapping with the configuration's keys.
        network: a network of your own, (n, d) -> (n, fields), in place of `settings.network`.
        config, overrides: the configuration and the command line's changes to it, for config.yaml and metrics.json;
            without a configuration, config.yaml is written from the problem. It has the settings as used.
        resume: go on from the folder's last checkpoint, with the configuration that it was written with.
        overwrite: remove the run that the folder holds already, which is refused otherwise.

    Raises:
        TypeError: the problem is no Problem, or the folder no path.
        ProblemError: the problem or the settings are wrong, or the folder is taken; all mistakes are reported together.
        NoGradient: a term that would train nothing.
        OptimizerUnsupported: an optimizer that cannot treat this network or these residuals.
        InvalidWeights: a strategy gives weights that cannot be.
        JacobianTooLargeError: more points than the memory that an optimizer may take is enough for.
        RankLost: another process of this run has ended.
        CannotWrite: a file of the run folder cannot be written.
        RendezvousError: the processes of the run do not find each other.
        OutOfMemory: too many points at once; the message names the setting and a value that fits.
        Diverged: a loss that is not finite, or an objective that exploded; metrics.json has the reason too.
        NoFiniteCheckpoint: the run cannot go on, as every checkpoint holds numbers that are not finite.
    """
    check_is_problem(problem)
    settings = read(settings)
    run, first = RunFolder(path_of(folder)), environment.first()
    lock = RunFolderLock(run, overwrite=overwrite or settings.overwrite, resume=resume) if first else None
    with logged(settings.callbacks.terminal) if first else silent() as kept, suppress_library_logs():
        problem = validate(problem, settings, custom_network=network is not None)
        settings = with_method(problem, settings, custom_network=network is not None)
        check_run(problem, settings, custom_network=network is not None)
        with single_thread_if_small(problem, settings) as threads, locked(lock):
            began = time.perf_counter()
            log.info("%s, seed %d, %s; run folder %s", problem.name, settings.seed, settings.dtype, run.path)
            if network is not None:
                check_network(network, problem, settings)
            settings = resolved(problem, settings, network)
            config = with_settings(config, settings) if config else as_yaml(problem, settings, network)
            if resume:
                check_resumed(config, run)
            known = known_solutions(problem, settings)
            setup = Setup(problem, settings, run, network, threads, config, known)
            one = Run(setup, overrides, began, resume)
            if lock is not None:
                with folder_errors_as_mistakes(resume), writable(run):
                    lock.acquire()
                    kept.keep(run.log)
                    if not resume:
                        run.write_config(config)
            one.train()
            tell_distances(setup.module, setup.data, known)
            metrics = one.results.finish(setup.module, setup.data, one.record, one.answers.kept)
    return Solution(metrics["status"], metrics, run.path, setup.module, settings)
