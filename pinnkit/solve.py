"""From a problem and settings to a trained network and its run folder."""

from __future__ import annotations

import logging
import sys
import types
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from pinnkit import environment, evaluation
from pinnkit.console import logged, quiet, silent
from pinnkit.factory import assemble
from pinnkit.language.errors import Report
from pinnkit.problem.problem import Problem
from pinnkit.reporting.artifacts import RunFolder
from pinnkit.reporting.folder_lock import RunFolderLock
from pinnkit.resources import check_run
from pinnkit.runs.configuration import as_yaml, refusing
from pinnkit.runs.run import Run
from pinnkit.settings import Settings, read_settings
from pinnkit.training.exceptions import CannotWrite
from pinnkit.training.module import PINN
from pinnkit.validation import checked

__all__ = ["Solution", "assemble", "solve"]


@dataclass(frozen=True)
class Solution:
    """A finished run: its status, its metrics, its folder and the trained module.

    `solution(x=..., t=...)` gives every field at arrays of points, broadcast to one shape, as NumPy arrays by name. It
    warns of points outside the domain, where the network was not trained, and of coordinates that are NaN.
    """

    status: str
    metrics: Mapping[str, Any]
    folder: Path
    module: PINN

    def __call__(self, **coordinates: Any) -> dict[str, np.ndarray]:
        names = self.module.problem.coordinates
        if set(coordinates) != set(names):
            raise ValueError(f"coordinates {', '.join(coordinates)} were given: {', '.join(names)} are needed")
        given = {name: np.asarray(coordinates[name], dtype=np.float64) for name in names}
        for name, values in given.items():
            self._warn(name, values)
        arrays = np.broadcast_arrays(*given.values())
        return evaluation.predict(self.module, dict(zip(names, arrays, strict=True)))

    def _warn(self, name: str, values: np.ndarray) -> None:
        lower, upper = self.module.problem.domain.bounds[name]
        unknown = int(np.isnan(values).sum())
        if unknown:
            message = f"{name} is NaN at {unknown} of {values.size} points, and so are the fields there"
            warnings.warn(message, UserWarning, stacklevel=3)
        slack = ROUNDING * (upper - lower)
        outside = values[(values < lower - slack) | (values > upper + slack)]
        if outside.size and (name not in self.module.problem.periodic or not np.isfinite(outside).all()):
            worst = outside[np.argmax(np.maximum(lower - outside, outside - upper))]
            message = (
                f"{name} = {worst:.6g} lies outside [{lower:.6g}, {upper:.6g}], where the network was trained "
                f"({outside.size} of {values.size} points do): the fields there are extrapolated, and may be far off"
            )
            warnings.warn(message, UserWarning, stacklevel=3)


ROUNDING = 1e-9
"""The share of a coordinate's range by which a point may pass its ends unnoticed."""


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
            without a configuration, config.yaml is written from the problem and the settings.
        resume: go on from the folder's last checkpoint, with the configuration that it was written with.
        overwrite: remove the run that the folder holds already, which is refused otherwise.

    Raises:
        ProblemError: the problem or the settings are wrong, or the folder is taken; all mistakes are told together.
        NoGradient: a term that would train nothing.
        Unsuitable: an optimizer that cannot treat this network or these residuals.
        JacobianTooLargeError: more points than the memory that an optimizer may take is enough for.
        RankLost: another process of this run has ended.
        CannotWrite: a file of the run folder cannot be written.
        RendezvousError: the processes of the run do not find each other.
        OutOfMemory: too many points at once; the message names the setting and a value that fits.
        Diverged: a loss that is not finite, or an objective that exploded; metrics.json tells it too.
        NothingFinite: the run cannot go on, as every checkpoint holds numbers that are not finite.
    """
    settings = _read(settings)
    run, first = RunFolder(Path(folder)), environment.first()
    lock = RunFolderLock(run, overwrite=overwrite or settings.overwrite, resume=resume) if first else None
    with logged() if first else silent() as log, quiet():
        problem = checked(problem, settings, custom_network=network is not None)
        check_run(problem, settings, custom_network=network is not None)
        config = config if config is not None else as_yaml(problem, settings)
        with _threads(settings, problem) as threads, _held(lock):
            one = Run(problem, settings, run, network, overrides, threads, config, resume)
            if lock is not None:
                with refusing(resume), _written(run):
                    lock.acquire()
                    log.keep(run.log)
                    if not resume:
                        run.write_config(config)
            one.train()
            metrics = one.results.finish(one.module, one.data, one.record)
    return Solution(metrics["status"], metrics, run.path, one.module)


@contextmanager
def _held(lock: RunFolderLock | None) -> Iterator[None]:
    """Check that the folder may be taken; where a run goes on it is locked at once."""
    if lock is None:
        yield
        return
    try:
        with refusing(lock.resume):
            lock.check()
            if lock.resume:
                lock.lock()
        yield
    finally:
        lock.release()


@contextmanager
def _written(run: RunFolder) -> Iterator[None]:
    """A folder in which nothing can be written ends the run before it begins."""
    try:
        yield
    except OSError as error:
        failure = CannotWrite(run.path, error)
        logging.getLogger("pinnkit").error(str(failure))
        raise failure from None


@contextmanager
def _threads(settings: Settings, problem: Problem) -> Iterator[int]:
    """One thread where the arrays are too small to gain by more, which then only wait for each other.

    On 2 cores MLP 3x20 on 2048 points takes as long with one thread as with two; and where another program holds a
    core, two were seen to take 60 times as long. Gives the number of threads that were there: compiled code divides
    the points among them.
    """
    former = torch.get_num_threads()
    dimension = len(problem.coordinates)
    network = settings.network.chosen(dimension, dimension, problem.linear, problem.steady)
    if settings.sampling.count(dimension) * network.width <= 2**16:
        torch.set_num_threads(1)
    try:
        yield former
    finally:
        torch.set_num_threads(former)


def _read(settings: Settings | Mapping[str, Any] | None) -> Settings:
    if isinstance(settings, Settings):
        return settings
    report = Report()
    read = read_settings(settings or {}, report)
    report.raise_if_any()
    return read


class _CallableModule(types.ModuleType):
    """Lets `pinnkit.solve` be this module and the function at once, whichever is imported first."""

    def __call__(self, *arguments: Any, **named: Any) -> Solution:
        return solve(*arguments, **named)


sys.modules[__name__].__class__ = _CallableModule
